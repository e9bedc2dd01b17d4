"""The CPU as a machine of several devices, and its memory."""

import ctypes
import functools
import os

import jax

_MOST = 8  # devices that cores are made: each holds the whole state
_LONG = 0.5  # seconds: so long a compilation leaves memory worth giving back


def use_cpu() -> None:
    """Leave accelerators alone. Before anything else touches jax."""
    jax.config.update("jax_platforms", "cpu")


def use_cores(batch: int) -> None:
    """Make each core of the CPU a device, as far as they can share the batch evenly:
    two with pictures of their own do up to 1.8 times the work of two that share every
    layer. Before anything else touches jax; what JAX_NUM_CPU_DEVICES or XLA_FLAGS say
    stays. And what compiling leaves of memory is given back.
    """
    _give_back_after_compiling()
    flags = os.environ.get("XLA_FLAGS", "")
    asked = jax.config.jax_num_cpu_devices  # type: ignore[attr-defined]
    if asked > 0 or "xla_force_host_platform_device_count" in flags:
        return
    cores = _cores()
    devices = _sharers(batch, cores)
    jax.config.update("jax_num_cpu_devices", devices)
    if devices == cores and "xla_cpu_multi_thread_eigen" not in flags:
        # or each splits its layers among all cores again, which are busy
        os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()


def _sharers(batch: int, cores: int) -> int:
    """The most of the cores that can have equal parts of the batch."""
    return max(n for n in range(1, min(cores, _MOST) + 1) if batch % n == 0)


def _cores() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@functools.cache  # a process listens once
def _give_back_after_compiling() -> None:
    """What the compiler took of memory goes back to the system before the program runs,
    as far as malloc can be asked to: hundreds of megabytes for a large network, beside
    all that a training needs."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (TypeError, OSError, AttributeError):  # glibc alone has it
        return

    def listen(event: str, duration_secs: float, **_) -> None:
        if event.endswith("backend_compile_duration") and duration_secs > _LONG:
            trim(0)

    jax.monitoring.register_event_duration_secs_listener(listen)
