"""A user's pictures and masks, whatever kind of file they are, as plain arrays."""

import io
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageOps

from segjax.base import Mistake
from segjax.data._intake import MOST_PIXELS, decode, shown

_FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "PPM")
_TURNED = 0x0112  # EXIF's word for how the camera was held
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ALPHA = ("LA", "PA", "La", "RGBA", "RGBa")


class Mask(NamedTuple):
    """A mask's values before they mean anything: i32[h,w], one number a pixel.

    colored: the numbers are 0xRRGGBB; palette: the colour of each number, where the
    file has one.
    """

    values: np.ndarray
    colored: bool = False
    palette: tuple[int, ...] = ()


class Header(NamedTuple):
    """What a picture is, before it is decoded."""

    file: str
    kind: str  # in words
    size: tuple[int, ...]  # height, width
    deep: bool  # more than 8 bits a channel


def look_inside(data: bytes, file: str) -> Header:
    """A picture's header; or a Mistake where there is no picture."""
    series = _tiff_series(data, file) if data[:4] in _TIFF else None
    if series is not None and not _is_pillows(series, None):
        axes, shape, dtype = series
        places = [axes.index(a) for a in "YX" if a in axes]
        size = tuple(shape[p] for p in places)
        return Header(file, f"{dtype} {axes} TIFF", size, dtype != np.uint8)
    image = decode(data, file, _FORMATS, whole=False)
    deep = image.mode.startswith(("I", "F"))
    return Header(file, image.mode, image.size[::-1], deep)


def read_picture(
    data: bytes,
    file: str,
    white: float | None = None,
    channels: tuple[int, ...] | None = None,
    mask_shape: tuple[int, ...] | None = None,
) -> np.ndarray:
    """A picture's pixels, as a viewer shows it: turned as its EXIF says, what is
    transparent on white. u8[h,w,3]

    white: the value that becomes 255, of pictures of more than 8 bits; channels: the
    three to take, of pictures that have others; mask_shape: a mask that fits only the
    picture as it was before turning keeps it so.
    """
    pixels = read_raw(data, file, channels, mask_shape)
    if pixels.dtype != np.uint8:
        if white is None:
            raise Mistake(
                f"{shown(file)} has more than 8 bits a channel; data.white must say"
                " which value is white."
            )
        scaled = np.nan_to_num(pixels.astype(np.float32)) * (255 / white)
        pixels = scaled.clip(0, 255).round().astype(np.uint8)
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))


def read_raw(
    data: bytes,
    file: str,
    channels: tuple[int, ...] | None = None,
    mask_shape: tuple[int, ...] | None = None,
) -> np.ndarray:
    """A picture's values as they are: 8, 16 or 32 bits. [h,w] | [h,w,3]"""
    if data[:4] in _TIFF:
        pixels = _planes(data, file, channels)
        if pixels is not None:
            return pixels
    image = decode(data, file, _FORMATS)
    turned = ImageOps.exif_transpose(image) if _is_turned(image) else image
    if mask_shape is not None and turned.size[::-1] != mask_shape[:2]:
        turned = image if image.size[::-1] == mask_shape[:2] else turned
    return _pixels(turned)


def read_mask(data: bytes, file: str) -> Mask:
    """A mask's values: grey levels, palette indices, colours, or what its transparency
    says where nothing else differs."""
    image = decode(data, file, _FORMATS)
    if image.mode == "P":
        table = np.asarray(image.getpalette("RGB"), np.int32).reshape(-1, 3)
        packed = tuple(int(c) for c in _pack(table))
        return Mask(np.asarray(image, np.int32), palette=packed)
    if image.mode in ("1", "L"):
        return Mask(np.asarray(image, np.int32))
    if image.mode.startswith("I"):
        return Mask(np.asarray(image).astype(np.int32))
    if image.mode == "F":
        return Mask(_whole_numbers(np.asarray(image), file))
    color = np.asarray(image.convert("RGB"), np.int32)
    values = color[..., 0]
    colored = bool((color != values[..., None]).any())
    if image.mode in _ALPHA and (color == color[0, 0]).all():
        return Mask(np.asarray(image.getchannel("A"), np.int32))
    return Mask(_pack(color) if colored else values, colored)


