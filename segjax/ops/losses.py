"""Losses of one picture as (numerator, weight): sums over the pixels that count, so
that the mean over any number of pictures and devices is exact."""

import jax
import jax.numpy as jnp
import optax
from jax import Array

from segjax.base import VOID


def counted(labels: Array) -> Array:
    """1 where a pixel counts, 0 where it is void. u8[h,w] -> f32[h,w]"""
    return (labels != VOID).astype(jnp.float32)


def sigmoid_cross_entropy(logits: Array, labels: Array, weight: Array):
    """Binary cross-entropy of one map. f32[h,w], u8[h,w] 0|1, f32[h,w]"""
    positive = (labels == 1).astype(logits.dtype)
    loss = optax.sigmoid_binary_cross_entropy(logits, positive)
    return _weighted(loss, weight)


def softmax_cross_entropy(logits: Array, labels: Array, weight: Array):
    """Cross-entropy over classes. f32[h,w,c], u8[h,w], f32[h,w]"""
    # A void label would index past the classes and give nan; its weight is 0 anyway.
    inside = jnp.minimum(labels, logits.shape[-1] - 1).astype(jnp.int32)
    loss = optax.softmax_cross_entropy_with_integer_labels(logits, inside)
    return _weighted(loss, weight)


def sigmoid_focal(logits: Array, labels: Array, weight: Array, gamma: float = 2.0):
    """Focal loss of one map (arXiv 1708.02002), without its class balance alpha."""
    positive = (labels == 1).astype(logits.dtype)
    return _weighted(optax.sigmoid_focal_loss(logits, positive, gamma=gamma), weight)


def softmax_focal(logits: Array, labels: Array, weight: Array, gamma: float = 2.0):
    """Focal loss over classes: cross-entropy times (1 - probability of truth)^gamma."""
    inside = jnp.minimum(labels, logits.shape[-1] - 1).astype(jnp.int32)
    loss = optax.softmax_cross_entropy_with_integer_labels(logits, inside)
    return _weighted(loss * (-jnp.expm1(-loss)) ** gamma, weight)


def peak_focal(logits: Array, heat: Array, counts: Array):
    """Focal loss of a map of peaks (arXiv 1904.07850): what is near one is blamed less
    for being called one. Its weight is the number of peaks. f32[h,w] x3"""
    log_yes, log_no = -jax.nn.softplus(-logits), -jax.nn.softplus(logits)
    yes = jnp.exp(log_yes)
    is_peak = heat == 1
    missed = -jnp.square(1 - yes) * log_yes
    raised = -jnp.square(yes) * log_no * (1 - heat) ** 4
    loss = jnp.where(is_peak, missed, raised)
    return jnp.where(counts > 0, loss, 0).sum(), (is_peak & (counts > 0)).sum(
        dtype=jnp.float32
    )


def soft_focal(logits: Array, heat: Array, counts: Array):
    """Focal loss of a map of soft values (arXiv 2006.04388): cross-entropy times the
    squared distance from the truth, so that what is nearly all background does not
    drown the rest. Only the numerator: what it is a mean over the caller knows.
    f32[h,w,c] x3"""
    far = jnp.square(jax.nn.sigmoid(logits) - heat)
    loss = far * optax.sigmoid_binary_cross_entropy(logits, heat)
    return jnp.where(counts > 0, loss, 0).sum()


def place_cross_entropy(logits: Array, heat: Array, counts: Array):
    """Cross-entropy over the places of a picture, of each map by itself: where the one
    thing of its kind is. Less that of the truth with itself, so that 0 is perfect.
    heat: of each map, 0 all over where nobody knows; counts: the places that may be
    called. f32[h,w,c], f32[h,w,c], f32[h,w]"""
    axes = (0, 1)
    # not -inf: where nothing counts its gradient would be nan
    log_share = jax.nn.log_softmax(
        jnp.where(counts[..., None] > 0, logits, -1e9), axis=axes
    )
    heat = heat * counts[..., None]
    total = heat.sum(axes)
    share = heat / jnp.where(total > 0, total, 1)
    own = jnp.log(jnp.where(share > 0, share, 1))
    loss = jnp.where(share > 0, share * (own - log_share), 0).sum()
    return loss, (total > 0).sum(dtype=jnp.float32)


def soft_dice(probability: Array, truth: Array, counts: Array):
    """1 - Dice of soft masks, the mean over the classes given; one weight a picture.

    A picture in which nothing counts weighs 0. The added 1 pixel lets a class that is
    absent, and rightly not predicted, cost nothing. f32[h,w,c], f32[h,w,c], f32[h,w]
    """
    axes = (0, 1)
    mask = counts[..., None]
    both = (probability * truth * mask).sum(axes)
    either = ((probability + truth) * mask).sum(axes)
    dice = (2 * both + 1) / (either + 1)
    weight = (counts.sum() > 0).astype(jnp.float32)
    return (1 - dice).mean() * weight, weight


def squared_error(predicted: Array, truth: Array, counts: Array):
    """Squared difference over the pixels that count. f32[h,w,c] x2, f32[h,w]"""
    loss = jnp.square(predicted - truth).mean(-1)
    return _weighted(loss, counts)


def _weighted(loss: Array, weight: Array):
    # where, not a product alone: an infinite loss at a void pixel must not give nan.
    return jnp.where(weight > 0, loss * weight, 0).sum(), weight.sum()
