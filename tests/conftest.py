"""Every test runs on eight CPU devices made of the cores there are, with programs that
are compiled quickly rather than well: the networks here are tiny."""

import atexit
import importlib.metadata
import os
import shutil
import tempfile

os.environ["XLA_FLAGS"] = " ".join(
    [
        os.environ.get("XLA_FLAGS", ""),
        "--xla_backend_optimization_level=0",
        "--xla_llvm_disable_expensive_passes=true",
        "--xla_cpu_experimental_ynn_fusion_type=",
    ]
)
if importlib.metadata.version("jaxlib").startswith("0.10."):
    # halves what is compiled for; later ones end the process at a flag they do not know
    os.environ["XLA_FLAGS"] += " --xla_cpu_use_fusion_emitters=false"
if "PYTEST_XDIST_WORKER" not in os.environ:
    # many tests train the same tiny network: its programs are compiled once, by
    # whichever worker or process comes first
    compiled = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, compiled, ignore_errors=True)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = compiled
elif hasattr(os, "sched_setaffinity"):
    # each worker has cores of its own, as far as they go, or two wait for one another
    cores = sorted(os.sched_getaffinity(0))
    parts = min(int(os.environ["PYTEST_XDIST_WORKER_COUNT"]), len(cores))
    first = int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw"))
    os.sched_setaffinity(0, cores[first % parts :: parts])
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.1"

import gc

import jax
import pytest

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_num_cpu_devices", 8)
gc.freeze()
gc.set_threshold(100_000, 20, 20)  # tracing makes many small objects: docs/log.md


@pytest.fixture(autouse=True, scope="module")
def forget_programs():
    """A module's programs are of no use to the next, and gigabytes of memory."""
    yield
    jax.clear_caches()
    gc.collect()


@pytest.fixture
def strict_promotion():
    """Types must be named where they meet. Not for all tests: optax's Adam mixes."""
    with jax.numpy_dtype_promotion("strict"):
        yield
