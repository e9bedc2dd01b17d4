"""The objects of a data set: how many, how large, and which look wrong."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from segjax.data._intake import listed

_FEW = 10  # pixels; of fewer, an object is a speck


class Objects(NamedTuple):
    """The objects of one picture."""

    name: str
    pixels: np.ndarray  # of each object i64[n]
    apart: int  # how many are in pieces far apart


def look_at_objects(name: str, instance: np.ndarray) -> Objects:
    """instance: i32[h,w]"""
    y, x = np.nonzero(instance > 0)
    owner = instance[y, x]
    pixels = np.bincount(owner)[1:]
    apart = _is_gapped(owner, y) | _is_gapped(owner, x)
    return Objects(name, pixels[pixels > 0], int(apart.sum()))


def facts_of_objects(objects: Sequence[Objects]) -> list[str]:
    """How many there are, and how large."""
    counts = [len(one.pixels) for one in objects]
    sizes = np.concatenate([one.pixels for one in objects])
    if not len(sizes):
        return ["objects: none"]
    return [
        f"objects: {len(sizes):,}, {min(counts)} to {max(counts)} a picture,"
        f" {np.median(counts):g} in the middle",
        f"sizes of objects: {sizes.min():,} to {sizes.max():,} pixels,"
        f" {np.median(sizes):,g} in the middle",
    ]


def notes_on_objects(objects: Sequence[Objects]) -> list[str]:
    """What may be wrong with them, in sentences."""
    told = []
    few = {one.name: int((one.pixels < _FEW).sum()) for one in objects}
    if any(few.values()):
        told.append(
            f"Objects of fewer than {_FEW} pixels: {sum(few.values()):,}, in"
            f" {_listed(few)}. If they are specks or blurred edges, clean the masks; a"
            " network finds nothing as small."
        )
    apart = {one.name: one.apart for one in objects}
    if any(apart.values()):
        told.append(
            f"Objects in pieces far apart: {sum(apart.values()):,}, in"
            f" {_listed(apart)}. If a piece is an object of its own, give it a number"
            " of its own."
        )
    empty = {one.name: int(not len(one.pixels)) for one in objects}
    if any(empty.values()):
        told.append(
            f"Pictures without any object: {sum(empty.values())}, {_listed(empty)}."
        )
    return told


def _is_gapped(owner: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Whether the rows (or columns) of an object leave some out in between, more than
    half of all that it spans. Cheaper than connected pieces, and blind to the small
    gaps of what stands in front of an object. i32[n], i64[n] -> bool[ids]"""
    if not len(owner):
        return np.zeros(0, bool)
    span = int(place.max()) + 1
    held = np.unique(owner.astype(np.int64) * span + place)
    owners, places = np.divmod(held, span)
    count = int(owner.max()) + 1
    gaps = np.where(np.diff(owners) == 0, np.diff(places) - 1, 0)
    largest = np.zeros(count, np.int64)
    np.maximum.at(largest, owners[1:], gaps)
    first, last = np.full(count, span), np.zeros(count, np.int64)
    np.minimum.at(first, owners, places)
    np.maximum.at(last, owners, places)
    return (largest > 0) & (2 * largest > last - first + 1)  # an id may be of none


def _listed(held: dict[str, int]) -> str:
    return listed([name for name, count in held.items() if count])
