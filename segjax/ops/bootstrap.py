"""Scores from rows: the mean over pictures with its interval, and the pooled figure;
and whether two methods differ on the same pictures."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

Ranges = Mapping[str, tuple[float, float]]  # {score: (least, most)}
_PLAIN: Ranges = {}  # all in 0..1
DRAWS = 2000
FLIPS = 10_000
_Z = 1.959964 + 0.841621  # two-sided 5 %, and 80 % of finding what is there
_SIGNS = 6  # groups whose signs flip in ways enough for a p below .05
_LEAST = 1e-3  # of its error: a smaller difference is as good as none
_ANY = (-np.inf, np.inf)
_ALIKE = 1e-12  # error beside the mean: only rounding tells them apart
_AT_ONCE = 4_000_000  # values drawn
_FEW = 10  # groups that cannot show their skew
# two-sided 5 % of Student's t, from one degree of freedom on
_STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306)


def summarise(
    score: Callable,
    rows: dict[str, np.ndarray],
    *,
    groups: Sequence[str] | None = None,
    ranges: Ranges = _PLAIN,
    seed: int = 0,
) -> dict:
    """Every score as {mean, low, high, pooled, n}.

    mean: over pictures, of the score of each alone; pooled: one score of all pixels;
    low, high: the 95 % interval of the mean; n: the pictures whose score is defined.
    groups: what pictures come from (a patient, a film), if several come from one;
    ranges: of the scores that do not lie in 0..1.
    """
    per_picture = score_each(score, rows)
    pooled = score(rows)
    return {
        name: {
            **mean_of(values, groups, within=ranges.get(name, (0, 1)), seed=seed),
            "pooled": float(pooled[name]),
        }
        for name, values in per_picture.items()
    }


def score_each(score: Callable, rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The scores of each picture alone. {word: [n,...]} -> {name: f64[n]}"""
    n = len(next(iter(rows.values())))
    alone = [score({w: r[i : i + 1] for w, r in rows.items()}) for i in range(n)]
    return {name: np.array([s[name] for s in alone], np.float64) for name in alone[0]}


def mean_of(
    values: np.ndarray,
    groups: Sequence[str] | None = None,
    *,
    within: tuple[float, float] = _ANY,
    seed: int = 0,
) -> dict[str, float]:
    """{mean, low, high, n} of those values that are defined. f64[n]

    within: what such values can be, and then the mean and its interval too.
    """
    defined = np.isfinite(values)
    sums, sizes = _by_group(values, groups, defined)
    n = int(defined.sum())
    if n == 0:
        return {"mean": np.nan, "low": np.nan, "high": np.nan, "n": 0}
    low, high = interval(sums, sizes, within, seed)
    return {"mean": float(sums.sum() / n), "low": low, "high": high, "n": n}


def interval(
    sums: np.ndarray,
    sizes: np.ndarray,
    within: tuple[float, float] = _ANY,
    seed: int = 0,
) -> tuple[float, float]:
    """The 95 % interval of a mean, by the studentised bootstrap over groups.

    sums, sizes: of the values of each group; a picture alone is a group of one. Scores
    of pictures are skewed, with a few that fail: percentiles of the resampled means
    cover the true mean 89 times of 100 at 30 pictures, this interval 93 times
    (benchmarks/coverage.py). A resample's error counts as a third of the sample's own
    at least: one that misses the few values which make the spread would stretch the
    interval tenfold. Fewer than ten groups cannot show their skew: Student's interval.
    Where all are alike, 3 in g of others may differ (95 %), by as much as `within`
    allows. One group alone says nothing of its spread: nan. f64[g], f64[g]
    """
    g, mean = len(sums), sums.sum() / sizes.sum()
    if g < 2:
        return np.nan, np.nan
    _, (error,) = _mean_and_error(sums[None], sizes[None])
    if error <= _ALIKE * abs(mean):
        share = min(1.0, 3 / g)
        below, above = share * (mean - within[0]), share * (within[1] - mean)
    elif g < _FEW:
        below = above = _STUDENT[g - 2] * error
    else:
        means, errors = _resampled(sums, sizes, seed)
        off = (means - mean) / np.maximum(errors, error / 3)
        least, most = np.percentile(off, [2.5, 97.5])
        below, above = most * error, -least * error
    return max(float(mean - below), within[0]), min(float(mean + above), within[1])


