"""The compiled step of evaluation, and the loop around it."""

import contextlib
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from segjax import parallel
from segjax.base import Task
from segjax.models import forward
from segjax.step._state import State, evaluated_variables
from segjax.step._train import examples_of


def make_eval_step(model: nn.Module, task: Task) -> Callable:
    """The per-device step `eval_step(variables, source, batch) -> rows`, one a
    picture: the task's counts, and each loss term's (numerator, weight)."""

    def eval_step(variables, source, batch):
        examples = examples_of(source, batch)
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
    prediction = _decode_once(task.decode, {name: m[0] for name, m in maps.items()})
    return task.draw(image, jax.device_get(prediction), example)


_forward_once = jax.jit(forward, static_argnums=0)
# step by step, the loops in it would be compiled one by one, and slowly
_decode_once = jax.jit(lambda decode, maps: decode(maps), static_argnums=0)


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
    batches = (
        parallel.own({"index": index, "position": np.arange(batch)}) for index in wanted
    )
    with contextlib.closing(split.feed(batches)) as fed:
        for one in fed:
            rows = eval_step(variables, source, parallel.share_local(one))
            found.append({word: _by_picture(row) for word, row in rows.items()})
    mine = {word: np.stack([rows[word] for rows in found]) for word in found[0]}
    # [hosts, batches, batch / hosts, ...] -> [pictures, ...]
    return {
        word: np.swapaxes(rows, 0, 1).reshape(-1, *rows.shape[3:])[:pictures]
        for word, rows in parallel.gather(mine).items()
    }


def _by_picture(rows: Array) -> np.ndarray:
    """[devices, pictures a device, ...] -> [pictures, ...]"""
    found = np.asarray(rows)
    return found.reshape(-1, *found.shape[2:])


def mean_loss(rows: dict[str, np.ndarray]) -> float:
    """The loss over all pixels that count, from the rows of an evaluation."""
    total = 0.0
    for word, sums in rows.items():
        if word.startswith("loss/"):
            numerator, weight = np.asarray(sums, np.float64).sum(0)
            total += numerator / weight if weight > 0 else 0.0
    return total
