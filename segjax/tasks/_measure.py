"""What is measured of a predicted mask at the picture's own size: overlap, surfaces,
calibration. On the host; the distances are compiled."""

from typing import Any

import numpy as np

from segjax.base import VOID
from segjax.ops.calibration import reliability
from segjax.ops.distance import inner_band, surface, surface_distances

_SIDES = (2, 3)  # times 64, 128, 256, ...: sides that masks are filled up to, so that
#                  few programs will do
BAND = 0.02  # of the diagonal: the width of boundary IoU's band


def measure(
    prediction: dict[str, Any],
    example: dict[str, Any],
    tolerance: float,
    *,
    classes: int,
) -> dict[str, np.ndarray]:
    """The row of one picture.

    confusion i64[c,c]; reliability f64[bins,3]; and of each class that is an object
    (the second of two, all of many) hd95 f64[k] and surface f64[k,8]: points of the
    true surface and of the predicted one, the distances from each to the other summed,
    how many lie within the tolerance, and boundary IoU's intersection and union.
    Distances are pixels; nan for a class in neither truth nor prediction, and the
    picture's diagonal for one that is in only one of them.
    """
    truth = np.asarray(example["semantic"])
    called = np.asarray(prediction["semantic"])
    counts = truth != VOID
    pairs = truth[counts].astype(np.int64) * classes + called[counts]
    objects = [1] if classes == 2 else range(classes)
    found = [
        _surfaces((truth == k) & counts, (called == k) & counts, tolerance)
        for k in objects
    ]
    return {
        "confusion": np.bincount(pairs, minlength=classes**2).reshape(classes, classes),
        "reliability": reliability(prediction["probability"], truth),
        "hd95": np.array([hd95 for hd95, _ in found]),
        "surface": np.array([sums for _, sums in found]),
    }


def _surfaces(truth: np.ndarray, called: np.ndarray, tolerance: float):
    """hd95 and the sums of one class. bool[h,w] x2 -> float, f64[8]"""
    if not truth.any() and not called.any():
        return np.nan, np.zeros(8)
    diagonal = float(np.hypot(*truth.shape))
    band = max(1, round(BAND * diagonal))
    truth, called = _cut_out(truth, called)
    inner = [np.asarray(inner_band(mask, band)) for mask in (truth, called)]
    overlap = [float((inner[0] & inner[1]).sum()), float((inner[0] | inner[1]).sum())]
    if not truth.any() or not called.any():
        points = [_surface_points(mask) for mask in (truth, called)]
        return diagonal, np.array(
            [*points, *(n * diagonal for n in points), 0, 0, *overlap]
        )
    both = [np.sqrt(squared) for squared in surface_distances(truth, called)]
    hd95 = max(float(np.percentile(d, 95)) for d in both)
    within = [float((d <= tolerance).sum()) for d in both]
    sums = [*map(len, both), *(d.sum() for d in both), *within, *overlap]
    return hd95, np.array(sums, np.float64)


def _surface_points(mask: np.ndarray) -> int:
    return int(np.asarray(surface(mask)).sum())


def _roomy(side: int) -> int:
    """The next of 128, 192, 256, 384, 512, ..."""
    doubled = 64
    while side > _SIDES[-1] * doubled:
        doubled *= 2
    return next(times * doubled for times in _SIDES if side <= times * doubled)


def _cut_out(truth: np.ndarray, called: np.ndarray):
    """Both masks, cut to where either is, and filled up to a size of few."""
    either = truth | called
    box = []
    for axis in (0, 1):
        (at,) = np.nonzero(either.any(1 - axis))
        box.append(slice(int(at[0]), int(at[-1]) + 1))
    beyond = [(0, _roomy(s.stop - s.start) - (s.stop - s.start)) for s in box]
    return (np.pad(mask[tuple(box)], beyond) for mask in (truth, called))
