"""What scores are made of, against SciPy and against figures worked out by hand."""

import jax
import numpy as np
import pytest
from scipy import ndimage

from segjax.base import VOID
from segjax.ops import distance
from segjax.ops.bootstrap import mean_of, paired
from segjax.ops.calibration import (
    INVERSE,
    best_temperature,
    calibration_error,
    reliability,
    surprise,
)


def masks(count):
    """Blobs, dust, lines; empty, full, one pixel, along the border."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        h, w = [(1, 48), (31, 20), (48, 47)][rng.integers(3)]
        noise = rng.random((h, w))
        smooth = ndimage.gaussian_filter(noise, rng.uniform(0, 4))
        yield smooth > np.quantile(smooth, rng.random())
    for shape in ((7, 9), (1, 1), (1, 12), (12, 1)):
        for fill in (False, True):
            yield np.full(shape, fill)
        one = np.zeros(shape, bool)
        one[-1, 0] = True
        yield one
        edge = np.zeros(shape, bool)
        edge[0] = True
        yield edge


def test_distances_are_scipys():
    for mask in masks(40):
        everywhere = np.ones_like(mask)
        ours = np.asarray(distance.squared_distances(mask, everywhere))
        if mask.any():
            theirs = ndimage.distance_transform_edt(~mask)
            np.testing.assert_array_equal(ours, np.round(theirs**2))
        else:
            assert (ours == 1 << 30).all()


def test_distances_between_surfaces_are_scipys():
    rng = np.random.default_rng(1)
    for _ in range(20):
        one, other = rng.random((2, 40, 60)) < rng.random((2, 1, 1)) ** 2
        one[3, 4] = other[30, 50] = True
        a, b = (np.asarray(distance.surface(m)) for m in (one, other))
        there, back = distance.surface_distances(one, other)
        for found, of, to in ((there, a, b), (back, b, a)):
            theirs = ndimage.distance_transform_edt(~to)[of]
            np.testing.assert_array_equal(found, np.round(theirs**2))


def test_a_surface_is_what_erosion_takes_away():
    for mask in masks(20):
        eroded = ndimage.binary_erosion(mask)
        np.testing.assert_array_equal(distance.surface(mask), mask & ~eroded)


def test_an_inner_band_is_scipys():
    for mask in masks(20):
        inside = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
        for width in (1, 3):
            np.testing.assert_array_equal(
                distance.inner_band(mask, width), mask & (inside <= width)
            )


def test_reliability_by_hand():
    one = np.array([[0.01, 0.99, 0.5, 0.5]])
    labels = np.array([[0, 1, 1, 255]], np.uint8)
    bins = np.asarray(reliability(np.stack([1 - one, one], -1), labels))
    assert bins[:, 0].sum() == 3  # the void pixel is in none
    np.testing.assert_allclose(bins[0], [1, 0.01, 0], rtol=1e-6)
    np.testing.assert_allclose(bins[7], [1, 0.5, 1], rtol=1e-6)
    np.testing.assert_allclose(bins[14], [1, 0.99, 1], rtol=1e-6)
    assert calibration_error(bins) == pytest.approx((0.01 + 0.5 + 0.01) / 3)


def test_a_network_gone_wrong_is_no_confidence_and_needs_no_temperature():
    probability = np.full((2, 2, 2), np.nan, np.float32)
    bins = reliability(probability, np.array([[0, 1], [1, VOID]], np.uint8))
    assert bins[0].tolist() == [3, 0, 2]
    assert best_temperature(np.full(81, np.nan)) == 1


def test_reliability_of_many_classes_is_that_of_the_one_called():
    probability = np.array([[[0.2, 0.7, 0.1], [0.4, 0.3, 0.3]]])
    labels = np.array([[1, 2]], np.uint8)
    bins = np.asarray(reliability(probability, labels))
    np.testing.assert_allclose(bins[10], [1, 0.7, 1], rtol=1e-6)
    np.testing.assert_allclose(bins[6], [1, 0.4, 0], rtol=1e-6)


@pytest.mark.parametrize("classes", [2, 4])
def test_the_temperature_that_was_put_in_is_found(classes):
    """Labels drawn from softmax(logits), logits shown three times too large."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (200, 200, classes))
    chance = np.asarray(jax.nn.softmax(logits))
    below = chance.cumsum(-1) < rng.random((200, 200, 1))
    labels = np.minimum(below.sum(-1), classes - 1).astype(np.uint8)
    labels[0] = 255
    shown = logits[..., 1:] - logits[..., :1] if classes == 2 else logits
    sums = np.asarray(surprise((3 * shown).astype(np.float32), labels), np.float64)
    assert best_temperature(sums) == pytest.approx(3, rel=0.03)
    at_one = sums[np.argmin(abs(INVERSE - 1))]
    right = np.take_along_axis(
        np.asarray(jax.nn.log_softmax(3 * logits)), labels[..., None] % 255, -1
    )[1:]
    assert at_one == pytest.approx(-right.sum(), rel=1e-4)


