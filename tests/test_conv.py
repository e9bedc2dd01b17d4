"""Winograd's form of a 3x3 convolution, beside the sum itself in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from segjax.ops import conv
from segjax.ops.conv import conv3x3

DIMENSIONS = ("NHWC", "HWIO", "NHWC")


def given(shape, c, d):
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(*shape, c)), rng.normal(size=(3, 3, c, d))
    g = rng.normal(size=(*shape, d))
    return x, kernel / np.sqrt(9 * c), g


def exactly(x, kernel, g):
    """The map and both gradients, in float64."""

    def plain(x, kernel):
        return lax.conv_general_dilated(
            x, kernel, (1, 1), "SAME", dimension_numbers=DIMENSIONS
        )

    with jax.enable_x64(True):
        y, back = jax.vjp(plain, jnp.asarray(x), jnp.asarray(kernel))
        return [np.asarray(a) for a in (y, *back(jnp.asarray(g)))]


def found(x, kernel, g, exact=False):
    x, kernel, g = (jnp.asarray(a, jnp.float32) for a in (x, kernel, g))
    y, back = jax.vjp(lambda x, kernel: conv3x3(x, kernel, exact), x, kernel)
    return [np.asarray(a) for a in (y, *back(g))]


def distance(a, b):
    return np.abs(a - b).max() / np.abs(b).max()


@pytest.mark.parametrize(
    ("shape", "c", "d"),
    [
        ((1, 32, 32), 64, 64),
        ((2, 24, 32), 64, 96),  # other channels out than in
        ((3, 21, 18), 64, 64),  # not in whole tiles
        ((1, 3, 300), 80, 64),  # lower than a tile
    ],
)
def test_values_and_gradients_are_those_of_the_sum(shape, c, d):
    x, kernel, g = given(shape, c, d)
    assert conv._is_large(jnp.zeros((*shape, c)), jnp.zeros((3, 3, c, d)))
    for one, other in zip(found(x, kernel, g), exactly(x, kernel, g)):
        assert one.shape == other.shape
        assert distance(one, other) < 5e-5


def test_exact_is_the_sum_itself_and_its_gradients_are_winograds():
    x, kernel, g = given((1, 32, 32), 64, 64)
    exact, fast = found(x, kernel, g, exact=True), found(x, kernel, g)
    plain = conv._plain(jnp.asarray(x, jnp.float32), jnp.asarray(kernel, jnp.float32))
    np.testing.assert_array_equal(exact[0], plain)
    assert (exact[0] != fast[0]).any()
    for one, other in zip(exact[1:], fast[1:]):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("shape", "c", "kind"),
    [
        ((8, 64, 64), 32, jnp.float32),  # too few channels
        ((1, 16, 16), 64, jnp.float32),  # too few tiles
        ((1, 32, 32), 64, jnp.bfloat16),
    ],
)
def test_small_ones_and_other_types_are_the_sum(shape, c, kind):
    x, kernel, _ = (jnp.asarray(a, kind) for a in given(shape, c, c))
    np.testing.assert_array_equal(conv3x3(x, kernel), conv._plain(x, kernel))


def test_other_platforms_are_given_ordinary_convolutions():
    x, kernel = jnp.zeros((1, 32, 32, 64)), jnp.zeros((3, 3, 64, 64))

    def gradients(x, kernel):
        return jax.grad(lambda *a: jnp.square(conv3x3(*a)).sum(), (0, 1))(x, kernel)

    def convolutions(platform):
        lowered = (
            jax.jit(gradients).trace(x, kernel).lower(lowering_platforms=(platform,))
        )
        return lowered.as_text().count("stablehlo.convolution")

    assert convolutions("cpu") == 0
    assert convolutions("cuda") == convolutions("tpu") == 3
