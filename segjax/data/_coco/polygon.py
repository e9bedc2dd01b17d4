"""Polygons as masks: a pixel is inside if its centre is, by the even-odd rule.

So an area is kept on the average, where a drawing library that also paints the pixels
an outline touches makes every object half a pixel larger on each side. Of two polygons
that share an edge each pixel is in one: a centre on a left or upper edge is inside, on
a right or lower one outside.

Objects are small and pictures large: a mask is of a box, the pixels that it may hold.
"""

import math
from typing import Any

import numpy as np

from segjax.base import Mistake

Box = tuple[slice, slice]  # rows and columns of a picture: mask = picture[box]
ROUNDING = 2  # pixels that a corner may lie outside of its picture


def check_polygon(polygon: Any, size: tuple[int, int]) -> np.ndarray:
    """A polygon's corners, or a Mistake that says what is wrong with it, to stand
    behind the name of what it is.

    polygon: x0, y0, x1, y1 .. -> f64[n,2] x, y
    """
    if not isinstance(polygon, list) or not all(map(is_number, polygon)):
        raise Mistake("has a polygon that is not a list of numbers")
    if len(polygon) % 2:
        raise Mistake(
            f"has a polygon of {len(polygon)} coordinates; they must be x, y of each"
            " corner, an even number"
        )
    if len(polygon) < 6:
        raise Mistake(
            f"has a polygon of {len(polygon) // 2} corners; it must have 3 or more"
        )
    h, w = size
    corners = np.array(polygon, np.float64).reshape(-1, 2)
    low, high = corners.min(axis=0), corners.max(axis=0)
    if high[0] < 0 or high[1] < 0 or low[0] > w or low[1] > h:
        raise Mistake(
            f"has a polygon wholly outside of its picture: x {low[0]:g} to {high[0]:g},"
            f" y {low[1]:g} to {high[1]:g}, the picture is {w} wide, {h} high"
        )
    return corners


def box_of(corners: np.ndarray, size: tuple[int, int]) -> Box:
    """The pixels of a picture whose centres may lie inside.

    corners: f64[n,2] x, y
    """
    ends = np.stack([corners.min(axis=0), corners.max(axis=0)])
    (left, top), (right, bottom) = _first_centre(ends, 0, size[::-1]).tolist()
    return slice(top, bottom), slice(left, right)


def fill(corners: np.ndarray, box: Box) -> np.ndarray:
    """Of the pixels of a box, those whose centres lie inside.

    corners: f64[n,2] x, y in the picture, a pixel's centre at .5 -> bool[h,w]
    """
    rows, columns = box
    (x0, y0), (x1, y1) = corners.T, np.roll(corners, -1, axis=0).T
    # every edge downwards: two polygons that share it must round alike
    x0, y0, x1, y1 = np.where(y1 < y0, (x1, y1, x0, y0), (x0, y0, x1, y1))
    # the rows that each edge crosses: those whose centre is in [upper, lower)
    first = _first_centre(y0, rows.start, rows.stop)
    crossed = _first_centre(y1, rows.start, rows.stop) - first
    edge = np.repeat(np.arange(len(corners)), crossed)
    before = np.repeat(np.cumsum(crossed) - crossed, crossed)
    row = first[edge] + np.arange(len(edge)) - before
    share = (row + 0.5 - y0[edge]) / (y1 - y0)[edge]
    crossing = x0[edge] + share * (x1 - x0)[edge]
    column = _first_centre(crossing, columns.start, columns.stop)
    h, w = rows.stop - rows.start, columns.stop - columns.start
    crossings = np.zeros((h, w + 1), np.int32)
    np.add.at(crossings, (row - rows.start, column - columns.start), 1)
    return np.cumsum(crossings, axis=1)[:, :w] % 2 == 1


def reaches_out(corners: np.ndarray, size: tuple[int, int]) -> bool:
    """Whether a polygon leaves its picture by more than rounding does."""
    out = np.maximum(-corners, corners - size[::-1])
    return bool((out > ROUNDING).any())


def is_number(value: Any) -> bool:
    """Whether a value of a JSON file is a number, and finite."""
    is_kind = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_kind and abs(value) < 1e9 and math.isfinite(value)


def _first_centre(at: np.ndarray, start: Any, stop: Any) -> np.ndarray:
    """The first pixel of start .. stop whose centre is not before; stop if none is."""
    return np.clip(np.ceil(at - 0.5), start, stop).astype(np.int64)
