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
_NOISE = 24  # that lossy files put between the channels of a grey picture
_ALPHA = ("LA", "PA", "La", "RGBA", "RGBa")


class Mask(NamedTuple):
    """A mask's values before they mean anything: i32[h,w], one number a pixel.

    colored: the numbers are 0xRRGGBB; palette: the colour of each number, where the
    file has one; lossy: saved as JPEG.
    """

    values: np.ndarray
    colored: bool = False
    palette: tuple[int, ...] = ()
    lossy: bool = False


class Header(NamedTuple):
    """What a picture is, before it is decoded."""

    file: str
    kind: str  # in words
    size: tuple[int, ...]  # height, width, as they lie in the file
    deep: bool = False  # more than 8 bits a channel
    turned: bool = False  # by its EXIF
    alpha: bool = False  # with a channel of transparency


def look_inside(data: bytes, file: str) -> Header:
    """A picture's header; or a Mistake where there is no picture."""
    series = _tiff_series(data, file) if data[:4] in _TIFF else None
    if series is not None and not _is_pillows(series, None):
        axes, shape, dtype = series
        size = tuple(shape[axes.index(a)] for a in "YX" if a in axes)
        if len(size) != 2:
            raise Mistake(f"{shown(file)} is cut short or damaged: it has no picture.")
        return Header(file, f"{dtype} {axes} TIFF", size, dtype != np.uint8)
    image = decode(data, file, _FORMATS, whole=False)
    deep, kind = image.mode.startswith(("I", "F")), image.mode
    if data[:4] == b"\x89PNG" and data[24] == 16 and not deep:
        kind += " of 16 bits, of which 8 are read"
    alpha = image.mode in _ALPHA
    return Header(file, kind, image.size[::-1], deep, _is_turned(image), alpha)


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
    if data[:4] in _TIFF:
        pixels = _planes(data, file, channels)
        if pixels is not None:
            return pixels
    image = decode(data, file, _FORMATS)
    if image.mode == "RGBA" and channels is not None:
        return _three_of(np.asarray(image), channels, file)
    turned = ImageOps.exif_transpose(image)
    if mask_shape is not None and not in_proportion(turned.size[::-1], mask_shape):
        turned = image if in_proportion(image.size[::-1], mask_shape) else turned
    return _pixels(turned)


def _is_turned(image: Image.Image) -> bool:
    try:
        return image.getexif().get(_TURNED, 1) != 1
    except Exception:  # a file cut short; reading it will tell
        return False


def in_proportion(size: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether one can be laid over the other by scaling."""
    (h, w), (b, a) = size[:2], other[:2]
    return abs(h * a - w * b) <= 0.03 * h * a


def read_mask(data: bytes, file: str) -> Mask:
    """A mask's values: grey levels, palette indices, colours, or what its transparency
    says where nothing else differs."""
    if data[:4] in _TIFF:
        values = _tiff_values(data, file)
        if values is not None:
            return Mask(_whole_numbers(values, file))
    image = decode(data, file, _FORMATS)
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
    if image.mode in _ALPHA and (color == color[0, 0]).all():
        alpha = np.asarray(image.getchannel("A"), np.int32)
        if alpha.min() < 255:  # a mask that is opaque throughout is told by its colour
            return Mask(alpha)
    return Mask(_pack(color) if colored else values, colored, lossy=lossy)


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
    if axes == "YX":
        return _tiff(data, file, lambda tiff: tiff.series[0].asarray())
    if len(shape) != 3 or not {"Y", "X"} <= set(axes):
        raise Mistake(
            f"{shown(file)} is {' x '.join(map(str, shape))} values ({axes}); a picture"
            " is height x width, and its channels."
        )
    pixels = _tiff(data, file, lambda tiff: tiff.series[0].asarray())
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


def _tiff_values(data: bytes, file: str) -> np.ndarray | None:
    """A TIFF mask's numbers as they were written: also of truth values, which Pillow
    turns round, and of many bits. None where Pillow knows better: colours, palettes,
    compressions."""

    def numbers(tiff):
        first, page = tiff.series[0], tiff.pages[0]
        of_palette, of_jpeg = 3, (6, 7)
        if (
            "S" in first.axes
            or page.photometric == of_palette
            or page.compression in of_jpeg
            or (_TURNED in page.tags and page.tags[_TURNED].value != 1)
        ):
            return None
        if sum(length > 1 for length in first.shape) > 2:
            raise Mistake(
                f"{shown(file)} is {' x '.join(map(str, first.shape))} values"
                f" ({first.axes}); a mask is one plane, height x width."
            )
        try:
            values = first.asarray()
            return values.reshape(page.imagelength, page.imagewidth)
        except ValueError:  # a compression that needs another package
            return None

    return _tiff(data, file, numbers)


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
    except Mistake:
        raise
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
