"""What a user's masks hold, counted: each value's pixels, and how many of them lie
between two neighbours' values, as those of a blurred edge do."""

import collections
from typing import NamedTuple

import numpy as np

from segjax.data._folder.coding import GREY, Value, value_of
from segjax.data._folder.read_mask import Mask

_OFF_LINE = 12.0  # grey levels that a blurred edge's colour may be off the line of two


class Seen(NamedTuple):
    """The values of one mask."""

    file: str
    numbers: np.ndarray
    pixels: np.ndarray  # of each number
    between: np.ndarray  # of these, how many lie between their neighbours' values
    colored: bool
    palette: tuple[int, ...]
    lossy: bool


class Tally(NamedTuple):
    """The values of all masks, in order: numbers by size; of colours black first, then
    the most frequent."""

    pixels: dict[Value, int]
    soft: frozenset[Value]  # those that are mostly between their neighbours
    per_file: dict[str, tuple[Value, ...]]
    colored: bool


def look_at(mask: Mask, file: str) -> Seen:
    """What one mask holds."""
    numbers, place = np.unique(mask.values.ravel(), return_inverse=True)
    pixels = np.bincount(place)
    between = np.zeros_like(pixels)
    colors = np.array(mask.palette or [0])
    grey = bool(mask.palette) and not (colors[numbers] % GREY).any()
    if len(numbers) > 2 and (grey or not mask.palette):
        values = colors[mask.values] & 255 if grey else mask.values
        soft = _is_between(values, mask.colored).ravel()
        between = np.bincount(place[soft], minlength=len(numbers))
    return Seen(file, numbers, pixels, between, mask.colored, mask.palette, mask.lossy)


def tally(seen: list[Seen], palette: str) -> Tally:
    """All masks together. palette: what counts of palette files, index or color."""
    colored = any(numbers_of(one, one.numbers, palette)[1] for one in seen)
    pixels: dict[Value, int] = collections.Counter()
    between: dict[Value, int] = collections.Counter()
    per_file = {}
    for one in seen:
        numbers, is_color = numbers_of(one, one.numbers, palette)
        scale = GREY if colored and not is_color else 1
        values = [value_of(int(n) * scale, colored) for n in numbers]
        per_file[one.file] = tuple(dict.fromkeys(values))
        for value, count, soft in zip(values, one.pixels, one.between):
            pixels[value] += int(count)
            between[value] += int(soft)
    ordered = dict(sorted(pixels.items(), key=_rank))
    soft_ones = frozenset(v for v in ordered if 2 * between[v] > pixels[v])
    return Tally(ordered, soft_ones, per_file, colored)


def in_color(seen: list[Seen], palette: str) -> list[str]:
    """The files whose masks are in colours."""
    return [one.file for one in seen if numbers_of(one, one.numbers, palette)[1]]


def palette_of(seen: list[Seen]) -> str:
    """Indices are the meaning of a palette file, unless its colours are all grey, or
    the files disagree on what an index looks like: then the colours are."""
    looks: dict[int, set[int]] = collections.defaultdict(set)
    for one in seen:
        for number in one.numbers if one.palette else ():
            looks[int(number)].add(one.palette[number])
    every = {color for colors in looks.values() for color in colors}
    grey = all(color % GREY == 0 for color in every) and len(every) > 1
    disagree = any(len(colors) > 1 for colors in looks.values())
    with_color = any(one.colored for one in seen)
    return "color" if every and (grey or disagree or with_color) else "index"


def numbers_of(
    one: Mask | Seen, numbers: np.ndarray, palette: str
) -> tuple[np.ndarray, bool]:
    """A mask's numbers, a palette's as the colours that they stand for if these count;
    and whether they are colours."""
    if not (one.palette and palette == "color"):
        return numbers, one.colored
    colors = np.array(one.palette, np.int64)[numbers]
    if (colors % GREY).any():
        return colors, True
    return colors & 255, False


def _rank(item: tuple[Value, int]) -> tuple:
    value, pixels = item
    if isinstance(value, str):
        return value != "#000000", -pixels, value
    return (value,)


def _is_between(values: np.ndarray, colored: bool) -> np.ndarray:
    """Where a pixel's value is on the line between those of two pixels to its left and
    right, or above and below, and is neither. i32[h,w] -> bool[h,w]"""
    shifts = (16, 8, 0) if colored else (None,)
    channels = [
        (values if s is None else values >> s & 255).astype(np.float32) for s in shifts
    ]
    found = np.zeros(values.shape, bool)
    h, w = values.shape
    for step in (1, 2):
        if h > 2 * step:
            rows = slice(step, h - step)
            parts = [(c[: -2 * step], c[rows], c[2 * step :]) for c in channels]
            found[rows] |= _on_line(parts)
        if w > 2 * step:
            columns = slice(step, w - step)
            parts = [
                (c[:, : -2 * step], c[:, columns], c[:, 2 * step :]) for c in channels
            ]
            found[:, columns] |= _on_line(parts)
    return found


def _on_line(parts) -> np.ndarray:
    """parts: of each channel, the value before, here, and behind."""
    whole = sum((b - a) ** 2 for a, _, b in parts)
    along = sum((v - a) * (b - a) for a, v, b in parts)
    length = np.maximum(whole, 1)
    share = along / length
    off = sum((v - a - share * (b - a)) ** 2 for a, v, b in parts)
    return (whole > 0) & (share > 0) & (share < 1) & (off <= _OFF_LINE**2)
