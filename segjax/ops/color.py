"""Colour: what a network is fed, and random changes of light that a camera makes."""

import jax
import jax.numpy as jnp
from jax import Array

# Mean and deviation of ImageNet's pixels: pretrained encoders expect them, and any
# picture is near enough to them for a fresh one.
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)
_LUMA = (0.299, 0.587, 0.114)


def normalise(image: Array) -> Array:
    """0..255 to about -2..2, as networks like it. u8|f[...,3] -> f32[...,3]"""
    scaled = image.astype(jnp.float32) / 255
    return (scaled - jnp.array(_MEAN)) / jnp.array(_DEVIATION)


def jitter(
    key: Array,
    image: Array,
    *,
    brightness: float = 0.0,
    contrast: float = 0.0,
    saturation: float = 0.0,
    tint: float = 0.0,
) -> Array:
    """The picture under another light: each option is the largest relative change.

    `tint` scales the three channels apart, as white balance does. f32[h,w,3], 0..255
    """
    keys = jax.random.split(key, 4)

    def factor(key, spread, shape=()):
        return 1 + jax.random.uniform(key, shape, minval=-spread, maxval=spread)

    if saturation:
        grey = (image @ jnp.array(_LUMA))[..., None]
        image = grey + (image - grey) * factor(keys[0], saturation)
    if contrast:
        mean = image.mean()
        image = mean + (image - mean) * factor(keys[1], contrast)
    if brightness:
        image = image * factor(keys[2], brightness)
    if tint:
        image = image * factor(keys[3], tint, (3,))
    return jnp.clip(image, 0, 255)
