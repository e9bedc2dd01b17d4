"""What a step is compiled for: this machine's devices, or TPUs that are elsewhere."""

import importlib.util
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
from jax.experimental import topologies

from segjax.base import Mistake
from segjax.parallel._peaks import Peaks, measure_peaks

# As the vendor states them, of one chip.
_PEAKS = {"TPU v5 lite": Peaks(197e12, 819e9)}
_MEMORY = {"TPU v5 lite": 16 * 10**9}

# The program is looked at, not run: the machine code need not be good. That of fusions
# takes longest, and later versions know but one way to make it.
_QUICK: dict[str, Any] = {
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
}
if jax.__version_info__ < (0, 11):
    _QUICK["xla_cpu_use_fusion_emitters"] = False


class Target(NamedTuple):
    """Devices to compile for."""

    devices: tuple[Any, ...]
    here: bool  # those of this machine: others cannot be asked nor measured

    @property
    def kind(self) -> str:
        return self.devices[0].device_kind

    @property
    def is_cpu(self) -> bool:
        return self.devices[0].platform == "cpu"


def is_topology(word: str | None) -> bool:
    """Whether it names TPUs that need not be here, as 'v5e:2x2' does."""
    return word is not None and ":" in word


def find_target(word: str | None = None) -> Target:
    """'cpu' or 'gpu' of this machine, the TPUs of a topology; unset for what the work
    would run on here."""
    if word is not None and is_topology(word):
        return Target(_tpus(word), here=False)
    found = Target(tuple(jax.local_devices()), here=True)
    if word not in (None, "cpu", "gpu"):
        raise Mistake(
            f"--for is {word!r}; it must be cpu, gpu, or TPUs such as v5e:2x2."
        )
    if word == "gpu" and found.devices[0].platform != "gpu":
        raise Mistake(
            "--for gpu compiles on a GPU, and jax sees none here. Run this on a machine"
            " that has one, or say --for cpu or, for TPUs, --for v5e:2x2."
        )
    return found


def _tpus(name: str) -> tuple[Any, ...]:
    if importlib.util.find_spec("libtpu") is None:
        raise Mistake(
            f"--for {name} needs libtpu, the compiler for TPUs. Install it with: pip"
            f' install "jax[tpu]=={jax.__version__}" (no TPU is needed).'
        )
    # libtpu asks the machine which TPU it is part of, and complains if it is of none
    os.environ.setdefault("TPU_ACCELERATOR_TYPE", "v5litepod-4")
    os.environ.setdefault("TPU_WORKER_HOSTNAMES", "localhost")
    # nor does it compile beside another process of its kind, unless told that it may
    os.environ.setdefault("ALLOW_MULTIPLE_LIBTPU_LOAD", "1")
    # kept programs of devices that are not here can be written and never be read
    jax.config.update("jax_enable_compilation_cache", False)
    try:
        found = topologies.get_topology_desc(platform="tpu", topology_name=name)
    except jax.errors.JaxRuntimeError as error:
        reason = str(error).splitlines()[0].partition(": ")[2].rstrip(".")
        raise Mistake(
            f"--for {name} cannot be compiled for: {reason}. Names that libtpu knows"
            " are v5e:2x2 and v5e:4x4, for example."
        ) from None
    return tuple(found.devices)


def compile_for(target: Target, step: Callable, shapes: tuple) -> tuple[Any, Any]:
    """The mapped step on arguments of these shapes: traced, and compiled to be looked
    at rather than run."""
    traced = jax.make_jaxpr(step)(*shapes)
    quick = _QUICK if target.is_cpu else None
    return traced, step.lower(*shapes).compile(compiler_options=quick)  # type: ignore[attr-defined]


def memory_of(target: Target) -> int | None:
    """Bytes that one of the devices has for a program; None where nobody says."""
    if target.is_cpu:
        return _available(len(target.devices))
    if target.here:
        said = target.devices[0].memory_stats() or {}
        if "bytes_limit" in said:
            return said["bytes_limit"]
    return _MEMORY.get(target.kind)


def _available(devices: int) -> int | None:
    """Of the memory that is free now, which the devices of a CPU share."""
    meminfo = Path("/proc/meminfo")
    text = meminfo.read_text() if meminfo.exists() else ""
    found = re.search(r"MemAvailable:\s+(\d+) kB", text)
    return int(found[1]) * 1024 // devices if found else None


def peaks_of(target: Target, dtype: str) -> tuple[Peaks | None, bool]:
    """What a device can do at most, and whether it was measured; None for TPUs that are
    elsewhere and in no table."""
    stated = _PEAKS.get(target.kind)
    if stated or not target.here:
        return stated, False
    return measure_peaks(len(target.devices), dtype), True
