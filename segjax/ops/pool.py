"""2x2 max pooling, with where each maximum came from and without, its inverse, ResNet's
3x3 max pooling, and means over squares.

Written with slices and selects: XLA's own pooling gradient (select_and_scatter) is slow
on a CPU and missing under deterministic GPU operations. A TPU has a good one.
"""

import functools

import jax
import jax.numpy as jnp
from jax import Array


def max_pool(x: Array) -> Array:
    """Largest of each 2x2 window. Odd sizes round up.
    f[...,h,w,c] -> f[...,ceil(h/2),ceil(w/2),c]"""
    return jax.lax.platform_dependent(x, tpu=_by_window, default=_without_places)


def max_pool_places(x: Array) -> tuple[Array, Array]:
    """Largest of each 2x2 window, and which of its four places (0..3) it was.

    The first in reading order wins a tie. Odd sizes round up, as in SegNet's Caffe
    files (45 -> 23): the window that hangs over takes what it has.
    f[...,h,w,c] -> f[...,ceil(h/2),ceil(w/2),c], i8 of the same shape
    """
    return _max_pool_even(_even(x, fill=-jnp.inf))


def _without_places(x: Array) -> Array:
    return max_pool_places(x)[0]


def _by_window(x: Array) -> Array:
    window = (1,) * (x.ndim - 3) + (2, 2, 1)
    beyond = [(0, size % side) for size, side in zip(x.shape, window)]
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, window, beyond)


@jax.custom_vjp
def _max_pool_even(x: Array) -> tuple[Array, Array]:
    a, b, c, d = _window_places(x)
    top, bottom = jnp.maximum(a, b), jnp.maximum(c, d)
    top_index = jnp.where(a >= b, jnp.int8(0), jnp.int8(1))
    bottom_index = jnp.where(c >= d, jnp.int8(2), jnp.int8(3))
    index = jnp.where(top >= bottom, top_index, bottom_index)
    return jnp.maximum(top, bottom), index


def _forward(x):
    pooled, index = _max_pool_even(x)
    return (pooled, index), index


def _backward(index, gradients):
    h, w = index.shape[-3:-1]
    return (unpool(gradients[0], index, (2 * h, 2 * w)),)


_max_pool_even.defvjp(_forward, _backward)


def unpool(x: Array, index: Array, size: tuple[int, ...]) -> Array:
    """Each value put back at its place in its 2x2 window, zeros elsewhere.

    f[...,h,w,c], i8[...,h,w,c] -> f[...,size[0],size[1],c]
    """
    full = jax.lax.platform_dependent(x, index, tpu=_spread, default=_stacked)
    return full[..., : size[0], : size[1], :]


def _stacked(x: Array, index: Array) -> Array:
    *lead, h, w, c = x.shape
    places = [jnp.where(index == k, x, jnp.zeros((), x.dtype)) for k in range(4)]
    rows = [jnp.stack(places[i : i + 2], axis=-2) for i in (0, 2)]  # [...,h,w,2,c]
    return jnp.stack(rows, axis=-4).reshape(*lead, 2 * h, 2 * w, c)


@jax.custom_vjp
def _spread(x: Array, index: Array) -> Array:
    """Repeated and selected: a TPU reads the small maps and writes the large one. So
    does the gradient, which would else keep which were selected."""
    *lead, h, w, c = x.shape
    full = jnp.where(_selected(index), x[..., :, None, :, None, :], 0)
    return full.reshape(*lead, 2 * h, 2 * w, c)


def _gathered(index: Array, g: Array) -> tuple[Array, None]:
    *lead, h, w, c = index.shape
    windows = g.reshape(*lead, h, 2, w, 2, c)
    return jnp.where(_selected(index), windows, 0).sum((-4, -2)), None


def _selected(index: Array) -> Array:
    places = jnp.arange(4, dtype=index.dtype).reshape(2, 1, 2, 1)
    return index[..., :, None, :, None, :] == places


_spread.defvjp(lambda x, index: (_spread(x, index), index), _gathered)


def max_pool3(x: Array) -> Array:
    """Largest of each 3x3 window round every second pixel, as after ResNet's stem.

    Three rows, then three columns; outside there is nothing. Odd sizes round up.
    f[...,h,w,c] -> f[...,ceil(h/2),ceil(w/2),c]
    """
    return _largest_of_three(_largest_of_three(x, x.ndim - 3), x.ndim - 2)


def mean_pool(x: Array, side: int) -> Array:
    """Means over squares of `side` pixels; beyond the edge, the edge.

    f[...,h,w,c] -> f[...,ceil(h/side),ceil(w/side),c]
    """
    if side == 1:
        return x
    *lead, h, w, c = x.shape
    beyond = [(0, 0)] * len(lead) + [(0, -h % side), (0, -w % side), (0, 0)]
    whole = jnp.pad(x, beyond, mode="edge")
    tall, wide = (n // side for n in whole.shape[-3:-1])
    return whole.reshape(*lead, tall, side, wide, side, c).mean((-4, -2))


def _largest_of_three(x: Array, axis: int) -> Array:
    """Of every second place of the axis and its two neighbours."""
    pad = [(0, 0)] * x.ndim
    pad[axis] = (1, 1)
    padded = jnp.pad(x, pad, constant_values=-jnp.inf)
    last = (x.shape[axis] - 1) // 2 * 2  # where the last window begins
    shifted = (
        jax.lax.slice_in_dim(padded, k, last + k + 1, stride=2, axis=axis)
        for k in range(3)
    )
    return functools.reduce(jnp.maximum, shifted)


def _window_places(x: Array) -> tuple[Array, ...]:
    """The four pixels of each 2x2 window, in reading order, as four maps."""
    *lead, h, w, c = x.shape
    windows = x.reshape(*lead, h // 2, 2, w // 2, 2, c)
    return tuple(windows[..., i, :, j, :] for i in (0, 1) for j in (0, 1))


def _even(x: Array, fill: float) -> Array:
    """The map padded at the bottom and right to even sizes."""
    h, w = x.shape[-3:-1]
    if h % 2 == 0 and w % 2 == 0:
        return x
    pad = [(0, 0)] * (x.ndim - 3) + [(0, h % 2), (0, w % 2), (0, 0)]
    return jnp.pad(x, pad, constant_values=fill)