def test_an_interval_by_hand():
    """Groups of 3 and 1 with sums 2.1 and .1: mean .55, from which the sums are .45 off
    either way, so the error is sqrt(2 (.45^2 + .45^2)) / 4 = .225; t of 1 is 12.706."""
    values, groups = np.array([0.5, 0.7, 0.9, 0.1]), ["a", "a", "a", "b"]
    found = mean_of(values, groups)
    assert found["mean"] == pytest.approx(0.55)
    assert found["n"] == 4
    assert found["low"] == pytest.approx(0.55 - 12.706 * 0.225)
    assert mean_of(values, groups, within=(0, 1))["high"] == 1.0
    assert np.isnan(mean_of(values, ["a"] * 4)["low"])


def test_an_interval_is_not_stretched_by_the_few_that_make_the_spread():
    """One of 12 is 1.2: sd .3464, error .1. A third of all resamples does not hold it:
    0 where .1 is meant, which counts as three errors off, and not as countless."""
    found = mean_of(np.array([1.2] + [0.0] * 11))
    assert found["high"] == pytest.approx(0.1 + 3 * 0.1)
    assert -0.1 < found["low"] < 0.1
    gaps = np.random.default_rng(0).normal(0, 1e-4, 30)
    gaps[7] = 0.5
    far = paired(gaps, np.zeros(30))
    assert -0.05 < far.low < far.high < 0.1


def test_what_is_as_good_as_no_difference_needs_no_number_of_pictures():
    gaps = np.array([0.1, -0.1, 0.2, -0.2, 0.3, -0.3 + 1e-17])
    assert paired(gaps, np.zeros(6)).needed is None


def test_intervals_grow_where_pictures_belong_together():
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(12), 10)
    values = 0.8 + np.repeat(rng.normal(0, 0.05, 12), 10) + rng.normal(0, 0.01, 120)
    alone, together = mean_of(values), mean_of(values, patients)
    assert alone["mean"] == pytest.approx(together["mean"])
    width = [x["high"] - x["low"] for x in (alone, together)]
    assert width[1] > 2 * width[0]


def test_sign_flips_by_hand():
    """Of the 8 ways to flip 3, 2 and 1, two give a sum of 6 or -6."""
    found = paired(np.array([3.0, 2, 1, 5]), np.array([0.0, 0, 0, 5]))
    assert found.p == pytest.approx(2 / 8)
    assert (found.difference, found.n, found.first, found.second) == (1.5, 4, 3, 0)


def test_a_score_that_is_not_defined_takes_no_part():
    found = paired(np.array([1.0, np.nan, 3]), np.array([0.0, 1, np.nan]))
    assert (found.n, found.difference) == (1, 1.0)


def test_as_many_pictures_as_the_text_book_says():
    """(1.96 + 0.84)^2 sd^2 / mean^2, for differences of mean .01 and sd .05."""
    gaps = np.random.default_rng(0).normal(0, 1, 400)
    gaps = 0.01 + 0.05 * (gaps - gaps.mean()) / gaps.std(ddof=1)
    assert paired(gaps, np.zeros(400)).needed == np.ceil(7.849 * 25)
