"""The compiled steps: one of training, one of evaluation, and the evaluation loop."""

import contextlib
from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from segjax import parallel
from segjax.base import Task
from segjax.models import forward, forward_train, initialise
from segjax.optim import Optimizer


class State(NamedTuple):
    """All that training changes, and the seed it follows from. Arrays only."""

    step: Array  # i32[]
    params: Any
    batch_stats: Any
    ema: Any  # averaged {"params", "batch_stats"}, or () for none
    opt_state: Any
    seed: Array  # u32[]


def create_state(model: nn.Module, optimizer: Optimizer, seed: int, size: int) -> State:
    """The state before the first step."""
    variables = initialise(model, jax.random.key(seed), size)
    return State(
        step=jnp.zeros((), jnp.int32),
        params=variables["params"],
        batch_stats=variables["batch_stats"],
        ema=jax.tree.map(jnp.copy, variables) if optimizer.ema else (),
        opt_state=optimizer.update.init(variables["params"]),
        seed=jnp.array(seed, jnp.uint32),
    )


def evaluated_variables(state: State) -> dict[str, Any]:
    """What is scored and used: the averaged weights, where they are kept."""
    return state.ema or {"params": state.params, "batch_stats": state.batch_stats}


def saved_parts(state: State) -> dict[str, dict[str, Any]]:
    """The state as a checkpoint keeps it: what prediction needs, and what only going
    on needs."""
    model, training = ("params", "batch_stats", "ema"), ("step", "opt_state", "seed")
    return {
        "model": {field: getattr(state, field) for field in model},
        "training": {field: getattr(state, field) for field in training},
    }


