"""A user's pictures, whatever kind of file they are, as plain arrays."""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from segjax.base import Mistake
from segjax.data._folder.read_mask import ALPHA, FORMATS
from segjax.data._folder.tiff import TURNED, is_tiff, look_into, series_of
from segjax.data._intake import MOST_PIXELS, decode, shown

_QUARTERS = (5, 6, 7, 8)  # EXIF's numbers of pictures that lie on their side


class Header(NamedTuple):
    """What a picture is, before it is decoded."""

    file: str
    kind: str  # in words
    size: tuple[int, ...]  # height, width, as they lie in the file
    deep: bool = False  # more than 8 bits a channel
    turned: bool = False  # by its EXIF
    alpha: bool = False  # with a channel of transparency
    quarter: bool = False  # turned by a quarter, or three

    @property
    def shown_size(self) -> tuple[int, ...]:
        """Height and width as a viewer shows it."""
        return self.size[::-1] if self.quarter else self.size


def look_inside(data: bytes, file: str) -> Header:
    """A picture's header; or a Mistake where there is no picture."""
    series = series_of(data, file) if is_tiff(data) else None
    if series is not None and not _is_pillows(series, None):
        axes, shape, dtype = series
        size = tuple(shape[axes.index(a)] for a in "YX" if a in axes)
        if len(size) != 2:
            raise Mistake(f"{shown(file)} is cut short or damaged: it has no picture.")
        return Header(file, f"{dtype} {axes} TIFF", size, dtype != np.uint8)
    image = decode(data, file, FORMATS, whole=False)
    deep, kind = image.mode.startswith(("I", "F")), image.mode
    if data[:4] == b"\x89PNG" and data[24] == 16 and not deep:
        kind += " of 16 bits, of which 8 are read"
    alpha = image.mode in ALPHA
    turn, size = _turn_of(image), image.size[::-1]
    return Header(file, kind, size, deep, turn != 1, alpha, turn in _QUARTERS)


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
                f"{shown(file)} has more than 8 bits a channel;"
                " --config.data.white=VALUE must say which value is white."
            )
        if pixels.min() < 0:
            raise Mistake(
                f"{shown(file)} holds values below 0, such as {pixels.min():g}; write"
                " pictures so that 0 is black."
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
    if is_tiff(data):
        pixels = _planes(data, file, channels)
        if pixels is not None:
            return pixels
    image = decode(data, file, FORMATS)
    if image.mode == "RGBA" and channels is not None:
        return _three_of(np.asarray(image), channels, file)
    turned = ImageOps.exif_transpose(image)
    if mask_shape is not None and not in_proportion(turned.size[::-1], mask_shape):
        turned = image if in_proportion(image.size[::-1], mask_shape) else turned
    return _pixels(turned)


def _turn_of(image: Image.Image) -> int:
    """EXIF's number of how the camera was held; 1 for upright."""
    try:
        return image.getexif().get(TURNED, 1)
    except Exception:  # a file cut short; reading it will tell
        return 1


def in_proportion(size: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether one can be laid over the other by scaling."""
    (h, w), (b, a) = size[:2], other[:2]
    return abs(h * a - w * b) <= 0.03 * h * a


def _pixels(image: Image.Image) -> np.ndarray:
    """Grey or RGB, transparency over white. u8|u16|i32|f32[h,w] | u8[h,w,3]"""
    if image.mode.startswith(("I", "F")):
        return np.asarray(image)
    if image.mode == "L":
        return np.asarray(image)
    if image.mode in ALPHA or "transparency" in image.info:
        over = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return np.asarray(Image.alpha_composite(white, over).convert("RGB"))
    return np.asarray(image.convert("RGB"))


def _planes(data: bytes, file: str, channels) -> np.ndarray | None:
    """Three channels of a TIFF that Pillow has no words for. None for the others."""
    series = series_of(data, file)
    if _is_pillows(series, channels):
        return None
    axes, shape, _ = series
    if int(np.prod(shape, dtype=np.int64)) > MOST_PIXELS * 4:
        raise Mistake(
            f"{shown(file)} claims {' x '.join(map(str, shape))} values; it is damaged,"
            " or too large to be read whole."
        )
    if axes == "YX":
        return look_into(data, file, lambda tiff: tiff.series[0].asarray())
    if len(shape) != 3 or not {"Y", "X"} <= set(axes):
        raise Mistake(
            f"{shown(file)} is {' x '.join(map(str, shape))} values ({axes}); a picture"
            " is height x width, and its channels."
        )
    pixels = look_into(data, file, lambda tiff: tiff.series[0].asarray())
    if axes.endswith("YX"):
        if channels is None and axes[0] not in "CS":
            raise Mistake(
                f"{shown(file)} is a stack of {shape[0]} planes. If these are channels,"
                " say which three: data.channels=(0,1,2); else write each as a file."
            )
        pixels = np.moveaxis(pixels, 0, -1)
    return _three_of(pixels, channels, file)


def _is_pillows(series, channels) -> bool:
    """Whether Pillow reads it as it is: grey, or colour of 8 bits."""
    axes, shape, dtype = series
    grey = axes == "YX" and dtype.name in ("bool", "uint8", "uint16", "float32")
    color = axes == "YXS" and shape[2] in (3, 4) and dtype == np.uint8
    return grey or (color and channels is None)


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
