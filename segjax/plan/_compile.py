"""The training step, compiled from shapes, and what it costs a device."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from segjax import data, parallel, run
from segjax.base import Info, Mistake
from segjax.plan._flops import count_flops
from segjax.step import create_state, make_train_step

Shapes = tuple[Any, Any, Any]  # of the step's arguments: state, source, batch


class Pictures(NamedTuple):
    """How many there are, where that can be told without reading one."""

    train: int = 0  # 0: nobody knows, and they are taken to be streamed
    val: int = 0
    resident: bool = False  # on every device, from the first step to the last


class Costs(NamedTuple):
    """Of a step, of one device."""

    flops: float
    layer_flops: float  # those of convolutions and matrix products, by their shapes
    bytes: float | None  # read and written; None where the compiler does not count
    memory: dict[str, int]  # what for -> bytes

    @property
    def total(self) -> int:
        return sum(self.memory.values())


def find_pictures(config: ConfigDict, info: Info) -> Pictures:
    """As many as a training would find, if its data is drawn, or prepared already."""
    loading = data.Loading.of(run.options(config.data))
    try:
        rows = run.open_rows(config)
    except Mistake:  # not there yet: a plan is made before that
        return Pictures()
    count = sum(map(len, rows.values()))
    resident = data.fits_devices(count, info, loading)
    return Pictures(len(rows["train"]), len(rows["val"]), resident)


def step_shapes(
    config: ConfigDict, parts: run.Parts, pictures: Pictures, devices: int, batch: int
) -> Shapes:
    """The arguments of a step of `batch` pictures over the devices, as shapes."""
    create = functools.partial(create_state, parts.model, parts.optimizer)
    state = jax.eval_shape(functools.partial(create, size=config.data.size), 0)
    examples = functools.partial(_examples, config, parts.info)
    here = (devices, batch // devices)
    places = jax.ShapeDtypeStruct(here, jnp.int32)
    if pictures.resident:
        source = examples((pictures.train,))
        return state, source, {"index": places, "position": places}
    return state, (), {"examples": examples(here), "position": places}


def _examples(
    config: ConfigDict, info: Info, leading: tuple[int, ...]
) -> dict[str, jax.ShapeDtypeStruct]:
    side = data.Loading.of(run.options(config.data)).side
    return {
        word: jax.ShapeDtypeStruct((*leading, *shape), dtype)
        for word, (shape, dtype) in data.example_shapes(info, side).items()
    }


def compile_step(
    parts: run.Parts, target: parallel.Target, shapes: Shapes
) -> tuple[Any, Any] | None:
    """The step, traced and compiled; None if it is larger than the device's memory."""
    one_device = make_train_step(
        parts.model, parts.task, parts.optimizer, parts.augment
    )
    step = parallel.train_on_devices(one_device, target.devices)
    try:
        return parallel.compile_for(target, step, shapes)
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        return None


def costs_of(shapes: Shapes, pictures: Pictures, traced: Any, compiled: Any) -> Costs:
    """What the compiler says of a step, set against what its shapes say."""
    said = compiled.cost_analysis() or {}
    said = said[0] if isinstance(said, list) else said
    layers = count_flops(traced.jaxpr)
    # the compiler counts the rest as well, but not what it hands to a library
    flops = max(said.get("flops", 0), layers)
    moved = said.get("bytes accessed", 0)
    return Costs(
        flops=flops,
        layer_flops=layers,
        bytes=moved if moved > 0 else None,
        memory=_memory(shapes, pictures, compiled.memory_analysis()),
    )


def _memory(shapes: Shapes, pictures: Pictures, said: Any) -> dict[str, int]:
    state, source, batch = shapes
    parameters, store = _bytes(state.params), _bytes(source)
    known = {
        "parameters": parameters,
        "batch statistics": _bytes(state.batch_stats),
        "averaged weights": _bytes(state.ema),
        "optimizer state": _bytes(state.opt_state),
        "pictures": store,
        "batch": _bytes(batch) // batch["position"].shape[0],
    }
    arguments, temporary = said.argument_size_in_bytes, said.temp_size_in_bytes
    gradients = min(parameters, temporary)  # they are temporary too
    new = said.output_size_in_bytes - said.alias_size_in_bytes
    rest = arguments - sum(known.values()) + new + said.generated_code_size_in_bytes
    if pictures.train:  # those that choose the checkpoint lie beside the step's own
        known["pictures"] += store * pictures.val // pictures.train
    return {
        **known,
        "gradients": gradients,
        "activations": temporary - gradients,
        "padding, results, program": max(rest, 0),
    }


def _bytes(tree: Any) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))
