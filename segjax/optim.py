"""The optimizer: AdamW or SGD, clipped, warmed up, along a half cosine."""

from typing import NamedTuple

import jax
import optax

from segjax.base import Mistake, check_choice, check_range


class Optimizer(NamedTuple):
    update: optax.GradientTransformation
    schedule: optax.Schedule  # step -> learning rate
    ema: float  # decay of the averaged weights; 0 is none
    accumulate: int  # parts that a batch is worked through in


def make_optimizer(
    steps: int,
    *,
    name: str = "adamw",
    learning_rate: float = 1e-3,
    warmup: int | None = None,
    schedule: str = "cosine",
    weight_decay: float = 1e-4,
    momentum: float = 0.9,
    clip: float = 1.0,
    ema: float = 0.999,
    accumulate: int = 1,
) -> Optimizer:
    """What makes of gradients an update.

    warmup: steps of linear rise, unset for a twentieth of all; schedule: cosine (down
    to 0 at the last step) or constant; weight_decay: not on biases and norms; clip:
    the largest norm of all gradients together, 0 for none; ema: decay of the weights
    averaged for evaluation; accumulate: parts of a batch, one after another, for
    batches that memory does not hold (batch statistics are then each part's own).
    """
    check_choice("optim.name", name, ("adamw", "sgd"))
    check_choice("optim.schedule", schedule, ("cosine", "constant"))
    warmup = steps // 20 if warmup is None else warmup
    check_range("optim.warmup", warmup, 0)
    if warmup >= steps:
        raise Mistake(f"optim.warmup is {warmup}; it must be below steps, {steps}.")
    check_range("optim.learning_rate", learning_rate, 0)
    check_range("optim.weight_decay", weight_decay, 0)
    check_range("optim.momentum", momentum, 0, 0.9999)
    check_range("optim.clip", clip, 0)
    check_range("optim.ema", ema, 0, 0.999999)
    check_range("optim.accumulate", accumulate, 1)
    rate = _schedule(schedule, learning_rate, warmup, steps)
    parts = [optax.clip_by_global_norm(clip)] if clip else []
    if name == "sgd":
        parts += [
            optax.add_decayed_weights(weight_decay, mask=_decayed),
            optax.sgd(rate, momentum=momentum or None),
        ]
    else:
        parts += [optax.adamw(rate, weight_decay=weight_decay, mask=_decayed)]
    return Optimizer(optax.chain(*parts), rate, ema, accumulate)


def _schedule(kind: str, peak: float, warmup: int, steps: int) -> optax.Schedule:
    if kind == "constant":
        after = optax.constant_schedule(peak)
    else:
        after = optax.cosine_decay_schedule(peak, steps - warmup)
    if warmup == 0:
        return after
    # the first step moves already: it takes 1/warmup of the peak, not 0
    rise = optax.linear_schedule(peak / warmup, peak, warmup)
    return optax.join_schedules([rise, after], [warmup])


def _decayed(params):
    """True for kernels: biases and the scales of norms have one axis."""
    return jax.tree.map(lambda leaf: leaf.ndim > 1, params)
