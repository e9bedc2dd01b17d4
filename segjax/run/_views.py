"""A square picture seen in several ways: flipped, turned, and back."""

from collections.abc import Iterable

import numpy as np

MIRROR = 4  # of the eight views, the one that is flipped and not turned


def mean_of(views: Iterable[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """What the mean of their probabilities means, and how unsure it is."""
    found = (view["probability"] for view in views)
    sums, count = next(found), 1
    for one in found:  # one by one: eight of a large picture take gigabytes
        sums, count = sums + one, count + 1
    probability = sums / np.float32(count)
    logs = np.log(np.maximum(probability, 1e-12))
    entropy = -(probability * logs).sum(-1) / np.log(probability.shape[-1])
    return {
        "semantic": probability.argmax(-1).astype(np.uint8),
        "probability": probability,
        "uncertainty": entropy.clip(0, 1).astype(np.float32),  # rounding may pass 1
    }


def seen_from(image: np.ndarray, view: int) -> np.ndarray:
    """A square picture flipped (from the fifth view on) and turned. [s,s,...]"""
    return np.rot90(image[:, ::-1] if view >= MIRROR else image, view % 4)


def seen_back(maps: np.ndarray, view: int) -> np.ndarray:
    """What `seen_from` did undone. [s,s,...]"""
    turned = np.rot90(maps, -(view % 4))
    return turned[:, ::-1] if view >= MIRROR else turned
