"""Devices and hosts: the only room that names them. One host's share of the work."""

import contextlib
import os
import socket
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from segjax.base import Mistake, check_range
from segjax.parallel._cpu import use_cores, use_cpu
from segjax.parallel._hosts import (
    check_same,
    describe_dangers,
    from_first_host,
    gather,
    gather_texts,
    hosts,
    is_first,
    join_cluster,
    not_alone,
    on_every_host,
    on_first_host,
)
from segjax.parallel._peaks import Peaks
from segjax.parallel._target import (
    Target,
    compile_for,
    find_target,
    is_topology,
    memory_of,
    peaks_of,
)

__all__ = [
    "AXIS",
    "Peaks",
    "Target",
    "beside",
    "check_accelerator",
    "check_batch",
    "check_same",
    "compile_for",
    "compiled_quickly",
    "describe_dangers",
    "describe_devices",
    "devices_here",
    "evaluate_on_devices",
    "find_target",
    "forget",
    "from_first_host",
    "gather",
    "gather_texts",
    "has_accelerator",
    "hosts",
    "is_first",
    "is_topology",
    "join_cluster",
    "keep_programs",
    "memory_of",
    "on_every_host",
    "on_first_host",
    "one_of",
    "own",
    "peaks_of",
    "replicate",
    "run_once",
    "share",
    "share_local",
    "train_apart",
    "train_on_devices",
    "use_cores",
    "use_cpu",
]

AXIS = "devices"
_EXTRA = {"gpu": "cuda13", "tpu": "tpu"}


def keep_programs() -> None:
    """Keep compiled programs on disk: a restart takes seconds where compiling takes a
    minute. JAX_COMPILATION_CACHE_DIR says where else, or '' for not at all."""
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        # of this machine alone: others may lack its instructions
        place = f"~/.cache/segjax/compiled/{socket.gethostname()}"
        jax.config.update("jax_compilation_cache_dir", os.path.expanduser(place))


def check_accelerator() -> None:
    """A Mistake when the machine has an accelerator that jax does not see."""
    kind = None if _cpu_is_wanted() else _machine_has()
    # one worker of a pod, without --cluster, would wait for the others without a word
    with not_alone("") if kind == "tpu" else contextlib.nullcontext():
        platform = jax.default_backend()
    if kind and platform == "cpu":
        raise Mistake(
            f"This machine has a {kind.upper()}, but jax sees only the CPU. Install its"
            f' support with: pip install "jax[{_EXTRA[kind]}]=={jax.__version__}" (or'
            " add --cpu to train on the CPU)."
        )


def _cpu_is_wanted() -> bool:
    """By --cpu, or by JAX_PLATFORMS."""
    platforms = jax.config.jax_platforms  # type: ignore[attr-defined]
    return (platforms or "").startswith("cpu")


def _machine_has() -> str | None:
    if any(os.path.exists(f"/dev/{name}") for name in ("nvidia0", "nvidiactl")):
        return "gpu"
    tpu = os.path.exists("/dev/accel0") or os.path.exists("/dev/vfio/0")
    return "tpu" if tpu else None


def has_accelerator() -> bool:
    """Whether the work runs on GPUs or TPUs."""
    return jax.default_backend() != "cpu"


def describe_devices() -> str:
    """'8 x TPU v5 lite' or '1 x cpu (2 cores)'."""
    kind = jax.devices()[0].device_kind
    cores = f" ({os.cpu_count()} cores)" if kind == "cpu" else ""
    hosts = f" on {jax.process_count()} hosts" if jax.process_count() > 1 else ""
    return f"{jax.device_count()} x {kind}{cores}{hosts}"


def check_batch(batch: int, accumulate: int = 1, devices: int | None = None) -> None:
    """A Mistake unless the devices can share the batch evenly; unset for those here."""
    devices = devices or jax.device_count()
    unit = devices * accumulate
    check_range("batch", batch, 1)
    if batch % unit:
        parts = f" x {accumulate} parts (optim.accumulate)" if accumulate > 1 else ""
        near = max(unit, round(batch / unit) * unit)
        raise Mistake(
            f"batch is {batch}; it must be a multiple of {devices} devices"
            f"{parts}, {near} for example."
        )


