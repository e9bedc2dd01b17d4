"""The scores of poses: how the joints are to be measured, by their names; and the
figures from the rows that `_skeletons.hold` gives."""

from collections.abc import Sequence

import numpy as np

from segjax.ops.sides import side_of
from segjax.tasks._skeletons import RANGES, Pairs

_SIGMAS = {
    "nose": 0.026,
    "eye": 0.025,
    "shoulder": 0.079,
    "elbow": 0.072,
    "wrist": 0.062,
    "hip": 0.107,
    "knee": 0.087,
    "ankle": 0.089,
    "neck": 0.079,
    "head": 0.079,
    "ear": 0.035,
}
_MEAN = 0.067  # of COCO's 17
_RECALLS = np.linspace(0, 1, 101)

Rows = dict[str, np.ndarray]


def score(
    rows: Rows,
    joints: Sequence[str],
    many: bool,
    torso: Pairs | None = None,
    head: Pairs | None = None,
) -> dict[str, float]:
    """Of one person a picture PCK first; of many a picture COCO's average precision.

    pck: of all labelled joints of all people, the share within .2 of the torso; pck10:
    within .1; pckh: within half the head; each where there is what is measured by; oks:
    of each true person and the called one that is his, 0 where he is missed; ap, ar:
    over OKS of at least .50, .55, .. .95; count_error: by how many the people called
    differ from those that are there.
    """
    near, by_joint = _nearness(rows, joints, torso, head)
    oks, people = np.asarray(rows["oks"], np.float64).sum(0)
    alike = {"oks": float(_ratio(oks, people))}
    if not many:
        return near | alike | _precision(rows) | by_joint
    there, called, _ = np.asarray(rows["number"], np.float64).T
    of_torso = {name: share for name, share in near.items() if name == "pck"}
    error = {"count_error": float(abs(there - called).mean())}
    return _precision(rows) | alike | of_torso | by_joint | error


def _nearness(
    rows: Rows, joints: Sequence[str], torso: Pairs | None, head: Pairs | None
) -> tuple[dict[str, float], dict[str, float]]:
    """The share of labelled joints that are right, all joints together and each."""
    right, asked = np.moveaxis(np.asarray(rows["joints"], np.float64).sum(0), -1, 0)
    pck10, pck, pckh = _ratio(right.sum(0), asked.sum(0)).tolist()
    of_head = {"pckh": pckh} if head else {}
    if not torso:
        return of_head, {}
    each = _ratio(right, asked)[:, 1].tolist()
    by_joint = {f"pck/{name}": share for name, share in zip(joints, each)}
    return {"pck": pck, "pck10": pck10} | of_head, by_joint


def _precision(rows: Rows) -> dict[str, float]:
    """COCO's average precision and recall of people, by OKS."""
    curves = {name: average_precision(rows, k) for k, name in enumerate(RANGES)}
    precision, recall = curves["all"]
    return {
        "ap": float(precision.mean()),
        "ap50": float(precision[0]),
        "ap75": float(precision[5]),
        "ar": float(recall.mean()),
        "ap/medium": float(curves["medium"][0].mean()),
        "ap/large": float(curves["large"][0].mean()),
    }


def average_precision(rows: Rows, size: int) -> tuple[np.ndarray, np.ndarray]:
    """At each threshold the mean precision over 101 recalls, and the recall of all who
    were called, of people of that range of areas over all pictures; nan where nobody is
    there. f64[t] x2"""
    there = np.asarray(rows["there"], np.float64)[:, size].sum()
    called = np.asarray(rows["score"], np.float64).ravel()
    fate = np.asarray(rows["fate"])[:, :, size].reshape(len(called), -1)
    if there == 0:
        return (np.full(fate.shape[1], np.nan),) * 2
    order = np.argsort(-called, kind="stable")
    hits = (fate[order] == 1).cumsum(0)
    told = (fate[order] >= 0).cumsum(0)
    recall = hits / there
    precision = hits / np.maximum(told, 1)
    # never rising with recall: the best that a stricter cut could have had
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    over = [_over_recalls(r, p) for r, p in zip(recall.T, precision.T)]
    return np.array(over), recall[-1]


def _over_recalls(recall: np.ndarray, precision: np.ndarray) -> float:
    at = np.searchsorted(recall, _RECALLS, side="left")
    return float(np.append(precision, 0)[at].mean())


def _ratio(a, b):
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return np.divide(a, b, out=np.full(np.shape(b), np.nan), where=b > 0)


def sigmas_of(joints: Sequence[str]) -> tuple[float, ...]:
    """How far each joint may be off, as a share of the root of a person's area: COCO's,
    and of neck and head as of shoulders, by how a word of its name begins. Others get
    the mean of the known ones among these; where none is known, of COCO's 17."""
    words = (side_of(joint)[1].split("_") for joint in joints)
    named = [
        next(
            (s for w in some for part, s in _SIGMAS.items() if w.startswith(part)), None
        )
        for some in words
    ]
    known = [sigma for sigma in named if sigma is not None] or [_MEAN]
    return tuple(sum(known) / len(known) if s is None else s for s in named)


def ends_of(
    joints: Sequence[str], lengths: Sequence[str] | None = None
) -> dict[str, Pairs]:
    """The pairs of joints between which each length is, of the lengths named, unset for
    all, that joints have names for."""
    asked = LENGTHS if lengths is None else lengths
    found = {length: of(joints) for length, of in LENGTHS.items() if length in asked}
    return {length: pairs for length, pairs in found.items() if pairs}


def torso_of(joints: Sequence[str]) -> Pairs | None:
    """Left shoulder and right hip, right shoulder and left hip, as far as joints have
    these names; None if neither."""
    named = [side_of(joint) for joint in joints]
    ends = [
        (_first(named, one, "shoulder"), _first(named, other, "hip"))
        for one, other in (("left", "right"), ("right", "left"))
    ]
    return tuple((a, b) for a, b in ends if a is not None and b is not None) or None


def head_of(joints: Sequence[str]) -> Pairs | None:
    """The top of the head and the neck, a single pair; None if either has no name."""
    named = [side_of(joint) for joint in joints]
    top, neck = _first(named, "", "head", "top"), _first(named, "", "neck")
    return None if top is None or neck is None else ((top, neck),)


def _first(named: list[tuple[str, str]], side: str, *words: str) -> int | None:
    """The first joint of that side whose name has all words."""
    fits = (
        k
        for k, (of_side, name) in enumerate(named)
        if of_side == side and all(word in name for word in words)
    )
    return next(fits, None)


LENGTHS = {"torso": torso_of, "head": head_of}
