"""A pond: water that mirrors the sky, with a darker shore."""

from typing import NamedTuple

import numpy as np

from segjax.data._canvas import grid
from segjax.data._noise import bumps, noise
from segjax.data._pasture.canvas import WATER, Canvas
from segjax.data._pasture.fence import Fence
from segjax.data._pasture.view import View
from segjax.data._pasture.weather import Weather

_EARTH, _DEEP = np.array([[88, 84, 56], [52, 84, 92]], np.float32)


class Pond(NamedTuple):
    """A wavy ellipse; lengths are in picture heights."""

    y: float
    x: float
    tall: float
    wide: float
    table: np.ndarray  # of noise

    def inside(self, y, x):
        """> 0 on the water, 1 in its middle."""
        down, across = (y - self.y) / self.tall, (x - self.x) / self.wide
        away = np.sqrt(down * down + across * across) + 1e-6
        turn = (across + 1j * down) / away
        power, shore = turn, 0.0
        for k in range(2, 6):
            power = power * turn
            shore = (
                shore
                + (self.table[k, 0] * power.real + self.table[k, 1] * power.imag) / k
            )
        return 1 + 0.14 * shore - away


def make_pond(rng: np.random.Generator, view: View, fence: Fence | None) -> Pond | None:
    """A pond that the fence does not cross, or none."""
    table = bumps(rng)
    if rng.random() < 0.4:
        return None
    x = np.linspace(-0.67, 0.67, 15)
    for _ in range(6):
        y = view.y_of(rng.uniform(0.1, 0.85 * view.scale(0.5)))
        wide = min(rng.uniform(1.3, 3.2) * view.scale(y), 0.5)
        tall = float(wide * max(view.flat(y), 0.16) * rng.uniform(0.6, 0.9))
        pond = Pond(y, rng.uniform(-0.6, 0.6), tall, wide, table)
        if y - 1.3 * tall < view.horizon + 0.02:
            continue
        if fence is None or (pond.inside(fence.foot(x), x) < -0.2).all():
            return pond
    return None


def paint_pond(canvas: Canvas, pond: Pond, weather: Weather) -> None:
    """Paints the water and writes its label."""
    size = len(canvas.image)
    y, x = grid(size)
    rows = np.flatnonzero(np.abs(y[:, 0] - pond.y) < 1.6 * pond.tall)
    if not rows.size:
        return
    cut = slice(rows[0], rows[-1] + 1)
    y, image = y[cut], canvas.image[cut]
    inside = pond.inside(y, x).astype(np.float32)
    down = ((y - pond.y) / pond.tall * 0.5 + 0.5).clip(0, 1)[..., None]
    top, foot = weather.sky
    mirror = foot + (0.25 + 0.55 * down) * (top - foot)
    water = mirror + (0.22 + 0.25 * down) * (_DEEP - mirror)
    ripple = 0.05 * noise(pond.table, y[:, 0] * 62, x[0] * 9)
    ripple = ripple + 0.03 * noise(pond.table, y[:, 0] * 28, x[0] * 4)
    water = water * (0.95 + ripple)[..., None]
    rim = 0.5 * np.exp(-((inside * (pond.tall / 0.012)) ** 2))[..., None]
    image += rim * (_EARTH - image)
    cover = (inside * (pond.tall * size) + 0.5).clip(0, 1)[..., None]
    image += cover * (1 - 0.5 * rim) * (water - image)
    canvas.semantic[cut][inside > 0] = WATER
