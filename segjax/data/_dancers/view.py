"""How the floor lies before the camera. Lengths in a picture are in its heights, from
its middle, y downwards; lengths in space are in heights of a grown body."""

from math import atan
from typing import NamedTuple

import numpy as np

FOCAL = 1.3  # heights: how far off a body is that is drawn one picture tall


class View(NamedTuple):
    """A camera over a level floor: who stands at y is drawn `scale(y)` tall."""

    horizon: float
    eye: float  # how high the camera is, in bodies
    tall: float  # how tall most dancers are drawn
    wall: float  # y of the wall's foot, where there is one
    pitch: float  # how far it looks down at dancers, in radians

    def scale(self, y):
        """Picture heights to one body's that stands at y."""
        return (y - self.horizon) / self.eye

    def y_of(self, scale):
        """Where a body stands that is drawn `scale` tall."""
        return self.horizon + scale * self.eye


def make_view(rng: np.random.Generator, tall: float) -> View:
    """A view of a floor on which dancers are drawn about `tall`."""
    eye = rng.uniform(0.45, 1.25)
    foot = rng.uniform(np.clip(tall - 0.46, 0.12, 0.46), 0.46)
    horizon = foot - eye * tall
    wall = horizon + eye * tall * rng.uniform(0.45, 0.88)
    down = atan((foot - tall / 2 - horizon) / FOCAL)
    return View(horizon, eye, tall, wall, float(np.clip(down, 0.02, 0.3)))