def _is_turned(image: Image.Image) -> bool:
    return image.getexif().get(_TURNED, 1) != 1


def _pixels(image: Image.Image) -> np.ndarray:
    """Grey or RGB, transparency over white. u8|u16|i32|f32[h,w] | u8[h,w,3]"""
    if image.mode.startswith(("I", "F")):
        return np.asarray(image)
    if image.mode == "L":
        return np.asarray(image)
    if image.mode in _ALPHA or "transparency" in image.info:
        over = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return np.asarray(Image.alpha_composite(white, over).convert("RGB"))
    return np.asarray(image.convert("RGB"))


def _planes(data: bytes, file: str, channels) -> np.ndarray | None:
    """Three channels of a TIFF that Pillow has no words for. None for the others."""
    series = _tiff_series(data, file)
    if _is_pillows(series, channels):
        return None
    axes, shape, _ = series
    if int(np.prod(shape, dtype=np.int64)) > MOST_PIXELS * 4:
        raise Mistake(
            f"{shown(file)} claims {' x '.join(map(str, shape))} values; it is damaged,"
            " or too large to be read whole."
        )
    if len(shape) != 3 or not {"Y", "X"} <= set(axes):
        raise Mistake(
            f"{shown(file)} is {' x '.join(map(str, shape))} values ({axes}); a picture"
            " is height x width, and its channels."
        )
    pixels = _tiff(data, file, lambda tiff: tiff.series[0].asarray())
    if axes.endswith("YX"):
        pixels = np.moveaxis(pixels, 0, -1)
    return _three_of(pixels, channels, file)


def _is_pillows(series, channels) -> bool:
    """Whether Pillow reads it as it is: grey, or colour of 8 bits."""
    axes, shape, dtype = series
    color = axes == "YXS" and shape[2] in (3, 4) and dtype == np.uint8
    return axes == "YX" or (color and channels is None)


def _tiff_series(data: bytes, file: str) -> tuple[str, tuple[int, ...], Any]:
    """Axes, shape and type of a TIFF's first picture."""

    def facts(tiff):
        first = tiff.series[0]
        return first.axes, first.shape, first.dtype

    return _tiff(data, file, facts)


def _tiff(data: bytes, file: str, look: Callable) -> Any:
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as tiff:
            return look(tiff)
    except Exception as error:  # tifffile has many words for a file that is damaged
        raise Mistake(f"{shown(file)} is cut short or damaged ({error}).") from None


def _three_of(pixels: np.ndarray, channels, file: str) -> np.ndarray:
    count = pixels.shape[2]
    if channels is None and count == 3:
        return pixels
    if channels is None:
        raise Mistake(
            f"{shown(file)} has {count} channels; the networks look at three. Say"
            f" which: data.channels=(0,1,2), of 0 to {count - 1}."
        )
    if len(channels) != 3 or not all(0 <= c < count for c in channels):
        raise Mistake(
            f"data.channels is {tuple(channels)}; it must be three of 0 to"
            f" {count - 1}, the channels of {shown(file)}."
        )
    return pixels[..., list(channels)]


def _pack(color: np.ndarray) -> np.ndarray:
    """[...,3] -> 0xRRGGBB"""
    return (color[..., 0] << 16) | (color[..., 1] << 8) | color[..., 2]


def _whole_numbers(values: np.ndarray, file: str) -> np.ndarray:
    """Floats that are ids, or shares of 0 to 1 as grey levels. i32[h,w]"""
    values = np.nan_to_num(values)
    if (values == values.round()).all():
        return values.astype(np.int32)
    if values.min() >= 0 and values.max() <= 1:
        return (values * 255).round().astype(np.int32)
    raise Mistake(
        f"{shown(file)} holds numbers such as {values.max():.4g}, which are no classes;"
        " a mask holds whole numbers, or shares from 0 to 1."
    )
