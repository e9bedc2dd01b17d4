"""Scores of classes from the rows of pictures: of one, or of all together."""

import numpy as np

from segjax.base import Info
from segjax.ops.calibration import calibration_error


def measured_scores(rows, iou: float | None) -> dict[str, float]:
    """The scores that only rows from `measure` have: of surfaces, and calibration.

    hd95: the larger of the two 95th percentiles of the distances from one surface to
    the other; asd: the mean of all those distances; surface_dice: the share of them
    within the tolerance; boundary_iou: IoU of the bands along the two contours. Means
    over the classes in truth or prediction; a picture of two classes in which the
    second is rightly found absent has distance 0 and overlap 1.

    iou: of two classes, for the two scores that are cut off by a threshold:
    isic_jaccard (ISIC 2018: 0 below .65) and course_iou (the course's: the share of the
    thresholds .5, .55, ... .95 that IoU is above). Those and hd95 are of a picture: no
    pooled figure.
    """
    sums = np.asarray(rows["surface"], np.float64).sum(0)
    points, alone = sums[:, 0] + sums[:, 1], len(rows["hd95"]) == 1
    scores = {
        "hd95": _mean(rows["hd95"][0]) if alone else np.nan,
        "asd": _mean(_ratio(sums[:, 2] + sums[:, 3], points)),
        "surface_dice": _mean(_ratio(sums[:, 4] + sums[:, 5], points)),
        "boundary_iou": _mean(_ratio(sums[:, 6], sums[:, 7])),
        "ece": calibration_error(rows["reliability"].sum(0)),
    }
    if iou is None:
        return scores
    if points.sum() == 0 and iou == 1:
        scores |= {"hd95": 0.0, "asd": 0.0, "surface_dice": 1.0, "boundary_iou": 1.0}
    cut = iou if iou >= 0.65 or np.isnan(iou) else 0.0
    passed = iou > np.arange(10, 20) / 20  # .5, .55, ... .95
    return scores | {
        "isic_jaccard": cut if alone else np.nan,
        "course_iou": passed.mean() if alone and iou == iou else np.nan,
    }


def _ratio(top, bottom):
    """top / bottom, and nan where there is nothing to divide by. f64[...] x2"""
    top, bottom = np.asarray(top, np.float64), np.asarray(bottom, np.float64)
    return np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0)


def _overlaps(matrix):
    """Dice and IoU of each class; nan for one in neither truth nor prediction."""
    both, true, called = np.diag(matrix), matrix.sum(1), matrix.sum(0)
    return _ratio(2 * both, true + called), _ratio(both, true + called - both)


def _mean(values):
    """The mean of those that are defined. f64[n] -> float"""
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if len(defined) else float("nan")


def scores_of_two(matrix) -> dict[str, float]:
    """Dice, IoU, sensitivity and specificity of class 1; mIoU over both classes.

    No pixel of class 1 in truth nor prediction: it was rightly found absent, Dice and
    IoU are 1. Nothing counted at all: every score is nan.
    """
    dice, iou = _overlaps(matrix)
    found_absent = matrix.sum() > 0 and np.isnan(dice[1])
    return {
        "dice": 1.0 if found_absent else float(dice[1]),
        "iou": 1.0 if found_absent else float(iou[1]),
        "miou": _mean(iou),
        "accuracy": float(_ratio(np.trace(matrix), matrix.sum())),
        "sensitivity": float(_ratio(matrix[1, 1], matrix[1].sum())),
        "specificity": float(_ratio(matrix[0, 0], matrix[0].sum())),
    }


def scores_of_many(matrix, info: Info) -> dict[str, float]:
    """Means over the classes in truth or prediction, and the IoU of each class."""
    dice, iou = _overlaps(matrix)
    total, true, called = matrix.sum(), matrix.sum(1), matrix.sum(0)
    both = np.diag(matrix)
    not_it = _ratio(total - true - called + both, total - true)
    means = {
        "miou": _mean(iou),
        "dice": _mean(dice),
        "accuracy": float(_ratio(np.trace(matrix), total)),
        "sensitivity": _mean(_ratio(both, true)),
        "specificity": _mean(np.where(true + called > 0, not_it, np.nan)),
    }
    return means | {f"iou/{c}": float(v) for c, v in zip(info.classes, iou)}
