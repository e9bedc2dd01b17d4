"""Masks whose values number objects, turned into ids of objects."""

import numpy as np

from segjax.base import VOID, Mistake
from segjax.data._folder.coding import Coding, Value, named, number_of
from segjax.data._folder.read_mask import Mask
from segjax.data._folder.seen import numbers_of
from segjax.data._intake import shown

_MOST_OBJECTS = 65535  # of one picture


def create_instance(coding: Coding, mask: Mask, file: str) -> np.ndarray:
    """Ids of objects, 1 to N in the order of their values; 0 is none, -1 does not
    count. i32[h,w]"""
    numbers, colored = numbers_of(mask, mask.values, coding.palette)
    values = np.unique(numbers)
    void = void_numbers(coding.void, colored)
    objects = object_numbers(values, void, file)
    ids = np.zeros(len(values), np.int32)
    ids[np.isin(values, void)] = -1
    ids[np.searchsorted(values, objects)] = np.arange(1, len(objects) + 1)
    return ids[np.searchsorted(values, numbers)]


def semantic_of(instance: np.ndarray) -> np.ndarray:
    """Class ids: 1 where an object is, 255 where a pixel does not count.
    i32[h,w] -> u8[h,w]"""
    semantic = (instance > 0).astype(np.uint8)
    semantic[instance < 0] = VOID
    return semantic


def object_numbers(values: np.ndarray, void: list[int], file: str) -> np.ndarray:
    """Those of a mask's values that number objects."""
    objects = values[(values != 0) & ~np.isin(values, void)]
    if len(objects) > _MOST_OBJECTS:
        raise Mistake(
            f"{shown(file)} numbers {len(objects):,} objects, more than the"
            f" {_MOST_OBJECTS:,} that a picture may have. Is it a mask? If so, cut the"
            " picture into smaller ones."
        )
    if len(objects) and objects.min() < 0:
        below = named(objects[objects < 0].tolist())
        raise Mistake(
            f"{shown(file)} holds {below}, and objects are numbered from 1. If such"
            " pixels do not count, name the value in data.void."
        )
    return objects


def void_numbers(void: tuple[Value, ...], colored: bool) -> list[int]:
    """What does not count, as a mask holds it: '#ffffff' is 255 in a mask of greys."""
    numbers = []
    for value in void:
        number = number_of(value)
        if isinstance(value, str) and not colored:
            red, green, blue = number.to_bytes(3)
            numbers += [red] if red == green == blue else []
        else:
            numbers.append(number)
    return numbers


def check_lossless(lossy: bool, file: str) -> None:
    """A Mistake for a mask saved as JPEG."""
    if lossy:
        raise Mistake(
            f"{shown(file)} is saved as JPEG, which blurs what tells objects apart;"
            " save masks as PNG."
        )
