"""Scores from rows: the mean over pictures with its interval, and the pooled figure."""

from collections.abc import Callable

import numpy as np

DRAWS = 2000


def summarise(score: Callable, rows: dict[str, np.ndarray], seed: int = 0) -> dict:
    """Every score as {mean, low, high, pooled, n}.

    mean: over pictures, of the score of each alone; pooled: one score of all pixels;
    low, high: the 95 % bootstrap interval of the mean over pictures; n: the pictures
    whose score is defined.
    """
    per_picture = score_each(score, rows)
    pooled = score(rows)
    return {
        name: {**_interval(values, seed), "pooled": float(pooled[name])}
        for name, values in per_picture.items()
    }


def score_each(score: Callable, rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The scores of each picture alone. {word: [n,...]} -> {name: f64[n]}"""
    n = len(next(iter(rows.values())))
    alone = [score({w: r[i : i + 1] for w, r in rows.items()}) for i in range(n)]
    return {name: np.array([s[name] for s in alone], np.float64) for name in alone[0]}


def _interval(values: np.ndarray, seed: int) -> dict[str, float]:
    defined = values[np.isfinite(values)]
    n = len(defined)
    if n == 0:
        return {"mean": np.nan, "low": np.nan, "high": np.nan, "n": 0}
    draws = np.random.default_rng(seed).integers(0, n, (DRAWS, n))
    low, high = np.percentile(defined[draws].mean(1), [2.5, 97.5])
    return {
        "mean": float(defined.mean()),
        "low": float(low),
        "high": float(high),
        "n": n,
    }
