"""Whether probabilities mean what they say, and the temperature that mends them."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from segjax.base import VOID
from segjax.ops.losses import counted

BINS = 15
LIMITS = (0.1, 10.0)  # temperatures between which it is looked for
# those that are tried, 1 among them, as what logits are multiplied by
INVERSE = np.geomspace(*LIMITS, 81)


def reliability(probability: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """For each of 15 equal bins of confidence: pixels, their confidence summed, and
    how many were right.

    Two classes: the confidence is the probability of class 1, right is where it is
    that class. More: that of the class called, right is where it is rightly called.
    What is no number (of a network gone wrong) is no confidence.
    On the host: sums in float64. f32[h,w,c], u8[h,w] -> f64[bins,3]
    """
    probability = np.nan_to_num(np.asarray(probability)[labels != VOID])  # [pixels, c]
    labels = labels[labels != VOID]
    if probability.shape[-1] == 2:
        confidence, right = probability[:, 1], labels == 1
    else:
        confidence, right = probability.max(-1), labels == probability.argmax(-1)
    bin_of = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    weights = (None, confidence.astype(np.float64), right.astype(np.float64))
    return np.stack([np.bincount(bin_of, w, minlength=BINS) for w in weights], -1)


def calibration_error(bins: np.ndarray) -> float:
    """The expected calibration error: how far confidence is from the share that is
    right, over the bins, each weighed by its pixels. f64[bins,3] -> [0, 1]"""
    pixels, confidence, right = np.asarray(bins, np.float64).T
    total = pixels.sum()
    return float(np.abs(confidence - right).sum() / total) if total else float("nan")


def surprise(logits: Array, labels: Array) -> Array:
    """The cross-entropy summed over the pixels that count, for logits multiplied by
    each of INVERSE. f32[h,w,1 or c], u8[h,w] -> f32[temperatures]"""
    counts = counted(labels)
    if logits.shape[-1] == 1:  # one logit is two: of class 1, and 0 of class 0
        logits = jnp.concatenate([jnp.zeros_like(logits), logits], axis=-1)
    known = jnp.where(counts > 0, labels, 0).astype(jnp.int32)

    def at(inverse):
        logs = jax.nn.log_softmax(logits * inverse)
        true = jnp.take_along_axis(logs, known[..., None], axis=-1)[..., 0]
        return -(true * counts).sum()

    return jax.lax.map(at, jnp.asarray(INVERSE, jnp.float32))


def best_temperature(surprises: np.ndarray) -> float:
    """The temperature of least cross-entropy; 1 where there is none.
    f64[temperatures] -> float

    The cross-entropy is convex in the inverse temperature: a parabola through the
    smallest value tried and its neighbours gives the place between them.
    """
    if not np.isfinite(surprises).all() or np.ptp(surprises) <= 1e-9 * surprises.max():
        return 1.0
    at = int(np.argmin(surprises))
    if not 0 < at < len(INVERSE) - 1:
        return float(1 / INVERSE[at])
    x = np.log(INVERSE[at - 1 : at + 2])
    a, b, _ = np.polyfit(x - x[1], surprises[at - 1 : at + 2], 2)
    return float(np.exp(-(x[1] - b / (2 * a))))
