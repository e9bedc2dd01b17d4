"""An example brought to the fixed size that a compiled step needs."""

from typing import Any

import numpy as np
from PIL import Image

FITS = ("stretch",)


def fit_to_size(example: dict[str, Any], size: int) -> dict[str, np.ndarray]:
    """Picture and mask stretched to size x size; other words are left out.

    The picture is averaged down (area filter), so fine hair does not alias; labels
    take their nearest pixel, so no class is invented.
    """
    fitted = {"image": _resize(example["image"], size, Image.Resampling.BOX)}
    if "semantic" in example:
        fitted["semantic"] = _resize(
            example["semantic"], size, Image.Resampling.NEAREST
        )
    return fitted


def _resize(array: np.ndarray, size: int, how: Image.Resampling) -> np.ndarray:
    if array.shape[:2] == (size, size):
        return array
    enlarges = min(array.shape[:2]) < size
    if how is Image.Resampling.BOX and enlarges:
        how = Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(array).resize((size, size), how))