def make_train_step(
    model: nn.Module, task: Task, optimizer: Optimizer, augment: Callable
) -> Callable:
    """The per-device step `train_step(state, source, batch) -> state, metrics`.

    augment(key, example) -> example; source: a store {word: [n,...]} with batch
    {"index": i32[b], "position": i32[b]}, or () with the examples in the batch;
    position: of the picture in the global batch, so that its randomness is its own.
    """

    def train_step(state: State, source, batch):
        change_keys, drop_keys = _picture_keys(state, batch["position"])
        examples = jax.vmap(augment)(change_keys, _examples(source, batch))
        targets = jax.vmap(task.encode)(examples)
        weights = jax.lax.psum(_weights(task, targets, examples), parallel.AXIS)
        gradients, terms, batch_stats = _accumulate(
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
        finite = jnp.isfinite(loss) & jnp.isfinite(norm)
        updated = _update(state, optimizer, gradients, batch_stats)
        # not finite: the whole old state stays, statistics and averages too
        kept = jax.tree.map(
            lambda new, old: jnp.where(finite, new, old), updated, state
        )
        metrics = {"loss": loss, "gradient_norm": norm, "finite": finite}
        metrics |= {f"loss/{name}": value for name, value in terms.items()}
        return kept._replace(step=state.step + 1), metrics

    return train_step


def _picture_keys(state: State, position: Array) -> tuple[Array, Array]:
    """Two keys a picture, for augmentation and for dropout, from seed, step and its
    position in the global batch. key[b] x2"""
    key = jax.random.fold_in(jax.random.key(state.seed), state.step)
    keys = jax.vmap(lambda p: jax.random.split(jax.random.fold_in(key, p)))(position)
    return keys[:, 0], keys[:, 1]


def _examples(source, batch) -> dict[str, Array]:
    if not source:
        return batch["examples"]
    return {word: array[batch["index"]] for word, array in source.items()}


def _weights(task: Task, targets, examples) -> dict[str, Array]:
    """The weight of each term over this device's pictures. It does not depend on the
    outputs, so empty maps will do, and the gradient needs no collective inside."""
    b, h, w = examples["image"].shape[:3]
    maps = {name: jnp.zeros((b, h, w, c)) for name, c in task.heads.items()}
    sums = jax.vmap(task.loss)(maps, targets)
    return {name: weight.sum() for name, (_, weight) in sums.items()}


def _accumulate(model, task, state, pictures, weights, optimizer):
    """Gradients, loss terms and new statistics, part by part of the device's batch.

    This device's share of the mean over all pixels that count: numerators over the
    weights of all devices. The sum over devices is then the exact mean.
    """

    def loss_of(params, batch_stats, part):
        images, targets, keys = part
        variables = {"params": params, "batch_stats": batch_stats}
        outputs, changed = forward_train(model, variables, images, keys)
        sums = jax.vmap(task.loss)(outputs, targets)
        terms = {
            name: numerator.sum() / jnp.where(weights[name] > 0, weights[name], 1)
            for name, (numerator, _) in sums.items()
        }
        return sum(terms.values()), (terms, changed)

    def split(array):
        return jnp.split(array, optimizer.accumulate)

    leaves, structure = jax.tree.flatten(pictures)
    batch_stats = state.batch_stats
    sums: list[tuple[Any, Any]] = []  # gradients and loss terms of each part
    # no scan: convolutions inside one crawl on CPUs
    for some_leaves in zip(*map(split, leaves)):
        if sums:  # each part after the one before, or memory holds all of them at once
            some_leaves, sums = jax.lax.optimization_barrier((some_leaves, sums))
        part = jax.tree.unflatten(structure, some_leaves)
        (_, (some, batch_stats)), more = jax.value_and_grad(loss_of, has_aux=True)(
            state.params, batch_stats, part
        )
        sums.append((more, some))
    gradients, terms = jax.tree.map(lambda *a: sum(a), *sums)
    return gradients, terms, batch_stats


def _update(state: State, optimizer: Optimizer, gradients, batch_stats) -> State:
    updates, opt_state = optimizer.update.update(
        gradients, state.opt_state, state.params
    )
    params = optax.apply_updates(state.params, updates)
    ema = state.ema
    if ema:
        # warmed up: a short run must not be left with its initial values
        count = state.step.astype(jnp.float32)
        decay = jnp.minimum(optimizer.ema, (1 + count) / (10 + count))
        now = {"params": params, "batch_stats": batch_stats}
        ema = optax.incremental_update(now, ema, 1 - decay)
    return state._replace(
        params=params, batch_stats=batch_stats, ema=ema, opt_state=opt_state
    )


def make_eval_step(model: nn.Module, task: Task) -> Callable:
    """The per-device step `eval_step(variables, source, batch) -> rows`, one a
    picture: the task's counts, and each loss term's (numerator, weight)."""

    def eval_step(variables, source, batch):
        examples = _examples(source, batch)
        outputs = forward(model, variables, examples["image"])
        targets = jax.vmap(task.encode)(examples)
        rows = jax.vmap(task.count)(jax.vmap(task.decode)(outputs), examples)
        sums = jax.vmap(task.loss)(outputs, targets)
        losses = {f"loss/{name}": jnp.stack(s, -1) for name, s in sums.items()}
        return rows | losses

    return eval_step


def draw_prediction(model: nn.Module, task: Task, state: State, example) -> np.ndarray:
    """What the network makes of one example, drawn beside the truth. u8[h,w',3]"""
    image = example["image"]
    maps = _forward_once(model, evaluated_variables(state), image[None])
    prediction = task.decode({name: m[0] for name, m in maps.items()})
    return task.draw(image, jax.device_get(prediction), example)


_forward_once = jax.jit(forward, static_argnums=0)


def evaluate(
    eval_step: Callable, variables, source, split, batch: int
) -> dict[str, np.ndarray]:
    """The rows of all pictures of a split, in order. {word: [n,...]}

    source: the split's own, on the devices. The last batch is filled up with the last
    picture, whose extra rows are dropped.
    """
    pictures, found = len(split), []
    starts = range(0, pictures, batch)
    wanted = (np.minimum(np.arange(s, s + batch), pictures - 1) for s in starts)
    batches = ({"index": index, "position": np.arange(batch)} for index in wanted)
    with contextlib.closing(split.feed(batches)) as fed:
        for start, one in zip(starts, fed):
            rows = eval_step(variables, source, parallel.share_local(one))
            kept = min(batch, pictures - start)
            found.append(
                {
                    word: np.asarray(row).reshape(-1, *row.shape[2:])[:kept]
                    for word, row in rows.items()
                }
            )
    return {word: np.concatenate([rows[word] for rows in found]) for word in found[0]}


def mean_loss(rows: dict[str, np.ndarray]) -> float:
    """The loss over all pixels that count, from the rows of an evaluation."""
    total = 0.0
    for word, sums in rows.items():
        if word.startswith("loss/"):
            numerator, weight = np.asarray(sums, np.float64).sum(0)
            total += numerator / weight if weight > 0 else 0.0
    return total