def _resampled(sums: np.ndarray, sizes: np.ndarray, seed: int):
    """Means and errors of resamples, a few at a time: all together they would take
    gigabytes. f64[g] x2 -> f64[draws] x2"""
    rng, g = np.random.default_rng(seed), len(sums)
    few = min(DRAWS, max(1, _AT_ONCE // g))
    found = []
    for begun in range(0, DRAWS, few):
        drawn = rng.integers(0, g, (min(few, DRAWS - begun), g))
        found.append(_mean_and_error(sums[drawn], sizes[drawn]))
    means, errors = zip(*found)
    return np.concatenate(means), np.concatenate(errors)


def _mean_and_error(sums: np.ndarray, sizes: np.ndarray):
    """Means of resamples and their standard errors. f64[draws,g] x2 -> f64[draws] x2"""
    g, total = sums.shape[1], sizes.sum(1)
    means = sums.sum(1) / total
    off = sums - means[:, None] * sizes
    return means, np.sqrt((off**2).sum(1) * g / (g - 1)) / total


def _by_group(values, groups, defined):
    """The sum and number of the defined values of each group. f64[g] x2"""
    names = np.arange(len(values)) if groups is None else np.asarray(groups)
    _, group = np.unique(names[defined], return_inverse=True)
    sizes = np.bincount(group).astype(np.float64)
    return np.bincount(group, values[defined]), sizes


class Paired(NamedTuple):
    """One method against another on the same pictures."""

    difference: float  # mean of first minus second
    low: float  # its 95 % interval
    high: float
    p: float  # as large a difference, either way, where there is none
    n: int  # pictures on which both are defined
    first: int  # pictures on which the first is larger
    second: int
    needed: int | None  # pictures to find such a difference 4 times of 5


def paired(
    first: np.ndarray,
    second: np.ndarray,
    groups: Sequence[str] | None = None,
    *,
    within: tuple[float, float] = _ANY,
    seed: int = 0,
) -> Paired:
    """The paired comparison of two scores of the same pictures.

    The test flips the signs of the differences, a group's together: were neither
    better, each would be as likely. All flips where that is less than 10,000, else
    10,000 drawn. within: what the scores can be. f64[n] x2
    """
    gaps = np.asarray(first, np.float64) - np.asarray(second, np.float64)
    defined = np.isfinite(gaps)
    n = int(defined.sum())
    if n == 0:
        return Paired(np.nan, np.nan, np.nan, np.nan, 0, 0, 0, None)
    sums, sizes = _by_group(gaps, groups, defined)
    mean, most = sums.sum() / n, within[1] - within[0]
    low, high = interval(sums, sizes, (-most, most), seed)
    return Paired(
        difference=float(mean),
        low=low,
        high=high,
        p=_sign_flips(sums, seed),
        n=n,
        first=int((gaps[defined] > 0).sum()),
        second=int((gaps[defined] < 0).sum()),
        needed=_needed(sums, sizes),
    )


def _sign_flips(sums: np.ndarray, seed: int) -> float:
    """How often flipped signs give as large a sum, either way."""
    told = sums[sums != 0]
    g = len(told)
    if 2**g <= FLIPS:
        signs = 1.0 - 2 * (np.arange(2**g)[:, None] >> np.arange(g) & 1)
        flipped, drawn = signs @ told, 0
    else:
        rng, few = np.random.default_rng(seed), max(1, _AT_ONCE // g)
        counts = [min(few, FLIPS - begun) for begun in range(0, FLIPS, few)]
        parts = [rng.choice([-1.0, 1.0], (count, g)) @ told for count in counts]
        flipped, drawn = np.concatenate(parts), 1  # one more: what was found itself
    as_large = np.abs(flipped) >= abs(told.sum()) * (1 - 1e-12)
    return float((as_large.sum() + drawn) / (len(flipped) + drawn))


def _needed(sums: np.ndarray, sizes: np.ndarray) -> int | None:
    """Pictures by which a test would find this difference 4 times of 5; those of six
    groups at the least: of five, the signs flip in too few ways for a p below .05."""
    mean, g = sums.sum() / sizes.sum(), len(sums)
    if g < 2:
        return None
    _, (error,) = _mean_and_error(sums[None], sizes[None])
    if abs(mean) <= _LEAST * error:
        return None
    share = max((_Z * error / mean) ** 2, _SIGNS / g)
    return int(np.ceil(sizes.sum() * share))
