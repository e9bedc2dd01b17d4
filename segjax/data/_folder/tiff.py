"""TIFFs, which hold more kinds of pictures and masks than Pillow has words for."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np

from segjax.base import Mistake
from segjax.data._intake import shown

TURNED = 0x0112  # EXIF's word for how the camera was held
_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def is_tiff(data: bytes) -> bool:
    """Whether the bytes begin as a TIFF does."""
    return data[:4] in _MAGIC


def series_of(data: bytes, file: str) -> tuple[str, tuple[int, ...], Any]:
    """Axes, shape and type of a TIFF's first picture."""

    def facts(tiff):
        first = tiff.series[0]
        return first.axes, first.shape, first.dtype

    return look_into(data, file, facts)


def mask_numbers(data: bytes, file: str) -> np.ndarray | None:
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
            or (TURNED in page.tags and page.tags[TURNED].value != 1)
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

    return look_into(data, file, numbers)


def look_into(data: bytes, file: str, look: Callable) -> Any:
    """look(the open TIFF), or a Mistake where it is damaged."""
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as tiff:
            return look(tiff)
    except Mistake:
        raise
    except Exception as error:  # tifffile has many words for a file that is damaged
        raise Mistake(f"{shown(file)} is cut short or damaged ({error}).") from None
