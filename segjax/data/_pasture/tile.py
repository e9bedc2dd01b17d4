"""Boxes of a picture, and where their pixels lie on an animal."""

from collections.abc import Sequence
from math import floor
from typing import NamedTuple

import numpy as np

from segjax.data._canvas import canvas_shape
from segjax.data._pasture.shapes import Animal, above_grass, bounds, distance

Box = Sequence[float] | np.ndarray  # least and largest u, least and largest v


class Tile(NamedTuple):
    """A box of pixels, which may reach beyond the picture."""

    top: int
    left: int
    u: np.ndarray  # f32[1,w]
    v: np.ndarray  # f32[h,1]

    @property
    def empty(self) -> bool:
        """Whether there is no pixel in it."""
        return not (self.u.size and self.v.size)

    @property
    def where(self) -> tuple[slice, slice]:
        """Its slices of the picture, when it lies within."""
        down, across = self.v.size, self.u.size
        return slice(self.top, self.top + down), slice(self.left, self.left + across)

    def part(self, box: tuple[slice, slice]) -> "Tile":
        """The tile of a box of its pixels."""
        rows, columns = box
        top, left = self.top + rows.start, self.left + columns.start
        return Tile(top, left, self.u[:, columns], self.v[rows])

    def seen(self, size: int) -> tuple[slice, slice]:
        """Which of its pixels lie in the picture."""
        h, w = canvas_shape(size)
        sides = (self.top, h, self.v.size), (self.left, w, self.u.size)
        spans = ((max(-at, 0), min(end - at, many)) for at, end, many in sides)
        rows, columns = (slice(a, max(a, b)) for a, b in spans)
        return rows, columns

    def cut(self, size: int) -> "Tile":
        """What of it lies in the picture."""
        return self.part(self.seen(size))

    def over(self, box: Box, margin: float):
        """What of it lies over a box of u and v, with a margin: a tile, its slices."""
        low_u, high_u, low_v, high_v = box
        u, v = self.u[0], self.v[:, 0]
        columns = _span((u >= low_u - margin) & (u <= high_u + margin))
        rows = _span((v >= low_v - margin) & (v <= high_v + margin))
        return self.part((rows, columns)), (rows, columns)


def _span(inside: np.ndarray) -> slice:
    at = inside.nonzero()[0]
    return slice(int(at[0]), int(at[-1]) + 1) if at.size else slice(0, 0)


def make_tile(animal: Animal, box: Box, size: int) -> Tile:
    """The pixels over a box of u and v."""
    h, w = canvas_shape(size)
    sides = sorted(animal.x + animal.facing * float(u) * animal.scale for u in box[:2])
    ends = sorted(animal.y - float(v) * animal.scale for v in box[2:])
    left, right = (floor(x * size + w / 2) for x in sides)
    top, foot = (floor(y * size + h / 2) for y in ends)
    x = (np.arange(left, right + 1) + 0.5 - w / 2) / size
    y = (np.arange(top, foot + 1) + 0.5 - h / 2) / size
    u = (x - animal.x) * (animal.facing / animal.scale)
    v = (animal.y - y) / animal.scale
    return Tile(top, left, u.astype(np.float32)[None], v.astype(np.float32)[:, None])


def silhouette(animal: Animal, size: int) -> tuple[Tile, np.ndarray]:
    """Where the whole animal is, also beyond the picture: a tile and bool[h,w]."""
    tile = make_tile(animal, bounds(animal.flesh), size)
    away = distance(animal.flesh, tile.u, tile.v)
    return tile, np.maximum(away, above_grass(animal, tile.u) - tile.v) < 0
