"""3x3 and 1x1 convolutions in the form that pays for a shape and a platform."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

from segjax.ops import winograd

# The forms on a CPU, for float32 (docs/log.md has the times). Winograd's, from so many
# channels on both sides and so many tiles on:
_CHANNELS, _TILES = 64, 64
# XLA's quickest, of a picture's colors: it takes fours, and gives more than 16.
_COLORS, _FEW, _LEAST = 4, 32, 20


def conv1x1(x: Array, kernel: Array) -> Array:
    """As a product of matrices, whose gradients lay out no map anew.
    f[b,h,w,c], f[1,1,c,d] -> f[b,h,w,d]"""
    return jax.lax.dot_general(x, kernel[0, 0], (((3,), (0,)), ((), ())))


def conv3x3(x: Array, kernel: Array, exact: bool = False) -> Array:
    """The same size, zeros outside. f[b,h,w,c], f[3,3,c,d] -> f[b,h,w,d]

    exact: not by Winograd's form, but in the gradients, as before SegNet's poolings,
    whose choice among near values rounding would change.
    """
    return _conv3x3(x, kernel, exact) if x.dtype == jnp.float32 else _plain(x, kernel)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _conv3x3(x: Array, kernel: Array, exact: bool) -> Array:
    on_cpu: Callable = _plain
    if _are_many(x, kernel) and not exact:
        on_cpu = winograd.convolve
    elif _are_colors(kernel):
        on_cpu = _of_colors
    return _by_platform(on_cpu, _plain, x, kernel)


def _forward(x, kernel, exact):
    if _are_many(x, kernel) or _are_colors(kernel):
        return _conv3x3(x, kernel, exact), (x, kernel)
    return _by_platform(_of_joined, _plain, x, kernel), (x, kernel)


def _backward(exact, saved, g):
    x, kernel = saved
    turned = _after(g, kernel)[::-1, ::-1].swapaxes(2, 3)
    gradient = functools.partial(_gradient, _plain)
    if _are_many(x, kernel):
        x = _after(g, x)
        of_kernel = _by_platform(winograd.kernel_gradient, gradient, x, g)
    else:
        of_kernel = _by_platform(_joined_gradient, gradient, x, g)
    return _conv3x3(_after(of_kernel, g), turned, False), of_kernel


_conv3x3.defvjp(_forward, _backward)


def _by_platform(cpu: Callable, default: Callable, x: Array, other: Array) -> Array:
    return jax.lax.platform_dependent(x, other, cpu=cpu, default=default)


def _are_many(x: Array, kernel: Array) -> bool:
    enough = winograd.tiles(x.shape) >= _TILES
    return enough and min(kernel.shape[2:]) >= _CHANNELS


def _are_colors(kernel: Array) -> bool:
    c, d = kernel.shape[2:]
    return c <= _COLORS and d <= _FEW


def _after(first: Array, x: Array) -> Array:
    """x, of use to a CPU only once the first is known. Or what the forward pass makes
    of a map, up to five times its size, would be kept for the gradients, which make the
    same of it; and what is made of all kernels, too. A barrier is removed before that.
    """
    return _by_platform(lambda x, first: x + 0 * first[0, 0, 0, 0], _as_is, x, first)


def _as_is(x: Array, _: Array) -> Array:
    return x


def _plain(x: Array, kernel: Array, above: int = 1) -> Array:
    """above: rows of zeros to add, above and below."""
    return jax.lax.conv_general_dilated(
        x,
        kernel,
        (1, 1),
        [(above, above), (1, 1)],
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def _of_colors(x: Array, kernel: Array) -> Array:
    c, d = kernel.shape[2:]
    more, further = _COLORS - c, max(_LEAST - d, 0)
    x = jnp.pad(x, [(0, 0)] * 3 + [(0, more)])
    kernel = jnp.pad(kernel, [(0, 0), (0, 0), (0, more), (0, further)])
    return _plain(x, kernel)[..., :d]


def _of_joined(x: Array, kernel: Array) -> Array:
    return _plain(_joined(x), kernel, above=0)


def _joined_gradient(x: Array, g: Array) -> Array:
    return _gradient(functools.partial(_plain, above=0), _joined(x), g)


def _joined(x: Array) -> Array:
    """The map between two rows of zeros. For the kernel's gradient XLA lays it out
    anew: quickly where it lies in memory, but slowly where it makes it again by the
    way, as it does of all but what was joined."""
    row = jnp.zeros_like(x[:, :1])
    return jnp.concatenate([row, x, row], axis=1)


def _gradient(convolve: Callable, x: Array, g: Array) -> Array:
    """Of the kernel, where g is that of the outputs."""
    shape = jax.ShapeDtypeStruct((3, 3, x.shape[-1], g.shape[-1]), x.dtype)
    (gradient,) = jax.linear_transpose(functools.partial(convolve, x), shape)(g)
    return gradient
