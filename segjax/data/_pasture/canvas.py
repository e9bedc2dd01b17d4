"""What is painted on: a picture and its labels."""

from typing import NamedTuple

import numpy as np

from segjax.data._canvas import canvas_shape

GRASS, SKY, WATER, FENCE, SHEEP, DOG = range(6)


class Canvas(NamedTuple):
    """A picture and its labels; painters write into them."""

    image: np.ndarray  # f32[h,w,3] in 0..255; u8 once it is photographed
    semantic: np.ndarray  # u8[h,w]
    instance: np.ndarray  # i32[h,w]


def create_canvas(size: int) -> Canvas:
    """An empty canvas of height `size`."""
    shape = canvas_shape(size)
    image = np.zeros((*shape, 3), np.float32)
    return Canvas(image, np.zeros(shape, np.uint8), np.zeros(shape, np.int32))
