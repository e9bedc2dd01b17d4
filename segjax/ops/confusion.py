"""Which class was taken for which: the counts that every overlap score comes from."""

from collections.abc import Iterable

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from segjax.base import VOID


def confusion(truth: Array, predicted: Array, classes: int) -> Array:
    """Pixels of true class i (row) called class j (column); void truth does not count.

    u8[h,w], u8[h,w] -> i32[c,c]
    """
    ids = jnp.arange(classes, dtype=jnp.uint8)[:, None]
    true_is = (truth.reshape(1, -1) == ids).astype(jnp.int8)  # void equals no id
    called = (predicted.reshape(1, -1) == ids).astype(jnp.int8)
    return lax.dot_general(
        true_is, called, (((1,), (1,)), ((), ())), preferred_element_type=jnp.int32
    )


def class_pixels(
    labels: Iterable[np.ndarray], classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of each class, and pixels that count in the pictures that hold it.

    What median-frequency balancing needs (arXiv 1411.4734). u8[h,w] ... -> f64[c] x2
    """
    pixels = np.zeros(classes)
    in_pictures = np.zeros(classes)
    for mask in labels:
        counts = np.bincount(mask.ravel(), minlength=256).astype(np.float64)
        pixels += counts[:classes]
        in_pictures += (counts[:classes] > 0) * counts[:VOID].sum()
    return pixels, in_pictures
