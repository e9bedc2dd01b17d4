"""Data sets, one file each, and the way their rows become fixed-size arrays."""

import inspect
import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from segjax.base import VOID, Info, Mistake, Rows, check_choice, check_range, find
from segjax.data._fit import FITS, fit_to_size
from segjax.data._folds import SPLITS
from segjax.data._order import indices, make_batch

__all__ = [
    "SPLITS",
    "Split",
    "fit_to_size",
    "indices",
    "load_split",
    "make_batch",
    "make_info",
    "open_split",
]


class Split(NamedTuple):
    """A split's pictures, decoded and of one size: ready to be a device's store."""

    arrays: dict[str, np.ndarray]  # word -> [n, ...]
    names: tuple[str, ...]
    labels: tuple[str, ...]  # '' where the data set has none

    def __len__(self) -> int:
        return len(self.names)


def make_info(name: str, **config) -> Info:
    """What the data set says of itself."""
    return find("data", name).make_info(**config)


def open_split(
    name: str, split: str, *, dir: str | None = None, fit: str = "stretch", **config
) -> Rows:
    """A split's examples by index, at their own size.

    dir: where a data set's files lie; fit: for load_split, not for this.
    """
    module = find("data", name)
    reads_files = "dir" in inspect.signature(module.open_split).parameters
    if dir is None:
        if reads_files:
            raise Mistake(f"Data {name!r} is read from a folder; set data.dir.")
        return module.open_split(split, **config)
    if not reads_files:
        raise Mistake(f"Data {name!r} is drawn, not read; leave data.dir unset.")
    if not os.path.isdir(dir):
        raise Mistake(f"data.dir is {dir!r}, which is not a folder.")
    return module.open_split(split, dir=dir, **config)


def load_split(
    name: str,
    split: str,
    *,
    size: int,
    fit: str = "stretch",
    **config,
) -> Split:
    """A split's examples, drawn or decoded in threads and fitted to size x size."""
    check_fit(size, fit)
    rows = open_split(name, split, size=size, **config)
    if len(rows) == 0:
        raise Mistake(f"The {split} split of data {name!r} holds no picture.")
    found = stack_rows(rows, size, len(make_info(name, **config).classes))
    masks = found.arrays.get("semantic")
    if masks is not None and set(np.unique(masks)) == {0, VOID}:
        raise Mistake(
            f"The {split} masks of data {name!r} hold 0 and {VOID} alone, and {VOID} is"
            " a pixel that does not count; write the foreground as 1."
        )
    return found


def check_fit(size: int = 0, fit: str = "stretch", **config) -> None:
    """A Mistake when no example can be brought to this size in this way."""
    check_range("data.size", size, 1, 16384)
    check_choice("data.fit", fit, FITS)


def stack_rows(rows: Rows, size: int, classes: int) -> Split:
    """All rows, checked, fitted and stacked, by as many threads as there are cores."""

    def fitted(index):
        example = rows[index]
        _check_labels(example, classes)
        named = example["name"], example.get("label", "")
        return fit_to_size(example, size), *named

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        arrays, names, labels = zip(*threads.map(fitted, range(len(rows))))
    stacked = {w: np.stack([a[w] for a in arrays]) for w in arrays[0]}
    return Split(stacked, names, labels)


def _check_labels(example: dict, classes: int) -> None:
    """A Mistake for a mask whose values are not class ids, or of another size."""
    mask, image = example.get("semantic"), example["image"]
    if mask is None:
        return
    if mask.shape != image.shape[:2]:
        raise Mistake(
            f"The mask of {example['name']} is {list(mask.shape)}, its picture"
            f" {list(image.shape)}; a mask is one number a pixel."
        )
    others = set(np.unique(mask).tolist()) - {*range(classes), VOID}
    if others:
        raise Mistake(
            f"The mask of {example['name']} holds {sorted(others)[:5]}; a mask holds"
            f" class ids, 0 to {classes - 1}, and {VOID} where a pixel does not count."
        )
