"""Every test runs on eight CPU devices made of the cores there are, with programs that
are compiled quickly rather than well: the networks here are tiny."""

import os

os.environ["XLA_FLAGS"] = " ".join(
    [
        os.environ.get("XLA_FLAGS", ""),
        "--xla_backend_optimization_level=0",
        "--xla_llvm_disable_expensive_passes=true",
    ]
)

import atexit
import gc
import shutil
import tempfile

import jax
import pytest

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_num_cpu_devices", 8)
# many tests train the same tiny network: its programs are compiled once
compiled = tempfile.mkdtemp()
atexit.register(shutil.rmtree, compiled, ignore_errors=True)
jax.config.update("jax_compilation_cache_dir", compiled)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
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
