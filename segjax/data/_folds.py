"""Which pictures make a split: fold k is tested, fold k+1 chooses, the rest train."""

import numpy as np

from segjax.base import Mistake, check_choice

FOLDS = 5
SPLITS = ("train", "val", "test")


def fold_of_split(split: str, fold: int) -> tuple[int, ...]:
    """The folds that make up a split when fold `fold` is the one to be tested."""
    check_choice("the split", split, SPLITS)
    if not 0 <= fold < FOLDS:
        raise Mistake(f"data.fold is {fold}; folds are numbered 0 to {FOLDS - 1}.")
    test, val = fold, (fold + 1) % FOLDS
    train = tuple(k for k in range(FOLDS) if k not in (test, val))
    return {"test": (test,), "val": (val,), "train": train}[split]


def rows_of(split: str, pictures: int, fold: int) -> np.ndarray:
    """Indices of a split's pictures, when picture i lies in fold i % 5. i64[n]"""
    if pictures < FOLDS:
        raise Mistake(
            f"The data has {pictures} pictures; each of the {FOLDS} folds needs one, so"
            f" at least {FOLDS}."
        )
    every = np.arange(pictures)
    return every[np.isin(every % FOLDS, fold_of_split(split, fold))]
