"""The optimizer: AdamW or SGD, clipped, warmed up, along a half cosine."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from segjax.base import Mistake, check_choice, check_range


class Optimizer(NamedTuple):
    update: optax.GradientTransformation
    schedule: optax.Schedule  # step -> learning rate
    ema: float  # decay of the averaged weights; 0 is none
    accumulate: int  # parts that a batch is worked through in
    remat: bool = False  # whether gradients work out again what they can


def make_optimizer(
    steps: int,
    changes: Sequence[Sequence[int]] = (),
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
    remat: bool = False,
) -> Optimizer:
    """What makes of gradients an update.

    changes: (step, steps) for a run whose number of steps was changed: up to that step
    it was to have so many. The rate goes over from the old course to the new one.
    warmup: steps of linear rise, unset for a twentieth of all; schedule: cosine (down
    to 0 at the last step) or constant; weight_decay: not on biases and norms; clip:
    the largest norm of all gradients together, 0 for none; ema: decay of the weights
    averaged for evaluation; accumulate: parts of a batch, one after another, for
    batches that memory does not hold (batch statistics are then each part's own);
    remat: of each layer only the convolution's map is kept for the gradients, and the
    rest worked out again: less memory, a little more work.
    """
    check_choice("optim.name", name, ("adamw", "sgd"))
    check_choice("optim.schedule", schedule, ("cosine", "constant"))
    rises = steps // 20 if warmup is None else warmup
    check_range("optim.warmup", rises, 0)
    if rises >= steps:
        raise Mistake(f"optim.warmup is {rises}; it must be below steps, {steps}.")
    check_range("optim.learning_rate", learning_rate, 0)
    check_range("optim.weight_decay", weight_decay, 0)
    check_range("optim.momentum", momentum, 0, 0.9999)
    check_range("optim.clip", clip, 0)
    check_range("optim.ema", ema, 0, 0.999999)
    check_range("optim.accumulate", accumulate, 1)
    rate = _changing_schedule(schedule, learning_rate, warmup, steps, changes)
    parts = [optax.clip_by_global_norm(clip)] if clip else []
    if name == "sgd":
        parts += [
            optax.add_decayed_weights(weight_decay, mask=_decayed),
            optax.sgd(rate, momentum=momentum or None),
        ]
    else:
        parts += [optax.adamw(rate, weight_decay=weight_decay, mask=_decayed)]
    return Optimizer(optax.chain(*parts), rate, ema, accumulate, remat)


def _changing_schedule(
    kind: str,
    peak: float,
    warmup: int | None,
    steps: int,
    changes: Sequence[Sequence[int]],
) -> optax.Schedule:
    """The course of one number of steps after another. Where it changes, the rate goes
    over in a straight line within a warm-up: no leap, and no second start from 0."""
    lengths = [*(was for _, was in changes), steps]
    first, *others = (_schedule(kind, peak, warmup, length) for length in lengths)
    course = first
    for (at, _), length, later in zip(changes, lengths[1:], others):
        over = max(warmup or 0, length // 20, 1)
        course = _go_over(course, later, at, over)
    return course


def _go_over(
    before: optax.Schedule, after: optax.Schedule, at: int, over: int
) -> optax.Schedule:
    leap = before(at) - after(at)

    def rate(step):
        left = jnp.clip(1 - (step - at) / over, 0, 1)
        return jnp.where(step < at, before(step), after(step) + leap * left)

    return rate


def _schedule(kind: str, peak: float, warmup: int | None, steps: int) -> optax.Schedule:
    warmup = steps // 20 if warmup is None else warmup
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
