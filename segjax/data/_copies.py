"""Pictures that are there twice, or nearly: told by thumbnails."""

import collections
from collections.abc import Sequence

import numpy as np
from PIL import Image

from segjax.data._intake import listed

_THUMB = 16  # side of what near-duplicates are told by
_SAME = 0.98  # correlation of two such that are nearly the same picture
_AT_ONCE = 1024  # pictures compared with all others
_FLAT = 1.5  # grey levels that such a picture varies by at least, to be compared


def thumb(image: np.ndarray) -> np.ndarray:
    """A picture as a vector, the product of two being their likeness. f32[d]"""
    size = (_THUMB, _THUMB)
    small = Image.fromarray(image).resize(size, Image.Resampling.BOX)
    values = np.asarray(small, np.float32)
    centred = (values - values.mean((0, 1))).ravel()  # its tint is no likeness
    if centred.std() < _FLAT:  # noise would decide
        return np.zeros_like(centred)
    return centred / np.linalg.norm(centred)


def copies(
    names: list[str], splits: list[str], digests: list[bytes], thumbs: np.ndarray
) -> list[str]:
    """Sentences on pictures that are the same, or nearly, in two splits or in one."""
    told = [f"{name} ({split})" for name, split in zip(names, splits)]
    same: dict[bytes, list[int]] = collections.defaultdict(list)
    for k, digest in enumerate(digests):
        same[digest].append(k)
    groups = [group for group in same.values() if len(group) > 1]
    across = [g for g in groups if len({splits[k] for k in g}) > 1]
    within = [g for g in groups if len({splits[k] for k in g}) == 1]
    found = []
    if across:
        found.append(
            f"The same picture in two splits: {len(across)}, {_named(across, told)}."
            " Its score is no test: leave one of them."
        )
    if within:
        found.append(
            f"The same picture twice in one split: {len(within)},"
            f" {_named(within, told)}. Leave one of them."
        )
    near = _near(np.array(splits), np.array(digests), thumbs)
    if near:
        tested = [pair for pair in near if splits[pair[0]] == "test"]
        found.append(
            f"Nearly the same picture in two splits: {len(near)} pictures, among them"
            f" {len(tested)} of the {splits.count('test')} test pictures,"
            f" {_named(tested or near, told)}. If they are frames of one film or"
            " pictures of one patient, keep these together: data.table=FILE.csv with a"
            " column that says which, and data.group=COLUMN."
        )
    return found


def _near(splits: np.ndarray, digests: np.ndarray, thumbs: np.ndarray):
    """Each picture that has its like in another split, with the first such."""
    found = []
    for start in range(0, len(thumbs), _AT_ONCE):
        these = slice(start, start + _AT_ONCE)
        alike = thumbs[these] @ thumbs.T > _SAME
        alike &= splits[these, None] != splits
        alike &= digests[these, None] != digests
        for k in np.flatnonzero(alike.any(1)):
            found.append((start + int(k), int(alike[k].argmax())))
    return found


def _named(groups: Sequence[Sequence[int]], told: list[str]) -> str:
    return listed([" and ".join(told[k] for k in group[:3]) for group in groups], 3)
