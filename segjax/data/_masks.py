"""The classes of a data set: how much of its masks is of each, and what looks wrong.

pixels: of each picture and class, i64[n,c]."""

from collections.abc import Iterable, Sequence

import numpy as np

from segjax.base import Info
from segjax.data._intake import listed

_RARE = 0.005  # share of pixels below which a class is called rare


def pixels_of(masks: Iterable[np.ndarray]) -> np.ndarray:
    """Pixels of each value; one mask at a time, as counting widens it. u8[n,h,w]"""
    counts = np.zeros(256, np.int64)
    for mask in masks:
        counts += np.bincount(mask.ravel(), minlength=256)
    return counts


def facts_of_masks(pixels: np.ndarray, void: int, info: Info) -> list[str]:
    """How much each class has, and how many pixels, `void`, do not count."""
    facts, total = [], pixels.sum()
    for k, name in enumerate(info.classes):
        share, held = pixels[:, k].sum() / max(1, total), int((pixels[:, k] > 0).sum())
        facts.append(f"{name}: {share:.2%} of the pixels, in {held} pictures")
    if void and total:
        facts.append(f"does not count: {void / (void + total):.2%} of the pixels")
    return facts


def findings_on_masks(
    splits: Sequence[str], pixels: np.ndarray, info: Info
) -> list[str]:
    """By what a training, or its score, would be wrong. splits: of each picture."""
    of = np.array(splits)
    counts = {split: pixels[of == split].sum(0) for split in dict.fromkeys(splits)}
    told = missing_classes(counts, info)
    if (pixels.sum(0) > 0).sum() < 2:
        only = "All masks together hold one class; there is nothing to learn."
        return [only, *told]
    return told


def notes_on_masks(
    names: Sequence[str], pixels: np.ndarray, info: Info, objects: bool
) -> list[str]:
    """What may be wrong with them. objects: whether pictures without any are told
    anyway."""
    kinds = {"nothing that counts": pixels.sum(1) == 0}
    if not objects:
        empty = (pixels[:, 1:].sum(1) == 0) & (pixels.sum(1) > 0)
        kinds["background alone"] = empty
    if len(info.classes) == 2:
        kinds["foreground alone"] = (pixels[:, 0] == 0) & (pixels.sum(1) > 0)
    notes = []
    for what, where in kinds.items():
        some = [name for name, is_so in zip(names, where) if is_so]
        if some:
            notes.append(f"Masks of {what}: {len(some)}, {listed(some)}.")
    total = pixels.sum(0)
    share = total / max(1, total.sum())
    is_rare = (share < _RARE) & (total > 0)
    rare = [f"{info.classes[k]} {share[k]:.2%}" for k in np.flatnonzero(is_rare)]
    if rare:
        notes.append(
            f"Rare classes: {', '.join(rare)} of the pixels. A network may never call"
            " them; task.dice=1 or task.class_weights=median_frequency helps."
        )
    return notes


def missing_classes(counts: dict[str, np.ndarray], info: Info) -> list[str]:
    """Sentences on classes that are tested and never learnt, or never there at all.
    counts: of each split the pixels of each class."""
    told = []
    for k, name in enumerate(info.classes):
        held = {split for split, count in counts.items() if count[k] > 0}
        if not held:
            told.append(f"No mask holds class {name!r}.")
        elif "train" in counts and "train" not in held:
            told.append(
                f"Class {name!r} is in {' and '.join(sorted(held))}, and in no picture"
                " of train; it cannot be learnt."
            )
    return told
