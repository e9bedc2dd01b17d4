"""Devices: the only file that names them. One host's share of the work."""

import contextlib
import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from segjax.base import MISTAKE, Mistake, check_range

AXIS = "devices"
_JOIN_WITHIN = 45  # seconds until all processes of a run must have come
_DEAD_AFTER = 30  # seconds without a sign of life after which a process is given up
_EXTRA = {"gpu": "cuda13", "tpu": "tpu"}


def use_cpu() -> None:
    """Leave accelerators alone. Before anything else touches jax."""
    jax.config.update("jax_platforms", "cpu")


def keep_programs() -> None:
    """Keep compiled programs on disk: a restart takes seconds where compiling takes a
    minute. JAX_COMPILATION_CACHE_DIR says where else, or '' for not at all."""
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        # of this machine alone: others may lack its instructions
        place = f"~/.cache/segjax/compiled/{socket.gethostname()}"
        jax.config.update("jax_compilation_cache_dir", os.path.expanduser(place))


def join_cluster(where: str) -> None:
    """Join the other processes of this run. Before anything else touches jax.

    where: '' on a Cloud TPU pod or under a scheduler that jax knows, which say
    themselves; else HOST:PORT,COUNT,INDEX with the address of process 0.
    """
    how = _parse_cluster(where)
    try:
        with _not_alone(where):
            jax.distributed.initialize(
                **how,
                initialization_timeout=4 * _JOIN_WITHIN,  # ours is first
                heartbeat_timeout_seconds=_DEAD_AFTER,
                shutdown_timeout_seconds=_DEAD_AFTER,
            )
            jax.devices()  # until all are there
    except (ValueError, RuntimeError) as error:
        raise Mistake(
            f"This process cannot join the others: {str(error).splitlines()[0]}"
            " Outside of a Cloud TPU pod, --cluster=HOST:PORT,COUNT,INDEX says where"
            " process 0 is, how many there are, and which one this is."
        ) from None


def _parse_cluster(where: str) -> dict[str, Any]:
    if not where:
        return {}
    try:
        address, count, index = where.split(",")
        port, processes, process = int(address.split(":")[1]), int(count), int(index)
        if not (0 < port < 65536 and 0 <= process < processes):
            raise ValueError
    except (ValueError, IndexError):
        raise Mistake(
            f"--cluster is {where!r}; it must be HOST:PORT,COUNT,INDEX, for example"
            " 10.0.0.2:8476,2,0 on the first of two machines."
        ) from None
    return {
        "coordinator_address": address,
        "num_processes": processes,
        "process_id": process,
        "cluster_detection_method": "deactivate",
    }


@contextlib.contextmanager
def _not_alone(where: str):
    """The block may wait for other processes, but not for ever."""
    waited = threading.Timer(_JOIN_WITHIN, _end_alone, [where])
    waited.daemon = True
    waited.start()
    try:
        yield
    finally:
        waited.cancel()


def _end_alone(where: str) -> None:
    """The other processes have not come; jax itself would end with a stack trace."""
    start = (
        "the same command, with its own INDEX, on each machine"
        if where
        else "gcloud compute tpus tpu-vm ssh NAME --worker=all"
        " --command='python launch.py --cluster ...'"
    )
    print(
        f"\nsegjax: Not all processes of this run have come within {_JOIN_WITHIN}"
        f" seconds. Start all of them at once: {start}.",
        file=sys.stderr,
        flush=True,
    )
    os._exit(MISTAKE)


def check_accelerator() -> None:
    """A Mistake when the machine has an accelerator that jax does not see."""
    kind = None if _cpu_is_wanted() else _machine_has()
    # one worker of a pod, without --cluster, would wait for the others without a word
    with _not_alone("") if kind == "tpu" else contextlib.nullcontext():
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


def check_batch(batch: int, accumulate: int = 1) -> None:
    """A Mistake unless the devices can share the batch evenly."""
    unit = jax.device_count() * accumulate
    check_range("batch", batch, 1)
    if batch % unit:
        parts = f" x {accumulate} parts (optim.accumulate)" if accumulate > 1 else ""
        near = max(unit, round(batch / unit) * unit)
        raise Mistake(
            f"batch is {batch}; it must be a multiple of {jax.device_count()} devices"
            f"{parts}, {near} for example."
        )


def run_once(function: Callable):
    """The function's value, compiled quickly rather than well: it is called once, and
    on CPUs the random draws of a large network take far longer to optimise than to do.
    """
    on_cpu = jax.default_backend() == "cpu"
    quick = {"xla_backend_optimization_level": 0} if on_cpu else None
    return jax.jit(function, compiler_options=quick)()


def hosts() -> int:
    return jax.process_count()


def is_first() -> bool:
    """Whether this is the host that keeps the run folder."""
    return jax.process_index() == 0


def on_first_host(decide: Callable[[], Any]) -> Any:
    """What decide() gives on the first host, on all of them; its Mistake too.

    With several hosts, what JSON can hold.
    """
    if hosts() == 1:
        return decide()
    answer: dict[str, Any] = {}
    if is_first():
        try:
            answer["value"] = decide()
        except Mistake as mistake:
            answer["mistake"] = str(mistake)
    answer = _tell_all(answer)
    if "mistake" in answer:
        raise Mistake(answer["mistake"])
    return answer["value"]


def from_first_host(mine: list[Any], like: Any) -> Any:
    """The one tree in the first host's list, on all hosts. like: its shapes."""
    if hosts() == 1:
        return mine[0]
    empty = jax.tree.map(lambda a: np.zeros(a.shape, a.dtype), like)
    return multihost_utils.broadcast_one_to_all(mine[0] if mine else empty)


def check_same(what: str, value: Any) -> None:
    """A Mistake where the hosts were given different things."""
    if on_first_host(lambda: value) != json.loads(json.dumps(value)):
        raise Mistake(
            f"The {what} of host {jax.process_index()} differs from that of host 0;"
            " start the same command on all hosts."
        )


def _tell_all(answer: dict[str, Any]) -> dict[str, Any]:
    text = np.frombuffer(json.dumps(answer).encode(), np.uint8)
    size = multihost_utils.broadcast_one_to_all(np.array(text.size, np.int32))
    padded = np.zeros(int(size), np.uint8)
    padded[: text.size] = text[: int(size)]
    told = multihost_utils.broadcast_one_to_all(padded)
    return json.loads(np.asarray(told, np.uint8).tobytes().decode())


def gather(rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The rows of all hosts, [n / hosts, ...] -> [hosts, n / hosts, ...]"""
    if hosts() == 1:
        return {word: row[None] for word, row in rows.items()}
    return multihost_utils.process_allgather(rows)


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


def evaluate_on_devices(step: Callable) -> Callable:
    """The per-device evaluation step, on all devices: (variables, source, batch)."""
    return jax.pmap(step, axis_name=AXIS, in_axes=(None, None, 0), out_axes=0)
