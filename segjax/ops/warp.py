"""Geometry of pictures and masks: exact flips and quarter turns, one affine warp."""

import jax.numpy as jnp
from jax import Array


def flip_if(x: Array, up_down: Array, left_right: Array) -> Array:
    """The map mirrored where the flags say so, bit for bit. [h,w,...], bool[] x2"""
    x = jnp.where(up_down, x[::-1], x)
    return jnp.where(left_right, x[:, ::-1], x)


def transpose_if(x: Array, flag: Array) -> Array:
    """Rows and columns exchanged where the flag says so; with flips, every quarter
    turn. Only for square maps, whose shape it keeps. [n,n,...], bool[]"""
    return jnp.where(flag, jnp.swapaxes(x, 0, 1), x)


def affine_matrix(
    angle: Array, zoom: Array, shift: Array, size: tuple[int, int]
) -> Array:
    """Where each output pixel looks in the input: f32[2,3], (y, x, 1) -> (y, x).

    Turns by `angle` (radians, counter-clockwise) and enlarges by `zoom` about the
    picture's centre, then moves the content by `shift`, (down, right) in pixels.
    """
    centre = (jnp.array(size, jnp.float32) - 1) / 2
    cos, sin = jnp.cos(angle) / zoom, jnp.sin(angle) / zoom
    turn = jnp.array([[cos, sin], [-sin, cos]])
    offset = centre - turn @ (centre + shift)
    return jnp.concatenate([turn, offset[:, None]], axis=1)


def sample_positions(matrix: Array, size: tuple[int, int]) -> tuple[Array, Array]:
    """The input position of every output pixel, as two maps f32[h,w]."""
    y, x = jnp.meshgrid(
        *(jnp.arange(n, dtype=jnp.float32) for n in size), indexing="ij"
    )
    return (
        matrix[0, 0] * y + matrix[0, 1] * x + matrix[0, 2],
        matrix[1, 0] * y + matrix[1, 1] * x + matrix[1, 2],
    )


def move_points(matrix: Array, points: Array) -> Array:
    """Where the warped picture has points of the input: the matrix undone, written out,
    as products of matrices are rounded on accelerators. f32[2,3], f32[...,2]"""
    (a, b, down), (c, d, right) = matrix
    y, x = points[..., 0] - down, points[..., 1] - right
    return jnp.stack([d * y - b * x, a * x - c * y], -1) / (a * d - b * c)


def sample_bilinear(image: Array, y: Array, x: Array) -> Array:
    """The picture read between its pixels; beyond the edge, the edge. f32[h,w,c]"""
    h, w = image.shape[:2]
    y, x = jnp.clip(y, 0, h - 1), jnp.clip(x, 0, w - 1)
    dy, dx = (y % 1)[..., None], (x % 1)[..., None]
    top, left = y.astype(jnp.int32), x.astype(jnp.int32)
    bottom, right = jnp.minimum(top + 1, h - 1), jnp.minimum(left + 1, w - 1)
    pixels = image.reshape(h * w, -1).astype(jnp.float32)
    upper = pixels[top * w + left] * (1 - dx) + pixels[top * w + right] * dx
    lower = pixels[bottom * w + left] * (1 - dx) + pixels[bottom * w + right] * dx
    return upper * (1 - dy) + lower * dy


def sample_nearest(labels: Array, y: Array, x: Array, outside: int) -> Array:
    """The label of the nearest pixel; `outside` beyond the edge. [h,w]"""
    h, w = labels.shape
    row, column = jnp.round(y).astype(jnp.int32), jnp.round(x).astype(jnp.int32)
    inside = (row >= 0) & (row < h) & (column >= 0) & (column < w)
    place = jnp.clip(row, 0, h - 1) * w + jnp.clip(column, 0, w - 1)
    return jnp.where(
        inside, labels.reshape(-1)[place], jnp.asarray(outside, labels.dtype)
    )
