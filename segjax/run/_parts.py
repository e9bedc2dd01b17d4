"""A config built into the parts that a training is made of."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from segjax import data, models, parallel, tasks
from segjax.base import Info, Mistake, Task, check_range
from segjax.ops.augment import augment, check_augment
from segjax.optim import Optimizer, make_optimizer
from segjax.run._config import LOG, check_options, options


class Parts(NamedTuple):
    info: Info
    task: Task
    model: nn.Module  # sums its batch statistics over the devices of a pmapped step
    optimizer: Optimizer
    augment: Callable  # key, example -> example


def build_parts(config: ConfigDict, devices: int | None = None) -> Parts:
    """The parts, or a Mistake; nothing is computed, read or written.

    devices: that share the batch; unset for those here.
    """
    check_options(config)
    check_range("steps", config.steps, 1)
    check_range("seed", config.seed, 0, 2**32 - 1)
    for name in LOG:
        check_range(f"log.{name}", config.log.get(name) or 0, 0)
    loading = data.Loading.of(options(config.data))
    loading.check()
    optimizer = make_optimizer(config.steps, **options(config.optim))
    parallel.check_batch(config.batch, optimizer.accumulate, devices)
    info = data.make_info(**options(config.data))
    task = tasks.make_task(info=info, **options(config.task))
    model = models.build(
        heads=task.heads, axis_name=parallel.AXIS, **options(config.model)
    )
    change = options(config.augment)
    if loading.fit == "crop":
        if "crop" in change:
            raise Mistake(
                "With data.fit=crop, data.size is the crop; unset augment.crop."
            )
        change["crop"] = loading.size
    check_augment(loading.side, **change)
    changed = functools.partial(augment, mirror=info.mirror, **change)
    parts = Parts(info, task, model, optimizer, changed)
    _check_shapes(parts, loading.size)
    return parts


def _check_shapes(parts: Parts, size: int) -> None:
    """The network run on shapes alone: what cannot be built fails before compiling."""
    try:
        hash(parts.model)
    except TypeError:
        raise Mistake(
            f"A field of {type(parts.model).__name__} can change, so no program can be"
            " kept for it. In models, make lists tuples, and dicts FrozenDict."
        ) from None
    shapes = _map_shapes(parts.model, size)
    for name, channels in parts.task.heads.items():
        if shapes[name] != (1, size, size, channels):
            raise Mistake(
                f"The model's map {name!r} is {shapes[name][1:]} for a picture of"
                f" {size} x {size}; a task needs maps of the picture's size"
                " (model.margin=false is for looking only)."
            )


@functools.lru_cache(maxsize=16)  # all trainings of a comparison ask for the same
def _map_shapes(model: nn.Module, size: int) -> dict[str, tuple[int, ...]]:
    def outputs(key):
        variables = models.initialise(model, key, size)
        return models.forward(model, variables, jnp.zeros((1, size, size, 3)))

    maps = jax.eval_shape(outputs, jax.random.key(0))
    return {name: of.shape for name, of in maps.items()}
