"""3x3 convolutions by fewer multiplications: Winograd's F(4x4, 3x3), for CPUs.

A tile of 4x4 outputs takes 36 products of channels where the sum itself takes 144. All
tiles together are 36 products of matrices; around them stand sums of a few maps each.
The values it works with are of other sizes than the map's: the result is true to about
1e-5 of the largest, where the sum itself is to 1e-6 (arXiv 1509.09308 has the method).

Axes called `place` have the tile's 6x6 places, column by column.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

_SIDE = 4  # of a tile of outputs; its inputs are two more

# Of polynomials' values at 0, 1, -1, 2, -2 and infinity.
_INPUT = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
_KERNEL = np.array(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)
_OUTPUT = np.array(
    [
        [1, 1, 1, 1, 1, 0],
        [0, 1, -1, 2, -2, 0],
        [0, 1, 1, 4, 4, 0],
        [0, 1, -1, 8, -8, 1],
    ]
)


def tiles(shape: tuple[int, ...]) -> int:
    """How many a map [b,h,w,c] has: the rows of each product."""
    b, h, w, _ = shape
    return b * _parts(h) * _parts(w)


def convolve(x: Array, kernel: Array) -> Array:
    """f[b,h,w,c], f[3,3,c,d] -> f[b,h,w,d], of the same size, zeros outside."""
    b, h, w, _ = x.shape
    products = jax.lax.dot_general(
        _of_map(x), _of_kernel(kernel), (((2,), (1,)), ((0,), (0,)))
    )
    places = products.reshape(6, 6, b, _parts(h), _parts(w), -1)
    rows = _sums(_OUTPUT, [places[:, i] for i in range(6)], axis=3)
    y = _sums(_OUTPUT, [rows[j] for j in range(6)], axis=4)
    return y.reshape(b, _even(h), _even(w), -1)[:, :h, :w]


def kernel_gradient(x: Array, g: Array) -> Array:
    """Of the kernel, where g is that of the outputs.
    f[b,h,w,c], f[b,h,w,d] -> f[3,3,c,d]"""
    contracted = (((1,), (1,)), ((0,), (0,)))
    products = jax.lax.dot_general(_of_map(x), _of_outputs(g), contracted)
    places = products.reshape(6, 6, x.shape[-1], -1)
    rows = _sums(_KERNEL.T, [places[j] for j in range(6)])
    return _sums(_KERNEL.T, [rows[:, i] for i in range(6)])


def _of_map(x: Array) -> Array:
    """f[b,h,w,c] -> f[36 places, tiles, c]"""
    beyond = [(0, 0), *((1, 1 + _even(n) - n) for n in x.shape[1:3]), (0, 0)]
    return _transformed(jnp.pad(x, beyond), _INPUT)


def _of_outputs(g: Array) -> Array:
    """f[b,h,w,d] -> f[36 places, tiles, d]"""
    beyond = [(0, 0), *((0, _even(n) - n) for n in g.shape[1:3]), (0, 0)]
    return _transformed(jnp.pad(g, beyond), _OUTPUT.T)


def _of_kernel(kernel: Array) -> Array:
    """f[3,3,c,d] -> f[36 places, c, d]"""
    rows = _sums(_KERNEL, [kernel[i] for i in range(3)])  # [6,3,c,d]
    both = _sums(_KERNEL, [rows[:, j] for j in range(3)])
    return both.reshape(36, *kernel.shape[2:])


def _transformed(x: Array, matrix: np.ndarray) -> Array:
    """All tiles, which begin every 4 pixels and are as large as the matrix is wide."""
    b, h, w, c = x.shape
    reach = matrix.shape[1]
    down, across = (h - reach) // _SIDE + 1, (w - reach) // _SIDE + 1
    columns = [_every(x, j, across, axis=2) for j in range(reach)]
    some = _sums(matrix, columns)  # [6,b,h,across,c]
    rows = [_every(some, i, down, axis=2) for i in range(reach)]
    return _sums(matrix, rows, axis=1).reshape(36, b * down * across, c)


def _every(x: Array, first: int, count: int, axis: int) -> Array:
    last = first + _SIDE * (count - 1) + 1
    return jax.lax.slice_in_dim(x, first, last, stride=_SIDE, axis=axis)


def _sums(matrix: np.ndarray, terms: list[Array], axis: int = 0) -> Array:
    """The matrix's rows as sums of the terms, stacked along a new axis. What is stacked
    lies in memory: whoever reads it does not work it out again at every reading."""
    return jnp.stack([_sum(row, terms) for row in matrix.tolist()], axis)


def _sum(factors: list[float], terms: list[Array]) -> Array:
    used = [(k, term) for k, term in zip(factors, terms) if k]
    (k, term), *others = used
    total = term if k == 1 else k * term
    for k, term in others:
        total = (
            total + term if k == 1 else total - term if k == -1 else total + k * term
        )
    return total


def _parts(size: int) -> int:
    return -(-size // _SIDE)


def _even(size: int) -> int:
    """The size in whole tiles."""
    return _SIDE * _parts(size)
