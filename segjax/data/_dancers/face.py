"""A wall's face, and patches of colour on it."""

from typing import NamedTuple

import numpy as np


class Face(NamedTuple):
    """Where the pixels of a wall lie on it, in bodies; y upwards from its foot."""

    x: np.ndarray  # f32[1,w]
    y: np.ndarray  # f32[h,1]
    fine: float  # pixels to one body
    end: float  # x of the picture's right side, -end that of the left one

    def step(self, along: np.ndarray) -> np.ndarray:
        """A step at 0, as soft as a pixel."""
        return (along * self.fine + 0.5).clip(0, 1)

    def line(self, along: np.ndarray, wide: float) -> np.ndarray:
        """Where a coordinate is within `wide` of 0."""
        return self.step(wide - np.abs(along))

    def plain(self, colour) -> np.ndarray:
        """f32[h,w,3] of one colour."""
        shape = (self.y.shape[0], self.x.shape[1], 3)
        return np.broadcast_to(np.float32(colour), shape).copy()

    def anywhere(self, rng: np.random.Generator) -> float:
        """An x in the picture."""
        return rng.uniform(-self.end, self.end)


def put(image: np.ndarray, cover: np.ndarray, colour) -> None:
    """Covers f32[h,w,3] with a colour, by a cover of h or 1 by w or 1."""
    image += cover[..., None] * (np.float32(colour) - image)


def patch(image: np.ndarray, at: Face, box, colour) -> None:
    """Covers the rectangle x0, x1, y0, y1 with a colour."""
    x0, x1, y0, y1 = box
    across = np.minimum(at.step(at.x - x0), at.step(x1 - at.x))
    high = np.minimum(at.step(at.y - y0), at.step(y1 - at.y))
    rows, columns = high[:, 0].nonzero()[0], across[0].nonzero()[0]
    if rows.size and columns.size:
        cut = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        put(image[cut], high[cut[0]] * across[:, cut[1]], colour)
