"""What the values of masks mean, and masks turned into class ids by it.

A value is a number (a grey level, an index) or a colour, written '#rrggbb'. Either a
threshold parts background from foreground, or each value stands for a class.
"""

import collections
import re
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from segjax.base import VOID, Mistake
from segjax.data._folder.read_mask import Mask
from segjax.data._intake import listed, shown

Value = int | str
GREY = 0x010101  # a grey level times this is its colour
EDGES = 0.1  # largest share of pixels that may be between two classes' values


class Coding(NamedTuple):
    """The classes, and the values that mean them."""

    classes: tuple[str, ...]
    values: tuple[Value, ...] = ()  # of each class, where no threshold is
    void: tuple[Value, ...] = ()  # values of pixels that do not count
    threshold: float | None = None  # above it is class 1, up to it class 0
    palette: str = "index"  # what counts of a palette file: index or color
    objects: bool | None = None  # each value but 0 is an object of class 1


def apply_coding(coding: Coding, mask: Mask, file: str) -> np.ndarray:
    """Class ids, 255 where a pixel does not count. u8[h,w]

    Values of no class are the blurred edges of saved pictures where they are few, and
    do not count; where they are many, the mask is a Mistake.
    """
    colored = any(isinstance(v, str) for v in (*coding.values, *coding.void))
    numbers = mask.values
    if mask.palette and coding.palette == "color":
        numbers = np.array(mask.palette, np.int32)[numbers]
        is_colored = bool((numbers % GREY).any())
        numbers = numbers if colored or is_colored else numbers & 255
    elif colored and not mask.colored:
        numbers = numbers * GREY
    elif mask.colored and not colored:
        raise Mistake(
            f"{shown(file)} is a mask in colours; the others hold numbers. Save it as"
            " they are saved."
        )
    void = np.isin(numbers, [number_of(v) for v in coding.void])
    if coding.threshold is not None:
        ids = (numbers > coding.threshold).astype(np.uint8)
        return np.where(void, np.uint8(VOID), ids)
    known = np.array([number_of(v) for v in coding.values])
    order = np.argsort(known, kind="stable")
    place = np.searchsorted(known[order], numbers).clip(0, len(known) - 1)
    ids = order[place].astype(np.uint8)
    strange = (known[order][place] != numbers) & ~void
    if strange.mean() > EDGES:
        there = collections.Counter(numbers[strange].tolist())
        what = named([value_of(n, colored) for n, _ in there.most_common(5)])
        raise Mistake(
            f"{shown(file)} holds {what}, which stand for no class, in"
            f" {strange.mean():.0%} of its pixels. Classes are"
            f" {named(coding.values)}; add the others to data.values, or to data.void."
        )
    ids[strange | void] = VOID
    return ids


def number_of(value: Value) -> int:
    """A value as the number that an array of masks holds."""
    if not isinstance(value, str):
        return value
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        raise Mistake(
            f"{value!r} is no value of a mask; write a number, or a colour such as"
            " '#ff8000'."
        )
    return int(value[1:], 16)


def value_of(number: int, colored: bool) -> Value:
    return f"#{number:06x}" if colored else number


def named(values: Iterable[Value], most: int = 8) -> str:
    return listed([str(v) for v in values], most)
