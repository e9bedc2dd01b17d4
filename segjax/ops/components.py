"""Connected parts of a mask."""

import jax.numpy as jnp
from jax import Array, lax


def components(mask: Array, slots: int) -> tuple[Array, Array]:
    """The parts of a mask that touch by their sides, the largest first, of equals the
    first; what is beyond the slots is 0. And how many there are.

    bool[h,w] -> i32[h,w], i32[]
    """
    h, w = mask.shape
    size = h * w
    own = jnp.where(mask, jnp.arange(size).reshape(h, w), size)

    def spread(state):
        first, _ = state
        lower = jnp.where(mask, jnp.minimum(first, _neighbours(first, size)), size)
        # a part's first pixel knows of one before it: so does every pixel it stands for
        chain = jnp.append(lower.ravel(), size)
        lower = chain[chain[lower]]
        return lower, (lower != first).any()

    first, _ = lax.while_loop(lambda s: s[1], spread, (own, mask.any()))
    area = jnp.bincount(first.ravel(), length=size + 1)[:size]
    largest, begins = lax.top_k(area, min(slots, size))
    number = jnp.where(largest > 0, jnp.arange(1, len(largest) + 1), 0)
    number = jnp.zeros(size + 1, jnp.int32).at[begins].set(number.astype(jnp.int32))
    return number[first], (area > 0).sum()


def grown(ids: Array, mask: Array, most: int) -> Array:
    """Parts widened by up to `most` pixels into the rest of the mask, each as far as
    the next. i32[h,w], bool[h,w]"""
    big = jnp.iinfo(jnp.int32).max

    def widen(state):
        ids, left, _ = state
        seen = jnp.where(ids > 0, ids, big)
        around = _neighbours(seen, big)
        new = jnp.where((ids == 0) & mask & (around < big), around, ids)
        return new, left - 1, (new != ids).any()

    start = ids, jnp.asarray(most), mask.any()
    return lax.while_loop(lambda s: s[2] & (s[1] > 0), widen, start)[0]


def _neighbours(values: Array, beyond: int) -> Array:
    """The smallest of the four beside each pixel. i32[h,w]"""
    framed = jnp.pad(values, 1, constant_values=beyond)
    sides = framed[:-2, 1:-1], framed[2:, 1:-1], framed[1:-1, :-2], framed[1:-1, 2:]
    return jnp.minimum(jnp.minimum(*sides[:2]), jnp.minimum(*sides[2:]))
