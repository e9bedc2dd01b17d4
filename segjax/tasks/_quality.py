"""The scores of told-apart objects, from the rows that `_match.match` gives."""

import numpy as np

from segjax.base import Info
from segjax.tasks._match import Kinds

THRESHOLDS = np.arange(0.5, 0.999, 0.05)  # of IoU: .50 to .95
_ROUNDING = 1e-6  # of an IoU in 32 bits: a match of exactly .75 is at least .75
_RECALLS = np.linspace(0, 1, 101)

Rows = dict[str, np.ndarray]


def quality_scores(rows: Rows, info: Info, kinds: Kinds) -> dict[str, float]:
    """Panoptic quality first; then, of the objects, average precision over IoU .5 to
    .95, the nuclei challenge's mean precision, aggregated Jaccard, counting error."""
    quality = np.asarray(rows["quality"], np.float64).sum(0)
    things, scored = np.array(kinds.things), np.array(kinds.scored)
    each = dict(zip(("pq", "sq", "rq"), panoptic_quality(quality)))
    scores = {name: _mean(values[scored]) for name, values in each.items()}
    if (scored & ~things).any():
        for name, values in each.items():
            scores[f"{name}_things"] = _mean(values[scored & things])
            scores[f"{name}_stuff"] = _mean(values[scored & ~things])
    scores |= _object_scores(rows, quality, np.flatnonzero(things & scored))
    if scored.sum() > 1:
        for name, values in each.items():
            for c in np.flatnonzero(scored):
                scores[f"{name}/{info.classes[c]}"] = float(values[c])
    return scores


def panoptic_quality(quality: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """PQ, SQ and RQ of each class; nan for one in neither truth nor prediction.

    quality: IoU of matches summed, matches, wrongly called, missed. f64[c,4]
    """
    iou, right, wrong, missed = quality.T
    pq = _ratio(iou, right + wrong / 2 + missed / 2)
    rq = _ratio(right, right + wrong / 2 + missed / 2)
    return pq, np.where(right > 0, _ratio(iou, right), np.where(rq == 0, 0, np.nan)), rq


def _object_scores(rows: Rows, quality: np.ndarray, things: np.ndarray):
    objects = quality[:, 1] + quality[:, 3]
    by_class = np.array(
        [average_precision(rows["found"], c, objects[c], THRESHOLDS) for c in things]
    )
    precision = [
        _at_once(found, q[things]) for found, q in zip(rows["found"], rows["quality"])
    ]
    over, under = np.asarray(rows["overlap"], np.float64).sum(0)
    there, called, _, counted = np.asarray(rows["number"], np.float64).T
    return {
        "ap": _mean(by_class.mean(1)),
        "ap50": _mean(by_class[:, 0]),
        "mean_precision": _mean(np.array(precision)),
        "aji": float(_ratio(over, under)),
        "count_error": _mean(np.where(counted > 0, abs(there - called), np.nan)),
    }


def average_precision(
    found: np.ndarray, kind: int, there: float, thresholds: np.ndarray
) -> np.ndarray:
    """The mean precision over 101 recalls, at each threshold, of one class over all
    pictures; nan where nothing is there. f[n,k,3] -> f64[t]"""
    if there == 0:
        return np.full(len(thresholds), np.nan)
    score, iou, of_class = np.moveaxis(np.asarray(found, np.float64), -1, 0)
    counts = (score >= 0) & (of_class == kind)
    order = np.argsort(-score[counts], kind="stable")
    right = iou[counts][order] >= thresholds[:, None] - _ROUNDING
    hits = right.cumsum(1)
    recall = hits / there
    precision = hits / np.arange(1, hits.shape[1] + 1)
    # never rising with recall: the best that a stricter cut could have had
    precision = np.maximum.accumulate(precision[:, ::-1], 1)[:, ::-1]
    return np.array([_over_recalls(r, p) for r, p in zip(recall, precision)])


def _over_recalls(recall: np.ndarray, precision: np.ndarray) -> float:
    at = np.searchsorted(recall, _RECALLS, side="left")
    return float(np.append(precision, 0)[at].mean())


def _at_once(found: np.ndarray, quality: np.ndarray) -> float:
    """Of one picture: right / (right + wrong + missed), the mean over thresholds, with
    all that was called, whatever its score."""
    score, iou, _ = np.asarray(found, np.float64).T
    called = score >= 0
    there = float(quality[:, 1].sum() + quality[:, 3].sum())
    if there + called.sum() == 0:
        return float("nan")
    right = (iou[called] > THRESHOLDS[:, None] + _ROUNDING).sum(1)
    return float((right / (there + called.sum() - right)).mean())


def remark(rows: Rows, slots: int) -> str:
    """Whether there were objects that no slot was left for."""
    full = np.asarray(rows["number"])[:, 2] > 0
    if not full.any():
        return ""
    return (
        f"all {slots} slots for objects are full in {full.sum()} of {len(full)}"
        " pictures; what is beyond them is missed: --config.task.objects=N makes more."
    )


def _ratio(a, b):
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return np.divide(a, b, out=np.full(np.shape(b), np.nan), where=b > 0)


def _mean(values: np.ndarray) -> float:
    """The mean of those that are defined."""
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if len(defined) else float("nan")
