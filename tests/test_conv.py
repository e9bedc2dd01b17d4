"""The forms of a convolution, beside the sum itself in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from segjax.ops import conv
from segjax.ops.conv import conv1x1, conv3x3

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
def test_winograds_values_and_gradients_are_those_of_the_sum(shape, c, d):
    x, kernel, g = given(shape, c, d)
    assert conv._are_many(jnp.zeros((*shape, c)), jnp.zeros((3, 3, c, d)))
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
    ("shape", "c", "d"),
    [
        ((2, 17, 12), 3, 16),  # colors
        ((1, 8, 8), 1, 32),
        ((2, 17, 12), 16, 16),  # few channels
        ((2, 17, 12), 32, 5),
        ((3, 1, 2), 7, 40),
        ((1, 16, 16), 64, 64),  # few tiles
    ],
)
def test_small_ones_are_the_sum_to_the_last_digits(shape, c, d):
    x, kernel, g = given(shape, c, d)
    for one, other in zip(found(x, kernel, g), exactly(x, kernel, g)):
        assert one.shape == other.shape
        assert distance(one, other) < 2e-6


def test_other_types_are_the_sum():
    x, kernel, _ = (jnp.asarray(a, jnp.bfloat16) for a in given((1, 32, 32), 64, 64))
    np.testing.assert_array_equal(conv3x3(x, kernel), conv._plain(x, kernel))


def test_1x1_is_the_convolution_of_one_place():
    x, kernel, g = given((2, 5, 4), 6, 7)
    kernel = kernel[1:2, 1:2]

    def gradients(convolve):
        y, back = jax.vjp(convolve, jnp.asarray(x), jnp.asarray(kernel))
        return y, *back(jnp.asarray(g))

    def plain(x, kernel):
        return lax.conv_general_dilated(
            x, kernel, (1, 1), "SAME", dimension_numbers=DIMENSIONS
        )

    with jax.enable_x64(True):
        for one, other in zip(gradients(conv1x1), gradients(plain)):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("c", "d", "on_cpu"), [(64, 64, 0), (32, 32, 3), (3, 16, 3)])
def test_other_platforms_are_given_ordinary_convolutions(c, d, on_cpu):
    x, kernel = jnp.zeros((1, 32, 32, c)), jnp.zeros((3, 3, c, d))

    def gradients(x, kernel):
        return jax.grad(lambda *a: jnp.square(conv3x3(*a)).sum(), (0, 1))(x, kernel)

    def lowered(platform):
        traced = jax.jit(gradients).trace(x, kernel)
        return traced.lower(lowering_platforms=(platform,)).as_text()

    def convolutions(platform):
        return lowered(platform).count("stablehlo.convolution")

    assert convolutions("cpu") == on_cpu
    for platform in ("cuda", "tpu"):
        assert convolutions(platform) == 3
        for more in ("concatenate", "pad"):
            assert f"stablehlo.{more}" not in lowered(platform)
        # squares are summed, and nothing is added to a map
        assert lowered(platform).count("stablehlo.add") <= 1


@pytest.mark.parametrize("kind", [jnp.bfloat16, jnp.float16])
def test_gradients_of_other_types_are_those_of_the_sum(kind):
    given_ = [jnp.asarray(a, kind) for a in given((1, 32, 32), 64, 64)]

    def gradients(convolve):
        y, back = jax.vjp(convolve, *given_[:2])
        return y, *back(given_[2])

    for one, other in zip(gradients(conv3x3), gradients(conv._plain)):
        assert one.dtype == kind
        np.testing.assert_array_equal(one, other)
