"""Which pictures make a split: fold k is tested, fold k+1 chooses, the rest train."""

from collections.abc import Hashable, Sequence

import numpy as np

from segjax.base import Mistake, check_choice

FOLDS = 5
SPLITS = ("train", "val", "test")


def fold_of_split(split: str, fold: int, folds: int = FOLDS) -> tuple[int, ...]:
    """The folds that make up a split when fold `fold` is the one to be tested."""
    check_choice("the split", split, SPLITS)
    if not 0 <= fold < folds:
        raise Mistake(f"data.fold is {fold}; folds are numbered 0 to {folds - 1}.")
    test, val = fold, (fold + 1) % folds
    train = tuple(k for k in range(folds) if k not in (test, val))
    return {"test": (test,), "val": (val,), "train": train}[split]


def deal(
    folds: int, groups: Sequence[Hashable], kinds: Sequence[Hashable]
) -> np.ndarray:
    """The fold of each picture: a group in one fold, each kind spread evenly. i64[n]

    The largest groups first, each to the fold that has least of its kind, then to the
    smallest, then to the first. A picture alone is a group of one.
    """
    members: dict[Hashable, list[int]] = {}
    for place, group in enumerate(groups):
        members.setdefault(group, []).append(place)
    order = {kind: k for k, kind in enumerate(dict.fromkeys(kinds))}
    held = np.zeros((folds, len(order)), np.int64)  # pictures of each kind
    fold_of = np.zeros(len(groups), np.int64)
    for places in sorted(members.values(), key=lambda m: (-len(m), m)):
        counts = np.zeros(len(order), np.int64)
        np.add.at(counts, [order[kinds[p]] for p in places], 1)
        most = int(counts.argmax())
        fold = min(range(folds), key=lambda k: (held[k, most], held[k].sum(), k))
        held[fold] += counts
        fold_of[places] = fold
    return fold_of


def rows_of(split: str, pictures: int, fold: int) -> np.ndarray:
    """Indices of a split's pictures, when picture i lies in fold i % 5. i64[n]"""
    if pictures < FOLDS:
        raise Mistake(
            f"The data has {pictures} pictures; each of the {FOLDS} folds needs one, so"
            f" at least {FOLDS}."
        )
    every = np.arange(pictures)
    return every[np.isin(every % FOLDS, fold_of_split(split, fold))]
