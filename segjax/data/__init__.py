"""Data sets, one file each, and the way their rows become fixed-size arrays."""

import inspect
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from segjax.base import Info, Mistake, Rows, check_choice, check_range, find
from segjax.data._fit import FITS, fit_to_size
from segjax.data._folds import SPLITS
from segjax.data._order import indices

__all__ = [
    "SPLITS",
    "Split",
    "fit_to_size",
    "indices",
    "load_split",
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
    if dir is not None:
        if "dir" not in inspect.signature(module.open_split).parameters:
            raise Mistake(f"Data {name!r} is drawn, not read; leave data.dir unset.")
        config["dir"] = dir
    return module.open_split(split, **config)


def load_split(
    name: str,
    split: str,
    *,
    size: int,
    fit: str = "stretch",
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    **config,
) -> Split:
    """A split's examples, drawn or decoded in threads and fitted to size x size."""
    check_fit(size, fit)
    rows = open_split(name, split, size=size, **config)
    if len(rows) == 0:
        raise Mistake(f"The {split} split of data {name!r} holds no picture.")
    return stack_rows(rows, size, on_progress)


def check_fit(size: int = 0, fit: str = "stretch", **config) -> None:
    """A Mistake when no example can be brought to this size in this way."""
    check_range("data.size", size, 1)
    check_choice("data.fit", fit, FITS)


def stack_rows(rows: Rows, size: int, on_progress=lambda done, total: None) -> Split:
    """All rows, fitted and stacked."""
    examples = []
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for example in threads.map(lambda i: _fitted(rows[i], size), range(len(rows))):
            examples.append(example)
            on_progress(len(examples), len(rows))
    words = examples[0][0]
    arrays = {w: np.stack([fitted[w] for fitted, _, _ in examples]) for w in words}
    return Split(
        arrays,
        tuple(name for _, name, _ in examples),
        tuple(label for _, _, label in examples),
    )


def _fitted(example, size):
    return fit_to_size(example, size), example["name"], example.get("label", "")
