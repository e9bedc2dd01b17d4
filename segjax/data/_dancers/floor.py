"""Floors: boards, mats, slabs, asphalt, grass; all recede towards the horizon."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from segjax.data._canvas import grid
from segjax.data._dancers.palette import CLOTHS, LAWNS, STONES, WOODS, pick
from segjax.data._dancers.view import FOCAL, View
from segjax.data._noise import BUMPS, bumps, noise


class Ground(NamedTuple):
    """Where the pixels of a floor lie on it, in bodies."""

    x: np.ndarray  # f32[h,w]
    z: np.ndarray  # f32[h,1]
    fine: np.ndarray  # f32[h,1], pixels to one body

    def fade(self, cell: float) -> np.ndarray:
        """How well a pattern of such a cell can be seen, f32[h,1] in [0,1]."""
        return (0.5 * cell * self.fine - 0.5).clip(0, 1)


def _tones(rng, number: np.ndarray) -> np.ndarray:
    """A tone for each whole number, around 0."""
    return bumps(rng).ravel()[number.astype(int) % BUMPS**2]


def _seams(along: np.ndarray, wide: float) -> np.ndarray:
    """Where a coordinate is close to a whole number, in [0,1]."""
    away = np.abs(along - np.rint(along))
    return (1 - away / wide).clip(0, 1)


def boards(rng: np.random.Generator, at: Ground) -> np.ndarray:
    """Wooden boards, along or across."""
    wood, wide = pick(rng, WOODS), rng.uniform(0.09, 0.25)
    along = (at.x if rng.random() < 0.6 else at.z + 0 * at.x) / wide
    tone = 0.06 * _tones(rng, np.floor(along)) - 0.25 * _seams(along, 0.06)
    return wood * (1 + at.fade(wide) * tone)[..., None]


def mats(rng: np.random.Generator, at: Ground) -> np.ndarray:
    """Mats or tiles of one colour or of two."""
    one = pick(rng, CLOTHS)
    two = pick(rng, CLOTHS) if rng.random() < 0.5 else one * rng.uniform(0.8, 1.2)
    wide, long = rng.uniform(0.3, 1.0, 2).tolist()
    column, row = at.x / wide + rng.random(), at.z / long
    odd = (np.floor(column) + np.floor(row)) % 2
    seam = np.maximum(_seams(column, 0.03), _seams(row, 0.03))
    seen = at.fade(min(wide, long))
    colour = one + (odd * seen)[..., None] * (two - one)
    return colour * (1 - 0.3 * seen * seam)[..., None]


def slabs(rng: np.random.Generator, at: Ground) -> np.ndarray:
    """Stone slabs."""
    stone, wide = pick(rng, STONES), rng.uniform(0.25, 0.6)
    column, row = at.x / wide, at.z / wide
    tone = 0.05 * _tones(rng, np.floor(column) + 37 * np.floor(row))
    seam = np.maximum(_seams(column, 0.04), _seams(row, 0.04))
    return stone * (1 + at.fade(wide) * (tone - 0.25 * seam))[..., None]


def rough(rng: np.random.Generator, at: Ground) -> np.ndarray:
    """Asphalt, carpet or sand: one colour with a grain."""
    colour = pick(rng, STONES if rng.random() < 0.5 else CLOTHS)
    return np.broadcast_to(colour, (*at.x.shape, 3)).copy()


def grass(rng: np.random.Generator, at: Ground) -> np.ndarray:
    """A lawn, mown in stripes or not."""
    green = pick(rng, LAWNS)
    mown = 0.06 * np.sign(np.sin(at.x * rng.uniform(1, 4))) * (rng.random() < 0.4)
    return green * (1 + mown)[..., None]


def _lines(rng, at: Ground, colour: np.ndarray) -> None:
    """Paints lines of a court on it."""
    for _ in range(int(rng.integers(1, 4))):
        lean, place, far = rng.normal(0, 1), rng.normal(0, 0.6), rng.uniform(1, 4)
        deep = at.z - far
        along = at.x + lean * deep if rng.random() < 0.5 else deep
        cover = ((0.04 - np.abs(along - place)) * at.fine + 0.5).clip(0, 1)
        colour += cover[..., None] * (pick(rng, CLOTHS) - colour)


def draw_floor(
    rng: np.random.Generator, size: int, view: View, make: Callable, top: int
) -> np.ndarray:
    """The rows of a floor from `top` on, f32[h,w,3]."""
    y, x = (along.astype(np.float32) for along in grid(size))
    y = y[top:]
    scale = np.maximum(view.scale(y), np.float32(1e-3))
    at = Ground(x / scale, FOCAL / scale, scale * size)
    colour = make(rng, at)
    if make in (boards, mats, rough) and rng.random() < 0.3:
        _lines(rng, at, colour)
    slow, grain = bumps(rng), bumps(rng)
    light = 0.035 * noise(slow, 6 * y[:, 0], 3 * x[0])
    light += rng.uniform(0.01, 0.06) * noise(grain, 66 * y[:, 0], 40 * x[0])
    light += rng.uniform(-0.1, 0.25) * (y - 0.3)
    return colour * (1 + light)[..., None]
