"""Your own pictures: a folder of pictures and masks, without writing code.

images/ and masks/, or train/ val/ test/ with such folders or trainannot/ twins, or one
folder of pictures and *_mask files, or a table of pairs. What the masks' values mean is
found, or said: data.classes, data.values, data.void, data.threshold. With data.objects
they number the objects of one class, or are a file for each.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from segjax.base import Info, Mistake
from segjax.data._folder.coding import Coding, apply_coding, number_of
from segjax.data._folder.find_pairs import find_pairs
from segjax.data._folder.join_objects import read_masks
from segjax.data._folder.numbered import create_instance, semantic_of
from segjax.data._folder.pairs import Pair
from segjax.data._folder.read_mask import Mask
from segjax.data._folder.read_picture import read_picture
from segjax.data._folder.rows import PictureRows, digest
from segjax.data._folder.splits import deal_splits
from segjax.data._folder.survey import (
    Survey,
    check_size,
    check_sound,
    known_coding,
    survey,
)
from segjax.data._folds import FOLDS
from segjax.data._records.scan import in_threads

_WHERE = ("dir", "images", "masks", "table", "objects")  # options that say which files
_CODED = ("classes", "values", "void", "threshold", "palette")  # what masks mean
_DEALT = ("fold", "folds", "group", "stratify")  # and how they are dealt out


class Rows(PictureRows):
    """Examples of a folder by index, each read when it is asked for."""

    def __init__(
        self,
        root: Path,
        pairs: Sequence[Pair],
        coding: Coding,
        label: str,
        group: str | None,
        reading: dict[str, Any],
    ):
        super().__init__(root, pairs, label, group)
        self._coding, self._reading = coding, reading
        content = list(in_threads(self._content, pairs))
        content += ["objects"] if coding.objects else []
        self.fingerprint = digest(content)  # the same wherever the folder lies
        self.cache_key = digest([content, coding, sorted(reading.items())])

    def __getitem__(self, row: int) -> dict[str, Any]:
        pair = self._pairs[row]
        mask = read_masks(self._files, pair)
        data, shape = self._files.read(pair.image), mask.values.shape
        image = read_picture(data, pair.image, **self._reading, mask_shape=shape)
        labels = self._labels(mask, image, pair)
        return {"image": image, **labels, **self._said_of(pair)}

    def _labels(self, mask: Mask, image: np.ndarray, pair: Pair) -> dict[str, Any]:
        """What the mask says of each pixel of the picture."""
        if not self._coding.objects:
            ids = apply_coding(self._coding, mask, pair.mask)
            return {"semantic": _brought_to(image, ids, pair)}
        numbers = _brought_to(image, mask.values, pair)
        laid = mask._replace(values=numbers)
        instance = create_instance(self._coding, laid, pair.mask)
        return {"semantic": semantic_of(instance), "instance": instance}

    def _content(self, pair: Pair) -> tuple:
        """What tells a picture and its masks from others: all of their bytes."""
        return self._content_of(pair, (pair.image, *pair.mask_files))


def make_info(**config) -> Info:
    """The classes that are named, or found in the folder."""
    coding = known_coding(config) or _sound(config).coding
    colors = tuple(_rgb(number_of(v)) for v in coding.values if isinstance(v, str))
    return Info(
        classes=coding.classes,
        things=coding.classes[1:] if coding.objects else (),
        colors=colors if len(colors) == len(coding.classes) else (),
        provides=("image", "semantic", *(("instance",) if coding.objects else ())),
    )


def settle(**config) -> tuple[dict[str, Any], list[str]]:
    """What had to be found, as options, and what is to be said of it."""
    found = _sound(config)
    how = {"fold": None, "folds": FOLDS, "group": None, "stratify": None}
    dealt = deal_splits(found.pairs, **how | _of(config, _DEALT))
    return as_options(found), [*found.told, dealt.told]


def as_options(found: Survey) -> dict[str, Any]:
    """What was found, as options that make it known."""
    coding = found.coding._asdict().items()
    options = {k: v for k, v in coding if v not in (None, ())}
    return options | ({} if found.white is None else {"white": found.white})


def open_split(
    split: str,
    *,
    dir: str,
    fold: int | None = None,
    folds: int = FOLDS,
    images: str | None = None,
    masks: str | None = None,
    table: str | None = None,
    group: str | None = None,
    stratify: str | None = None,
    classes: tuple[str, ...] | None = None,
    values: tuple[int | str, ...] | None = None,
    void: tuple[int | str, ...] | int | str | None = None,
    threshold: float | None = None,
    palette: str | None = None,
    objects: bool | None = None,
    channels: tuple[int, ...] | None = None,
    white: float | None = None,
) -> Rows:
    """Rows of "train", "val" or "test" of the folder.

    images, masks: the folders of each, where their names do not tell; table: a csv with
    the columns image, and mask, split or others; group: a column no value of which may
    be in two folds; stratify: one to be spread evenly; classes: names, of values: the
    numbers or '#rrggbb' that mean them; void: those that do not count; threshold: above
    it is foreground; palette: index or color; objects: masks tell the objects of one
    class apart, by values, by colours or by a file for each; channels: the three to
    take; white: the value that is white in pictures of more than 8 bits.
    """
    config = {k: v for k, v in locals().items() if v is not None}
    pairs = find_pairs(**_of(config, _WHERE)).pairs
    dealt = deal_splits(pairs, fold, folds, group, stratify)
    return _rows([pairs[i] for i in dealt.splits[split]], config)


def open_all(**config) -> Rows:
    """The pictures of all splits together, or of none."""
    return _rows(find_pairs(**_of(config, _WHERE)).pairs, config)


def _rows(pairs: list[Pair], config: dict[str, Any]) -> Rows:
    coding, white = known_coding(config), config.get("white")
    if coding is None:
        found = _sound(config)
        coding, white = found.coding, found.white
    reading = {"white": white, "channels": config.get("channels")}
    label = config.get("stratify") or "label"
    group = config.get("group")
    return Rows(Path(config["dir"]), pairs, coding, label.lower(), group, reading)


def look_through(**config) -> Survey:
    """What the folder holds, sound or not."""
    return survey(**_of(config, (*_WHERE, *_CODED, "channels", "white")))


def _sound(config: dict[str, Any]) -> Survey:
    """What the folder holds, or a Mistake."""
    if not Path(config.get("dir") or "").is_dir() or not config.get("dir"):
        raise Mistake(
            f"data.dir is {config.get('dir')!r}, which is not a folder; say which:"
            " --config.data.dir=FOLDER."
        )
    found = look_through(**config)
    check_sound(found.problems)
    return found


def _of(config: dict[str, Any], options: Sequence[str]) -> dict[str, Any]:
    return {k: v for k, v in config.items() if k in options}


def _brought_to(image: np.ndarray, ids: np.ndarray, pair: Pair) -> np.ndarray:
    """The mask at its picture's size, if it has its proportions. u8|i32[h,w]"""
    (h, w) = image.shape[:2]
    if ids.shape == (h, w):
        return ids
    check_size(pair, ids.shape, [(h, w)])
    resized = Image.fromarray(ids).resize((w, h), Image.Resampling.NEAREST)
    return np.asarray(resized)


def _rgb(number: int) -> tuple[int, int, int]:
    return number >> 16, number >> 8 & 255, number & 255
