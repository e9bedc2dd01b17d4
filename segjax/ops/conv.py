"""3x3 convolutions in the form that pays for a shape and a platform."""

import functools

import jax
import jax.numpy as jnp
from jax import Array

from segjax.ops import winograd

# Where the transforms cost less than they save: fewer channels, or fewer tiles, are too
# little for each product of matrices (docs/log.md has the times).
_CHANNELS, _TILES = 64, 64


def conv3x3(x: Array, kernel: Array, exact: bool = False) -> Array:
    """The same size, zeros outside. f[b,h,w,c], f[3,3,c,d] -> f[b,h,w,d]

    On CPUs by Winograd's form, where that is quicker. exact: only in the gradients, as
    before SegNet's poolings, whose choice among near values rounding would change.
    """
    return _fast(x, kernel, exact) if _is_large(x, kernel) else _plain(x, kernel)


def _is_large(x: Array, kernel: Array) -> bool:
    return (
        x.dtype == kernel.dtype == jnp.float32
        and min(kernel.shape[2:]) >= _CHANNELS
        and winograd.tiles(x.shape) >= _TILES
    )


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _fast(x: Array, kernel: Array, exact: bool) -> Array:
    return _plain(x, kernel) if exact else _convolve(x, kernel)


def _forward(x, kernel, exact):
    return _fast(x, kernel, exact), (x, kernel)


def _backward(exact, saved, g):
    x, kernel = saved
    turned = kernel[::-1, ::-1].swapaxes(2, 3)
    gradient = jax.lax.platform_dependent(
        x, g, cpu=winograd.kernel_gradient, default=_plain_kernel_gradient
    )
    return _convolve(g, turned), gradient


_fast.defvjp(_forward, _backward)


def _convolve(x: Array, kernel: Array) -> Array:
    return jax.lax.platform_dependent(x, kernel, cpu=winograd.convolve, default=_plain)


def _plain(x: Array, kernel: Array) -> Array:
    return jax.lax.conv_general_dilated(
        x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def _plain_kernel_gradient(x: Array, g: Array) -> Array:
    shape = jax.ShapeDtypeStruct((3, 3, x.shape[-1], g.shape[-1]), x.dtype)
    (gradient,) = jax.linear_transpose(functools.partial(_plain, x), shape)(g)
    return gradient
