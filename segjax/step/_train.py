"""The compiled step of training."""

import functools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jax import Array

from segjax import parallel
from segjax.base import Task
from segjax.models import forward_train, keeping_little
from segjax.optim import Optimizer
from segjax.step._state import State


def make_train_step(
    model: nn.Module, task: Task, optimizer: Optimizer, augment: Callable
) -> Callable:
    """The per-device step `train_step(state, source, batch) -> state, metrics`.

    augment(key, example) -> example; source: a store {word: [n,...]} with batch
    {"index": i32[b], "position": i32[b]}, or () with the examples in the batch;
    position: of the picture in the global batch, so that its randomness is its own.
    """

    def train_step(state: State, source, batch):
        change_keys, drop_keys = picture_keys(state, batch["position"])
        examples = jax.vmap(augment)(change_keys, examples_of(source, batch))
        targets = jax.vmap(task.encode)(examples)
        weights = jax.lax.psum(term_weights(task, targets, examples), parallel.AXIS)
        gradients, terms, batch_stats = accumulate(
            model,
            task,
            state,
            (examples["image"], targets, drop_keys),
            weights,
            optimizer,
        )
        gradients, terms = jax.lax.psum((gradients, terms), parallel.AXIS)
        loss = sum(terms.values())
        norm = optax.tree.norm(gradients)
        updates, opt_state = optimizer.update.update(
            gradients, state.opt_state, state.params
        )
        # The new state waits for the updates' size: what they are made of can then be
        # written over, and XLA needs no copy of it.
        sizes = jnp.stack([loss, norm, optax.tree.norm(updates)])
        finite = jnp.isfinite(sizes).all()
        updated = _updated(state, optimizer.ema, updates, batch_stats, opt_state)
        # not finite: the whole old state stays, statistics and averages too
        kept = jax.tree.map(
            lambda new, old: jnp.where(finite, new, old), updated, state
        )
        metrics = {"loss": loss, "gradient_norm": norm, "finite": finite}
        metrics |= {f"loss/{name}": value for name, value in terms.items()}
        if "asked_to_stop" in batch:  # by any of several hosts: all learn it here
            asked = jax.lax.psum(batch["asked_to_stop"], parallel.AXIS)
            metrics["asked_to_stop"] = asked
        return kept._replace(step=state.step + 1), metrics

    return train_step


def picture_keys(state: State, position: Array) -> tuple[Array, Array]:
    """Two keys a picture, for augmentation and for dropout, from seed, step and its
    position in the global batch. key[b] x2"""
    key = jax.random.fold_in(jax.random.key(state.seed), state.step)
    keys = jax.vmap(lambda p: jax.random.split(jax.random.fold_in(key, p)))(position)
    return keys[:, 0], keys[:, 1]


def examples_of(source, batch) -> dict[str, Array]:
    """The examples of a batch: its own, or those of the store. {word: [b,...]}"""
    if not source:
        return batch["examples"]
    return {word: array[batch["index"]] for word, array in source.items()}


def term_weights(task: Task, targets, examples) -> dict[str, Array]:
    """The weight of each term over this device's pictures. It does not depend on the
    outputs, so empty maps will do, and the gradient needs no collective inside."""
    b, h, w = examples["image"].shape[:3]
    maps = {name: jnp.zeros((b, h, w, c)) for name, c in task.heads.items()}
    sums = jax.vmap(task.loss)(maps, targets)
    return {name: weight.sum() for name, (_, weight) in sums.items()}


def accumulate(model, task, state, pictures, weights, optimizer):
    """Gradients, loss terms and new statistics, part by part of the device's batch.

    This device's share of the mean over all pixels that count: numerators over the
    weights of all devices. The sum over devices is then the exact mean. Every answer of
    the network has its loss: the last one's by its terms, the earlier ones' as one.
    """

    forward: Callable = functools.partial(forward_train, model)
    if optimizer.remat:
        forward = keeping_little(forward)

    def loss_of(params, batch_stats, part):
        images, targets, keys = part
        variables = {"params": params, "batch_stats": batch_stats}
        answers, changed = forward(variables, images, keys)
        *earlier, terms = (_terms(task, maps, targets, weights) for maps in answers)
        if earlier:
            # their mean: beside the last one's, and no larger with more stages
            every = [value for stage in earlier for value in stage.values()]
            terms["earlier"] = jnp.stack(every).sum() / len(earlier)
        return sum(terms.values()), (terms, changed)

    def split(array):
        return jnp.split(array, optimizer.accumulate)

    leaves, structure = jax.tree.flatten(pictures)
    batch_stats = state.batch_stats
    sums: list[tuple[Any, Any]] = []  # gradients and loss terms of each part
    # no scan: convolutions inside one crawl on CPUs
    for some_leaves in zip(*map(split, leaves)):
        # each part after the one before, or memory holds all of them at once (CPUs
        # ignore it)
        if sums:
            some_leaves, sums = jax.lax.optimization_barrier((some_leaves, sums))
        part = jax.tree.unflatten(structure, some_leaves)
        (_, (some, batch_stats)), more = jax.value_and_grad(loss_of, has_aux=True)(
            state.params, batch_stats, part
        )
        sums.append((more, some))
    gradients, terms = jax.tree.map(lambda *a: sum(a), *sums)
    return gradients, terms, batch_stats


def _terms(task: Task, outputs, targets, weights) -> dict[str, Array]:
    """The loss terms of one answer: this device's share of each."""
    sums = jax.vmap(task.loss)(outputs, targets)
    return {
        name: numerator.sum() / jnp.where(weights[name] > 0, weights[name], 1)
        for name, (numerator, _) in sums.items()
    }


def _updated(state: State, most: float, updates, batch_stats, opt_state) -> State:
    params = optax.apply_updates(state.params, updates)
    ema = state.ema
    if ema:
        # warmed up: a short run must not be left with its initial values
        count = state.step.astype(jnp.float32)
        decay = jnp.minimum(most, (1 + count) / (10 + count))
        now = {"params": params, "batch_stats": batch_stats}
        ema = optax.incremental_update(now, ema, 1 - decay)
    return state._replace(
        params=params, batch_stats=batch_stats, ema=ema, opt_state=opt_state
    )
