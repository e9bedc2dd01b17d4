"""Pictures that are drawn, not read."""

from collections.abc import Callable
from typing import Any

import numpy as np


class Drawn:
    """Drawn pictures by index; each is drawn anew when asked for.

    draw(seed, index, size) -> the example; indices: those of a split.
    """

    def __init__(
        self,
        draw: Callable[[int, int, int], dict[str, Any]],
        indices: np.ndarray,
        size: int,
        seed: int,
    ):
        self._draw, self._indices = draw, indices
        self._size, self._seed = size, seed

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, row: int) -> dict[str, Any]:
        return self._draw(self._seed, int(self._indices[row]), self._size)
