"""How the meadow lies before the camera. Lengths in a picture are in its heights, from
its middle, y downwards; lengths on the ground are in sheep: the height of a back."""

from typing import NamedTuple

import numpy as np

FOCAL = 1.2  # heights; a field of view of 58 degrees across


class View(NamedTuple):
    """A camera over flat ground: what stands at y is drawn `grow * (y - horizon)` tall
    for each sheep that it is tall."""

    horizon: float
    grow: float

    def scale(self, y):
        """Picture heights of one sheep that stands at y."""
        return self.grow * (y - self.horizon)

    def y_of(self, scale):
        """Where a sheep stands that is drawn `scale` tall."""
        return self.horizon + scale / self.grow

    def flat(self, y):
        """How much flatter lengths away from the camera look than lengths across."""
        return (y - self.horizon) / FOCAL


def make_view(rng: np.random.Generator) -> View:
    """A view from low or high, with much sky, little, or none."""
    horizon = rng.uniform(-0.56, -0.13)
    nearest = rng.uniform(0.32, 0.5)  # the scale at the picture's lower edge
    return View(horizon, nearest / (0.5 - horizon))
