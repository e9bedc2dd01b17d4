"""Data sets, one file each, and the way their rows become fixed-size arrays."""

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from segjax.base import Info, Mistake, Rows, find
from segjax.data._cache import data_root
from segjax.data._examine import Report, examine, quick_check
from segjax.data._fit import Loading, covered, example_shapes, fit_to_size
from segjax.data._folds import FOLDS, SPLITS
from segjax.data._load import fits_devices, load
from segjax.data._order import indices, make_batch
from segjax.data._split import Part, Split, Stream

__all__ = [
    "FOLDS",
    "SPLITS",
    "Loading",
    "Part",
    "Report",
    "Split",
    "Stream",
    "covered",
    "data_root",
    "examine",
    "example_shapes",
    "fit_to_size",
    "fits_devices",
    "indices",
    "load",
    "load_split",
    "make_batch",
    "make_info",
    "open_split",
    "prepare",
    "quick_check",
    "read_picture",
    "reader_of",
    "settle",
]


def prepare(
    name: str,
    source: str,
    *,
    to: str | None = None,
    again: bool = False,
    skip_broken: bool = False,
    annotations: str | None = None,
    say: Callable[[str], None] = print,
    count: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> int:
    """A data set read from its owner's folder or zip and written as TFDS records.

    to: unset for $SEGJAX_DATA or ~/.cache/segjax; again: even if it is there already;
    skip_broken: without the broken files, whose number is given back; annotations: of
    COCO's files of them, those with this in their name.
    """
    from segjax.data._records.prepare import (
        prepare_data,  # TFDS, which training needs not
    )

    return prepare_data(name, source, to, again, skip_broken, annotations, say, count)


def make_info(name: str, **config) -> Info:
    """What the data set says of itself."""
    return find("data", name).make_info(**config)


def settle(name: str, **config) -> tuple[dict[str, Any], list[str]]:
    """The options that had to be found in the data (stored, so that a resumed run
    agrees, and a finished one needs the data no more), and what is to be said of it."""
    module = find("data", name)
    if not hasattr(module, "settle"):
        return {}, []
    return module.settle(**_with_folder(name, config))


def open_split(name: str, split: str, *, dir: str | None = None, **config) -> Rows:
    """A split's examples by index, at their own size; none is read yet.

    dir: where a data set's files lie. Options of loading count only where pictures are
    drawn, which is at the size that they are wanted in.
    """
    module = find("data", name)
    takes = inspect.signature(module.open_split).parameters
    config = _with_folder(name, config | {"dir": dir})
    what = {k: v for k, v in config.items() if k not in Loading._fields}
    side = Loading.of(config).side
    what |= {"size": side} if "size" in takes and side else {}
    rows = module.open_split(split, **what)
    if len(rows) == 0:
        raise Mistake(f"The {split} split of data {name!r} holds no picture.")
    return rows


def _with_folder(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """The options, with dir as a folder that is there; or a Mistake."""
    takes = inspect.signature(find("data", name).open_split).parameters
    dir = config.get("dir")
    if "dir" not in takes and dir is not None:
        raise Mistake(f"Data {name!r} is drawn, not read; leave data.dir unset.")
    dir = dir and os.path.expanduser(dir)
    if dir is not None and not os.path.isdir(dir):
        raise Mistake(f"data.dir is {dir!r}, which is not a folder.")
    if dir is None and "dir" in takes and takes["dir"].default is inspect._empty:
        raise Mistake(
            f"Data {name!r} is read from a folder: --config.data.dir=FOLDER says which."
        )
    rest = {k: v for k, v in config.items() if k != "dir"}
    return rest | ({} if dir is None else {"dir": dir})


def reader_of(folder: Path, joints: bool = False) -> str:
    """The data set that reads a user's folder: joints, where it holds them and no
    masks, else folder. joints: whether they are wanted, even beside masks."""
    from segjax.data._folder.pairs import is_mask
    from segjax.data._folder.picture_files import picture_files
    from segjax.data._joints.find_people import joint_files

    if not joint_files(folder):
        return "folder"
    has_masks = any(map(is_mask, picture_files(folder)))
    return "folder" if has_masks and not joints else "joints"


def read_picture(path: Path, **config) -> np.ndarray:
    """A picture file's pixels, as a viewer shows it. u8[h,w,3]

    white, channels: of the config, as the pictures of a folder are read.
    """
    from segjax.data._folder import read_picture as reader

    how = {k: config[k] for k in ("white", "channels") if config.get(k) is not None}
    try:
        return reader.read_picture(path.read_bytes(), str(path), **how)
    except OSError as error:
        raise Mistake(f"{path} cannot be read: {error.strerror}.") from None


def load_split(name: str, split: str, **config) -> Split:
    """A split's examples, drawn or decoded in threads, and fitted: a store."""
    loading = Loading.of(config)
    loading.check()
    rows = open_split(name, split, **config)
    found = load(rows, make_info(name, **config), loading, name)
    assert isinstance(found, Split)  # it may be resident
    return found
