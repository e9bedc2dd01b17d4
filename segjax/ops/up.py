"""Doubling a map's size: by a learnt 2x2 kernel, by repetition, bilinearly."""

import functools

import jax
import jax.numpy as jnp
from jax import Array
from jax.lax import slice_in_dim


def conv_transpose2(x: Array, kernel: Array) -> Array:
    """Transposed 2x2 convolution of stride 2. The kernel's places are not flipped:
    kernel[i,j] makes output[2y+i,2x+j], as in PyTorch.
    f[b,h,w,c], f[2,2,c,d] -> f[b,2h,2w,d]"""
    if x.size == 0:
        return _product(x, kernel)
    return jax.lax.platform_dependent(x, kernel, tpu=_dilated, default=_product)


def _product(x: Array, kernel: Array) -> Array:
    """As one matmul and a reshape: windows do not overlap, so each output pixel is one
    matrix product. XLA's own form is tens of times slower on a CPU."""
    b, h, w, c = x.shape
    d = kernel.shape[-1]
    flat = kernel.transpose(2, 0, 1, 3).reshape(c, 4 * d)
    y = (x.reshape(-1, c) @ flat).reshape(b, h, w, 2, 2, d)
    return jnp.moveaxis(y, -3, -4).reshape(b, 2 * h, 2 * w, d)


def _dilated(x: Array, kernel: Array) -> Array:
    """XLA's own form, which a TPU does without laying the map out anew."""
    return jax.lax.conv_general_dilated(
        x,
        kernel[::-1, ::-1],
        (1, 1),
        [(1, 1), (1, 1)],
        lhs_dilation=(2, 2),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def nearest2(x: Array) -> Array:
    """Each pixel as a 2x2 block. f[...,h,w,c] -> f[...,2h,2w,c]"""
    return jnp.repeat(jnp.repeat(x, 2, axis=-3), 2, axis=-2)


def bilinear2(x: Array) -> Array:
    """Bilinear, pixel centres at halves and edges repeated (as Keras and PyTorch's
    align_corners=False). f[...,h,w,c] -> f[...,2h,2w,c]"""
    return _bilinear2_axis(_bilinear2_axis(x, -3), -2)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def _bilinear2_axis(x: Array, axis: int) -> Array:
    n = x.shape[axis]
    first, last = slice_in_dim(x, 0, 1, axis=axis), slice_in_dim(x, n - 1, n, axis=axis)
    before = jnp.concatenate([first, slice_in_dim(x, 0, n - 1, axis=axis)], axis)
    after = jnp.concatenate([slice_in_dim(x, 1, n, axis=axis), last], axis)
    pairs = jnp.stack([0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after], axis)
    shape = list(x.shape)
    shape[axis] = 2 * n
    return pairs.reshape(shape)


def _backward(axis, _, g):
    """Each pixel's share of its own two and of one on either side."""
    n = g.shape[axis] // 2
    evens, odds = (slice_in_dim(g, i, 2 * n, stride=2, axis=axis) for i in (0, 1))
    first = slice_in_dim(evens, 0, 1, axis=axis)
    last = slice_in_dim(odds, n - 1, n, axis=axis)
    before = jnp.concatenate([first, slice_in_dim(odds, 0, n - 1, axis=axis)], axis)
    after = jnp.concatenate([slice_in_dim(evens, 1, n, axis=axis), last], axis)
    return (0.75 * (evens + odds) + 0.25 * (before + after),)


_bilinear2_axis.defvjp(lambda x, axis: (_bilinear2_axis(x, axis), None), _backward)
