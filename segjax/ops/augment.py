"""An example changed at random in ways that leave its meaning: picture and masks
together, as one function of a key."""

import jax
import jax.numpy as jnp
from jax import Array

from segjax.base import VOID, Mistake, check_range
from segjax.ops import color, warp

OUTSIDE = {"semantic": VOID, "instance": -1}  # a label beyond the edge: does not count


def augment(
    key: Array,
    example: dict[str, Array],
    mirror: tuple[int, ...] = (),
    *,
    flip: bool = True,
    quarter: bool = False,
    rotate: float = 0.0,
    zoom: float = 0.0,
    shift: float = 0.0,
    crop: int | None = None,
    brightness: float = 0.0,
    contrast: float = 0.0,
    saturation: float = 0.0,
    tint: float = 0.0,
) -> dict[str, Array]:
    """One example, changed: `image` comes out as f32[h,w,3] in 0..255.

    mirror: the joint that each joint becomes in a mirror, as the data says, () if it
    has none. flip: left and right; quarter: any of the eight flips and quarter turns;
    rotate: degrees either way; zoom, shift: largest share of the size; crop: the side
    of a square window; the rest as in color.jitter.
    """
    keys = dict(zip(("flip", "affine", "crop", "color"), jax.random.split(key, 4)))
    if flip or quarter:
        example = _turn(keys["flip"], example, flip, quarter, mirror)
    if rotate or zoom or shift:
        example = _warp(keys["affine"], example, rotate, zoom, shift)
    if crop is not None:
        example = _crop(keys["crop"], example, crop)
    image = example["image"].astype(jnp.float32)
    light = {
        "brightness": brightness,
        "contrast": contrast,
        "saturation": saturation,
        "tint": tint,
    }
    return {**example, "image": color.jitter(keys["color"], image, **light)}


def check_augment(size: int, crop: int | None = None, **options) -> None:
    """A Mistake for a setting that no picture of this size could be given."""
    for name in ("brightness", "contrast", "saturation", "tint", "zoom", "shift"):
        check_range(f"augment.{name}", options.get(name, 0.0), 0, 0.99)
    check_range("augment.rotate", options.get("rotate", 0.0), 0, 180)
    if crop is not None and not 1 <= crop <= size:
        raise Mistake(
            f"augment.crop is {crop}; it must be from 1 to {size}, the pictures' side."
        )


def _maps(example):
    """The words that are pictures or masks, and so move alike."""
    return [w for w in ("image", "semantic", "instance") if w in example]


def _turn(key, example, flip, quarter, mirror):
    left_right, up_down, transposed = jax.random.bernoulli(key, 0.5, (3,))
    turned = dict(example)
    for word in _maps(example):
        x = example[word]
        if quarter:
            x = warp.transpose_if(x, transposed)
        turned[word] = warp.flip_if(x, up_down & quarter, left_right)
    if "keypoints" in example:
        h, w = example["image"].shape[:2]
        y, x, there = jnp.moveaxis(example["keypoints"], -1, 0)
        if quarter:
            y, x = jnp.where(transposed, x, y), jnp.where(transposed, y, x)
            y = jnp.where(up_down, h - 1 - y, y)
        x = jnp.where(left_right, w - 1 - x, x)
        # two mirrors undo each other
        mirrored = left_right ^ (quarter & (up_down ^ transposed))
        points = jnp.stack([y, x, there], -1)
        other = points[:, jnp.array(mirror, int)] if mirror else points
        turned["keypoints"] = jnp.where(mirrored, other, points)
    return turned


def _warp(key, example, rotate, zoom, shift):
    size = example["image"].shape[:2]
    turn_key, zoom_key, shift_key = jax.random.split(key, 3)
    angle = jnp.deg2rad(jax.random.uniform(turn_key, (), minval=-rotate, maxval=rotate))
    span = jnp.log1p(zoom)
    scale = jnp.exp(jax.random.uniform(zoom_key, (), minval=-span, maxval=span))
    move = jax.random.uniform(shift_key, (2,), minval=-shift, maxval=shift)
    matrix = warp.affine_matrix(angle, scale, move * jnp.array(size, jnp.float32), size)
    y, x = warp.sample_positions(matrix, size)
    warped = dict(example, image=warp.sample_bilinear(example["image"], y, x))
    for word in _maps(example)[1:]:
        warped[word] = warp.sample_nearest(example[word], y, x, OUTSIDE[word])
    if "keypoints" in example:
        points = example["keypoints"]
        moved = warp.move_points(matrix, points[..., :2])
        warped["keypoints"] = _inside(moved, points[..., 2], size)
    if "area" in example:
        warped["area"] = example["area"] * scale**2
    return warped


def _crop(key, example, size):
    h, w = example["image"].shape[:2]
    top, left = jax.random.randint(
        key, (2,), 0, jnp.array([h - size + 1, w - size + 1])
    )
    cropped = dict(example)
    for word in _maps(example):
        x = example[word]
        start = (top, left) + (0,) * (x.ndim - 2)
        cropped[word] = jax.lax.dynamic_slice(x, start, (size, size, *x.shape[2:]))
    if "keypoints" in example:
        points = example["keypoints"]
        moved = points[..., :2] - jnp.stack([top, left])
        cropped["keypoints"] = _inside(moved, points[..., 2], (size, size))
    return cropped


def _inside(places: Array, there: Array, size: tuple[int, ...]) -> Array:
    """Points at new places; those beyond the edge are there no more. f32[p,j,3]"""
    within = (places > -0.5) & (places < jnp.array(size) - 0.5)
    there = jnp.where(within.all(-1), there, 0)
    return jnp.append(places, there[..., None], axis=-1)
