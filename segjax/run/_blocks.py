"""Pictures of many sizes in few shapes. Each shape is a program of its own, and one
that reads or counts people takes seconds to compile."""

import numpy as np

_SIDE = 256  # pixels: most photographs of one camera, or of COCO, come out alike


def in_blocks(maps: np.ndarray, beyond: int = 0) -> np.ndarray:
    """With a margin at the bottom and right that is `beyond` throughout, so that height
    and width are of whole blocks. [h,w,...]"""
    margins = [(0, -side % _SIDE) for side in maps.shape[:2]]
    margins += [(0, 0)] * (maps.ndim - 2)
    return np.pad(maps, margins, constant_values=beyond)
