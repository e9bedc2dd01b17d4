"""A user's masks, whatever kind of file they are, as plain numbers."""

from typing import NamedTuple

import numpy as np
from PIL import ImageOps

from segjax.base import Mistake
from segjax.data._folder.tiff import is_tiff, mask_numbers
from segjax.data._intake import decode, shown

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "PPM")
_NOISE = 24  # that lossy files put between the channels of a grey picture
ALPHA = ("LA", "PA", "La", "RGBA", "RGBa")


class Mask(NamedTuple):
    """A mask's values before they mean anything: i32[h,w], one number a pixel.

    colored: the numbers are 0xRRGGBB; palette: the colour of each number, where the
    file has one; lossy: saved as JPEG.
    """

    values: np.ndarray
    colored: bool = False
    palette: tuple[int, ...] = ()
    lossy: bool = False


def read_mask(data: bytes, file: str) -> Mask:
    """A mask's values: grey levels, palette indices, colours, or what its transparency
    says where nothing else differs."""
    if is_tiff(data):
        values = mask_numbers(data, file)
        if values is not None:
            return Mask(_whole_numbers(values, file))
    image = decode(data, file, FORMATS)
    lossy = (
        image.format == "JPEG"
        or image.info.get("compression") in ("jpeg", "tiff_jpeg")
        or (image.format == "WEBP" and b"VP8 " in data[:40])
    )
    image = ImageOps.exif_transpose(image)
    if image.mode == "P":
        table = np.zeros(
            (256, 3), np.int32
        )  # a file may leave out what it thinks black
        colors = np.asarray(image.getpalette("RGB"), np.int32).reshape(-1, 3)
        table[: len(colors)] = colors
        return Mask(np.asarray(image, np.int32), False, tuple(_pack(table).tolist()))
    if image.mode in ("1", "L"):
        return Mask(np.asarray(image, np.int32), lossy=lossy)
    if image.mode.startswith(("I", "F")):
        return Mask(_whole_numbers(np.asarray(image), file))
    color = np.asarray(image.convert("RGB"), np.int32)
    values = color[..., 0]
    apart = color.max(-1) - color.min(-1)
    colored = bool(apart.max() > (_NOISE if lossy else 0))
    if image.mode in ALPHA and (color == color[0, 0]).all():
        alpha = np.asarray(image.getchannel("A"), np.int32)
        if alpha.min() < 255:  # a mask that is opaque throughout is told by its colour
            return Mask(alpha)
    return Mask(_pack(color) if colored else values, colored, lossy=lossy)


def _pack(color: np.ndarray) -> np.ndarray:
    """[...,3] -> 0xRRGGBB"""
    return (color[..., 0] << 16) | (color[..., 1] << 8) | color[..., 2]


def _whole_numbers(values: np.ndarray, file: str) -> np.ndarray:
    """Whole numbers, floats that are such, or shares of 0 to 1 as grey levels.
    i32[h,w]"""
    whole, most = values.dtype.kind in "iub", 2**31 - 1
    if not whole and (values.dtype.kind != "f" or not np.isfinite(values).all()):
        raise Mistake(
            f"{shown(file)} holds what is no number, or no end of one; a mask holds"
            " whole numbers."
        )
    if values.max() > most or values.min() < -most:
        raise Mistake(
            f"{shown(file)} holds {values.max():g}, more than a mask's numbers may be;"
            " write its classes as 0, 1, 2."
        )
    if whole:
        return values.astype(np.int32)
    if (values == values.round()).all():
        return values.astype(np.int32)
    if values.min() >= 0 and values.max() <= 1:
        return (values * 255).round().astype(np.int32)
    raise Mistake(
        f"{shown(file)} holds numbers such as {values.max():.4g}, which are no classes;"
        " a mask holds whole numbers, or shares from 0 to 1."
    )