def run_once(function: Callable):
    """The function's value, compiled quickly."""
    return compiled_quickly(function)()


def compiled_quickly(function: Callable) -> Callable:
    """The function, compiled quickly rather than well: it is called once or a few
    times, and on CPUs the random draws of a large network take far longer to optimise
    than to do."""
    on_cpu = jax.default_backend() == "cpu"
    quick = {"xla_backend_optimization_level": 0} if on_cpu else None
    return jax.jit(function, compiler_options=quick)


def replicate(tree):
    """The arrays on every device of this host, whole. No leading axis."""
    mesh = Mesh(np.array(jax.local_devices()), (AXIS,))
    return jax.device_put(tree, NamedSharding(mesh, PartitionSpec()))


def own(batch):
    """This host's part of a global batch. [batch, ...] -> [batch / hosts, ...]"""
    hosts, host = jax.process_count(), jax.process_index()
    return jax.tree.map(lambda a: a.reshape(hosts, -1, *a.shape[1:])[host], batch)


def share_local(batch, asked_to_stop: bool = False):
    """This host's batch, split over its devices.

    [b, ...] -> [local devices, b / local devices, ...]

    asked_to_stop: of this host alone; with several, the step tells it to all.
    """
    local = jax.local_device_count()
    shared = jax.tree.map(lambda a: a.reshape(local, -1, *a.shape[1:]), batch)
    if hosts() > 1:
        shared["asked_to_stop"] = np.full(local, asked_to_stop, np.int32)
    return shared


def share(batch):
    """This host's part of a global batch, split over its devices."""
    return share_local(own(batch))


def train_on_devices(step: Callable, devices: Sequence | None = None) -> Callable:
    """The per-device train step, on all devices: (state, source, batch).

    devices: others than those of this machine, to compile for.
    """
    return jax.pmap(
        step,
        axis_name=AXIS,
        devices=devices,
        in_axes=(None, None, 0),
        out_axes=(None, None),
        donate_argnums=0,
    )


def train_apart(step: Callable) -> Callable:
    """The per-device train step for as many runs as there are devices, one on each,
    with nothing exchanged: (states, source, batches), as `beside` puts them together.
    """
    mesh = _mesh_of_runs()
    apart, common = PartitionSpec("runs"), PartitionSpec()

    def one(states, source, batches):
        state, batch = jax.tree.map(lambda a: a[0], (states, batches))
        return jax.tree.map(lambda a: a[None], step(state, source, batch))

    mapped = jax.shard_map(
        one,
        mesh=mesh,
        in_specs=(apart, common, apart),
        out_specs=(apart, apart),
        check_vma=False,
    )
    return jax.jit(mapped, donate_argnums=0)


def devices_here() -> int:
    """The devices of this host."""
    return jax.local_device_count()


def beside(trees: Sequence):
    """The arrays of runs, the k-th's on the k-th device. [...] x runs -> [runs, ...]"""
    sharding = NamedSharding(_mesh_of_runs(), PartitionSpec("runs"))

    def join(*leaves):
        parts = [
            jax.device_put(jnp.asarray(leaf)[None], device)
            for leaf, device in zip(leaves, jax.local_devices())
        ]
        shape = (len(parts), *parts[0].shape[1:])
        return jax.make_array_from_single_device_arrays(shape, sharding, parts)

    return jax.tree.map(join, *trees)


def one_of(tree, run: int):
    """The arrays of one of the runs that lie beside each other, on its device."""

    def take(leaf):
        by_device = {shard.device: shard.data for shard in leaf.addressable_shards}
        return by_device[jax.local_devices()[run]][0]

    return jax.tree.map(take, tree)


def forget(tree) -> None:
    """The arrays' memory given back at once, whoever still holds them."""
    for leaf in jax.tree.leaves(tree):
        leaf.delete()


def _mesh_of_runs() -> Mesh:
    devices = np.array(jax.local_devices())[:, None]
    return Mesh(devices, ("runs", AXIS))


def evaluate_on_devices(step: Callable) -> Callable:
    """The per-device evaluation step, on all devices: (variables, source, batch)."""
    return jax.pmap(step, axis_name=AXIS, in_axes=(None, None, 0), out_axes=0)
