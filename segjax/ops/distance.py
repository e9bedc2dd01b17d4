"""Exact Euclidean distances between masks, in pixels, and their surfaces.

Squared distances are whole numbers, so they are kept as such: exact up to sides of
16,384 pixels.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.typing import ArrayLike

_FAR = 1 << 30  # further than any pixel
_BLOCK = 512  # points whose distances are found at once


@jax.jit
def squared_distances(mask: Array, where: Array, reach: int = _FAR) -> Array:
    """Squared distance from each pixel of `where` to the nearest of `mask`.

    bool[h,w], bool[h,w] -> i32[h,w], 2**30 for a mask without a pixel. Elsewhere than
    in `where`, and beyond `reach`, the value is only a bound from above.

    First the distance within each column, then the nearest column: those k away are
    tried for growing k until k alone is more than the largest distance found.
    """
    h, w = mask.shape
    column = _column_distances(mask)
    # a column without a pixel is as far as two pixels never are: h + w
    squared = jnp.where(column < h + w, column**2, _FAR)
    beyond = jnp.full((h, w), _FAR, jnp.int32)
    wide = jnp.concatenate([beyond, squared, beyond], axis=1)
    last = jnp.minimum(w - 1, reach)

    def tries_on(state):
        k, found = state
        return (k <= last) & (k * k < jnp.where(where, found, 0).max())

    def nearer(state):
        k, found = state
        left = lax.dynamic_slice(wide, (0, w - k), (h, w))
        right = lax.dynamic_slice(wide, (0, w + k), (h, w))
        return k + 1, jnp.minimum(found, jnp.minimum(left, right) + k * k)

    _, found = lax.while_loop(tries_on, nearer, (jnp.int32(1), squared))
    return jnp.minimum(found, _FAR)


def _column_distances(mask: Array) -> Array:
    """Distance to the nearest pixel of the mask in the same column; >= h + w for none.

    bool[h,w] -> i32[h,w]
    """
    h, w = mask.shape
    far = h + w
    row = lax.broadcasted_iota(jnp.int32, (h, w), 0)
    above = lax.cummax(jnp.where(mask, row, -far - h), axis=0)
    below = lax.cummin(jnp.where(mask, row, far + h), axis=0, reverse=True)
    return jnp.minimum(row - above, below - row)


@jax.jit
def surface(mask: ArrayLike) -> Array:
    """The pixels of a mask with a neighbour (of four) that is not of it; what lies
    outside the picture is not. bool[h,w] -> bool[h,w]"""
    mask = jnp.asarray(mask)
    p = jnp.pad(mask, 1)
    inner = p[:-2, 1:-1] & p[2:, 1:-1] & p[1:-1, :-2] & p[1:-1, 2:]
    return mask & ~inner


def surface_distances(
    one: np.ndarray, other: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Squared distance of each surface pixel of one mask to the other's surface, and
    the reverse. bool[h,w] x2 -> i64[points], i64[points of the other]"""
    a, b = np.asarray(surface(one)), np.asarray(surface(other))
    return _distances_at(b, np.nonzero(a)), _distances_at(a, np.nonzero(b))


def _distances_at(mask: np.ndarray, points: tuple[np.ndarray, ...]) -> np.ndarray:
    """Few pixels are asked for: their rows will do. Filled up to 1, 2, 4, ... blocks,
    so that few programs will do, too."""
    count = len(points[0])
    room = _BLOCK << max(0, (count - 1) // _BLOCK).bit_length()
    blocks = [np.pad(axis, (0, room - count)).reshape(-1, _BLOCK) for axis in points]
    return np.asarray(_by_blocks(mask, *blocks)).reshape(-1)[:count].astype(np.int64)


@jax.jit
def _by_blocks(mask: Array, rows: Array, columns: Array) -> Array:
    """bool[h,w], i32[blocks,k] x2 -> i32[blocks,k]"""
    h, w = mask.shape
    column = _column_distances(mask)
    squared = jnp.where(column < h + w, column**2, _FAR)

    def of_block(points):
        row, at = points
        across = (at[:, None] - jnp.arange(w)) ** 2
        return (squared[row] + across).min(1)

    return jnp.minimum(lax.map(of_block, (rows, columns)), _FAR)


@jax.jit
def inner_band(mask: Array, width: int) -> Array:
    """The pixels of a mask within `width` of one that is not of it, inside the picture
    or beyond its border. bool[h,w] -> bool[h,w]"""
    outside = jnp.pad(~mask, 1, constant_values=True)
    near = squared_distances(outside, ~outside, reach=width)[1:-1, 1:-1]
    return mask & (near <= width**2)
