"""The objects of a picture as maps, and back: where each is, heat about its middle, the
way from each pixel to it. `ids` are i32[h,w]: 1..k an object, others none."""

import jax
import jax.numpy as jnp
from jax import Array, lax

_AT_ONCE = 16  # objects that a pixel is held against at a time: memory is their number
#                times the picture, not that of all objects


def places(ids: Array, slots: int) -> tuple[Array, Array]:
    """Of objects 1..slots: how many pixels, and their middle as y, x.

    One that is not there has 0 pixels. i32[h,w] -> f32[k], f32[k,2]
    """
    h, w = ids.shape
    owner = jnp.where((ids > 0) & (ids <= slots), ids, 0).ravel()
    y, x = jnp.divmod(jnp.arange(h * w), w)

    def summed(values):
        return jax.ops.segment_sum(values, owner, num_segments=slots + 1)[1:]

    area = summed(jnp.ones(h * w, jnp.float32))
    sums = jnp.stack([summed(v.astype(jnp.float32)) for v in (y, x)], -1)
    return area, sums / jnp.maximum(area, 1)[:, None]


def heat(area: Array, middle: Array, shape: tuple[int, int], reach: int = 6) -> Array:
    """1 at the pixel nearest to each object's middle, falling off about it as a bell.

    A bell's width goes with the object's own, so that neighbours keep peaks of their
    own; it is cut off at `reach` pixels. f32[k], f32[k,2] -> f32[h,w]
    """
    h, w = shape
    sigma = jnp.clip(0.12 * jnp.sqrt(area), 0.7, reach / 3)[:, None, None]
    step = jnp.arange(-reach, reach + 1)
    away = (step[:, None] ** 2 + step[None] ** 2).astype(jnp.float32)
    bell = jnp.exp(-away / (2 * sigma**2))
    centre = jnp.round(middle).astype(jnp.int32)
    y = centre[:, 0, None, None] + step[:, None]
    x = centre[:, 1, None, None] + step[None]
    inside = (y >= 0) & (y < h) & (x >= 0) & (x < w) & (area > 0)[:, None, None]
    place = jnp.where(inside, y * w + x, h * w)  # beyond the end: dropped
    return jnp.zeros(h * w, jnp.float32).at[place].max(bell, mode="drop").reshape(h, w)


def ways(ids: Array, middle: Array) -> Array:
    """From each pixel of an object to its middle, y and x in pixels; 0 elsewhere.

    i32[h,w], f32[k,2] -> f32[h,w,2]
    """
    slots = len(middle)
    is_one = (ids > 0) & (ids <= slots)
    to = middle[jnp.clip(ids, 1, slots) - 1]
    return jnp.where(is_one[..., None], to - _grid(ids.shape), 0)


def peaks(heat_map: Array, window: int, slots: int) -> tuple[Array, Array]:
    """The highest points of a map, highest first: each the largest within `window`
    pixels across, the first of equals. Their height (-inf where there are no more),
    and where they are. f32[h,w] -> f32[k], f32[k,2]
    """
    size, width = heat_map.size, heat_map.shape[1]
    is_peak = heat_map == _over(heat_map, lax.max, -jnp.inf, window)
    # two pixels of one height would part an object
    order = jnp.arange(size, dtype=jnp.int32).reshape(heat_map.shape)
    order = jnp.where(is_peak, order, size)
    is_peak &= order == _over(order, lax.min, size, window)
    flat = jnp.where(is_peak, heat_map, -jnp.inf).ravel()
    height, place = lax.top_k(flat, min(slots, size))
    beyond = (0, slots - len(height))
    at = jnp.stack(jnp.divmod(place, width), -1).astype(jnp.float32)
    height = jnp.pad(height, beyond, constant_values=-jnp.inf)
    return height, jnp.pad(at, (beyond, (0, 0)))


def nearest(way: Array, at: Array, there: Array) -> Array:
    """The object, 1..k, whose place is nearest to where each pixel points; 0 where
    there is no object at all.

    f32[h,w,2] ways, f32[k,2] places, bool[k] which of them there are -> i32[h,w]
    """
    points = _grid(way.shape[:2]) + way
    blocks = -(-len(at) // _AT_ONCE)
    beyond = blocks * _AT_ONCE - len(at)
    far = jnp.where(there[:, None], at, jnp.inf)
    far = jnp.pad(far, ((0, beyond), (0, 0)), constant_values=jnp.inf)

    def closer(block, best):
        distance, owner = best
        some = lax.dynamic_slice_in_dim(far, block * _AT_ONCE, _AT_ONCE)
        away = jnp.square(points[..., None, :] - some).sum(-1)
        found = away.min(-1)
        who = block * _AT_ONCE + away.argmin(-1).astype(jnp.int32) + 1
        return jnp.minimum(distance, found), jnp.where(found < distance, who, owner)

    # only as many blocks as hold an object
    filled = jnp.max(jnp.where(there, jnp.arange(len(at)) // _AT_ONCE + 1, 0))
    shape = way.shape[:2]
    start = jnp.full(shape, jnp.inf), jnp.zeros(shape, jnp.int32)
    return lax.fori_loop(0, filled, closer, start)[1]


def _over(values: Array, which, start, window: int) -> Array:
    """The largest or smallest within a square about each pixel."""
    start = jnp.asarray(start, values.dtype)
    for sides in ((window, 1), (1, window)):
        values = lax.reduce_window(values, start, which, sides, (1, 1), "SAME")
    return values


def _grid(shape: tuple[int, ...]) -> Array:
    """Each pixel's own y and x. f32[h,w,2]"""
    y, x = jnp.meshgrid(
        *(jnp.arange(n, dtype=jnp.float32) for n in shape[:2]), indexing="ij"
    )
    return jnp.stack([y, x], -1)
