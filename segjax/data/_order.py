"""Which pictures step N sees: a function of (seed, N) alone."""

import functools

import numpy as np


def indices(seed: int, step: int, batch: int, pictures: int) -> np.ndarray:
    """The pictures of a step, i64[batch].

    The sequence of all samples is one shuffled epoch after another; a step takes the
    next `batch` of them, so batches are always full and a resumed run needs no state.
    """
    sample = step * batch + np.arange(batch)
    epoch, place = np.divmod(sample, pictures)
    shuffled = [_shuffle(seed, int(e), pictures)[p] for e, p in zip(epoch, place)]
    return np.array(shuffled)


def make_batch(
    seed: int, step: int, batch: int, pictures: int
) -> dict[str, np.ndarray]:
    """What a training step takes beside the store: which pictures, and the position
    of each in the batch, from which its randomness follows. {word: i64[batch]}"""
    index = indices(seed, step, batch, pictures)
    return {"index": index, "position": np.arange(batch)}


@functools.lru_cache(maxsize=4)
def _shuffle(seed: int, epoch: int, pictures: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(pictures)
