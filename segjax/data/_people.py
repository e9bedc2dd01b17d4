"""The people of a data set: how many, and which of their joints are labelled."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from segjax.base import Info
from segjax.data._intake import listed

_RARE = 0.1  # share of people below which a joint is called rare


class People(NamedTuple):
    """The people of one picture."""

    name: str
    visible: np.ndarray  # of each joint: 0 not labelled, 1 hidden, 2 seen  f32[p,j]
    sizes: np.ndarray  # the longer side of what the joints of each span  f32[p]


def look_at_people(name: str, keypoints: np.ndarray) -> People:
    """keypoints: f32[p,j,3]; people without a joint, as rows are padded, are none."""
    known = keypoints[keypoints[..., 2].any(-1)]
    placed = np.where(known[..., 2:] > 0, known[..., :2], np.nan)
    spans = [np.ptp(p[np.isfinite(p[:, 0])], axis=0).max() for p in placed]
    return People(name, known[..., 2], np.array(spans, np.float32))


def facts_of_people(people: Sequence[People], info: Info) -> list[str]:
    """How many there are, how large, and how many have each joint."""
    counts = [len(one.visible) for one in people]
    sizes = np.concatenate([one.sizes for one in people])
    if not len(sizes):
        return ["people: none"]
    visible = np.concatenate([one.visible for one in people])
    facts = [
        f"people: {len(sizes):,}, {min(counts)} to {max(counts)} a picture; joints span"
        f" {sizes.min():.0f} to {sizes.max():.0f} pixels, {np.median(sizes):.0f} in the"
        " middle"
    ]
    for k, name in enumerate(info.joints):
        labelled, hidden = (visible[:, k] > 0).mean(), (visible[:, k] == 1).mean()
        also = f", hidden of {hidden:.0%}" if hidden else ""
        facts.append(f"{name}: labelled of {labelled:.0%} of the people{also}")
    return facts


def notes_on_people(people: Sequence[People], info: Info) -> list[str]:
    """What may be wrong with them, in sentences."""
    told = []
    nobody = [one.name for one in people if not len(one.visible)]
    if nobody:
        told.append(f"Pictures of nobody: {len(nobody)}, {listed(nobody)}.")
    heaped = [one.name for one in people if _is_heaped(one)]
    if heaped:
        told.append(
            f"Pictures of which all joints lie in one place: {len(heaped)},"
            f" {listed(heaped)}. Look at what is written of them."
        )
    visible = np.concatenate([one.visible for one in people])
    share = (visible > 0).sum(0) / max(1, len(visible))
    rare = [f"{info.joints[k]} {share[k]:.0%}" for k in np.flatnonzero(share < _RARE)]
    if rare:
        told.append(
            f"Joints seldom labelled: {listed(rare)} of the people. A network may not"
            " learn them."
        )
    return told


def _is_heaped(one: People) -> bool:
    """Whether nobody's joints lie apart, and somebody has several."""
    return not one.sizes.any() and bool(((one.visible > 0).sum(-1) > 1).any())
