"""What a device can do at most, measured in about a second."""

import time
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

_SIDES = (1024, 2048, 4096, 8192, 16384)  # of the matrices
_LONG_ENOUGH = 0.02  # seconds: larger ones are no quicker
_COPIED = 2**28  # bytes on an accelerator, and on all devices of a CPU together


class Peaks(NamedTuple):
    flops: float  # a second
    bytes: float  # a second, read and written


def measure_peaks(devices: int, dtype: str) -> Peaks:
    """Of one of the devices here while all are at work: those of a CPU share it."""
    return Peaks(_product(devices, dtype), _copy(devices))


def _product(devices: int, dtype: str) -> float:
    best = 0.0
    for side in _SIDES:
        make = jax.pmap(lambda key, n=side: jax.random.normal(key, (n, n), dtype))
        matrix = make(jax.random.split(jax.random.key(0), devices))
        # scaled, or a chain of products ends in infinities
        multiply = jax.pmap(lambda a: a @ a * jnp.asarray(a.shape[0] ** -0.5, a.dtype))
        seconds = _seconds(multiply, matrix)
        best = max(best, 2 * side**3 / seconds)
        if seconds > _LONG_ENOUGH:
            break
    return best


def _copy(devices: int) -> float:
    on_cpu = jax.default_backend() == "cpu"
    count = _COPIED // 4 // (devices if on_cpu else 1)
    array = jax.pmap(lambda k: jnp.full(count, k, jnp.float32))(jnp.ones(devices))
    # donated: fresh memory costs a CPU more than the copy
    return 8 * count / _seconds(jax.pmap(lambda a: a + 1, donate_argnums=0), array)


def _seconds(function: Callable, value) -> float:
    """Of one call, at its best; each works on what the one before gave."""
    value = jax.block_until_ready(function(value))
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        for _ in range(4):  # asked for at once, so that no device waits to be asked
            value = function(value)
        jax.block_until_ready(value)
        best = min(best, (time.perf_counter() - started) / 4)
    return best
