"""Smooth noise that is the same at every size: a table of random bumps, repeated over
the plane and read by a cubic B-spline wherever a pixel happens to lie."""

import numpy as np

BUMPS = 32  # rows and columns of a table


def bumps(rng: np.random.Generator) -> np.ndarray:
    """A table of independent bumps, f32[k,k]."""
    return rng.standard_normal((BUMPS, BUMPS), dtype=np.float32)


def _taps(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The four bumps that reach each place, i64[4,n], and their weights, f32[4,n]."""
    first = np.floor(at).astype(np.int64)
    part = (at - first).astype(np.float32)
    left = 1 - part
    weights = (
        left**3 / 6,
        2 / 3 - part**2 + part**3 / 2,
        2 / 3 - left**2 + left**3 / 2,
        part**3 / 6,
    )
    return (first + np.arange(-1, 3)[:, None]) % BUMPS, np.stack(weights)


def noise(table: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Noise f32[h,w] of about unit variance; `rows` f[h] and `columns` f[w] say where,
    one bump to the unit."""
    # By taps, not by matrix products: BLAS answers such small ones with threads that
    # cost ten times the work.
    lines = sum(weight[:, None] * table[knot] for knot, weight in zip(*_taps(rows)))
    across = zip(*_taps(columns))
    return sum(weight * lines[:, knot] for knot, weight in across) / 0.48


def wave(table: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Noise f32[w] along a line."""
    return sum(w * table[0][knot] for knot, w in zip(*_taps(columns))) / 0.69
