"""What telling objects apart costs beside plain classes, on the same network.

    python benchmarks/objects_cost.py [--size 128] [--batch 8] [--rounds 7]

The training step of tasks 'instance', 'panoptic', 'border' beside that of 'semantic',
and of each: making the targets, and reading the maps back. In turns, medians; then the
memory of encode and decode at 512 x 512 with 400 objects.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from segjax import data, models, tasks
from segjax.base import Info
from segjax.models import forward, forward_train

OBJECTS = Info(
    ("background", "object"),
    things=("object",),
    provides=("image", "semantic", "instance"),
)
NAMES = ("semantic", "instance", "panoptic", "border")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=7)
    flags = parser.parse_args()
    split = data.load_split("pasture", "test", size=flags.size, pictures=80)
    batch = {w: jnp.asarray(a[: flags.batch]) for w, a in split.arrays.items()}
    batch["semantic"] = (batch["instance"] > 0).astype(jnp.uint8)
    programs = {name: made(name, batch, flags) for name in NAMES}
    times: dict = {(name, what): [] for name in NAMES for what in programs[name]}
    for _ in range(flags.rounds):
        for name, what in times:
            times[name, what].append(seconds(programs[name][what]))
    for name in NAMES:
        line = [f"{name:9}"]
        for what in programs[name]:
            mine = statistics.median(times[name, what])
            plain = statistics.median(times["semantic", what])
            line.append(f"{what} {mine * 1e3:7.1f} ms ({mine / plain - 1:+.0%})")
        whole = statistics.median(times["semantic", "step"])
        beside = statistics.median(times[name, "step"]) / whole - 1
        print("  ".join(line), f" a step more: {beside:.1%}")
    for name in NAMES[1:]:
        print(name, memory(name))
    return 0


def made(name: str, batch, flags) -> dict:
    """The three programs of a task, compiled and run once."""
    task = tasks.make_task(name, OBJECTS)
    model = models.build("unet", task.heads, width=flags.width)
    variables = models.initialise(model, jax.random.key(0), flags.size)
    keys = jax.random.split(jax.random.key(0), flags.batch)

    @jax.jit
    def step(params):
        def loss(params):
            targets = jax.vmap(task.encode)(batch)
            (outputs,), _ = forward_train(
                model, {**variables, "params": params}, batch["image"], keys
            )
            sums = jax.vmap(task.loss)(outputs, targets)
            return sum(n.sum() / jnp.maximum(w.sum(), 1) for n, w in sums.values())

        return jax.grad(loss)(params)

    encode = jax.jit(jax.vmap(task.encode))
    decode = jax.jit(jax.vmap(task.decode))
    maps = jax.jit(lambda v: forward(model, v, batch["image"]))(variables)
    programs = {
        "encode": lambda: encode(batch),
        "step": lambda: step(variables["params"]),
        "decode": lambda: decode(maps),
    }
    for program in programs.values():
        seconds(program)
    return programs


def seconds(program) -> float:
    begin = time.perf_counter()
    jax.block_until_ready(program())
    return time.perf_counter() - begin


def memory(name: str, size: int = 512, objects: int = 400) -> str:
    """Of one picture's targets and of reading its maps, as the compiler counts it."""
    task = tasks.make_task(name, OBJECTS, objects=objects)
    example = {
        "image": jax.ShapeDtypeStruct((size, size, 3), np.float32),
        "semantic": jax.ShapeDtypeStruct((size, size), np.uint8),
        "instance": jax.ShapeDtypeStruct((size, size), np.int32),
    }
    maps = {
        n: jax.ShapeDtypeStruct((size, size, c), np.float32)
        for n, c in task.heads.items()
    }
    told = []
    for what, program, of in (
        ("encode", task.encode, example),
        ("decode", task.decode, maps),
        ("count", lambda m, e: task.count(task.decode(m), e), (maps, example)),
    ):
        given = of if isinstance(of, tuple) else (of,)
        used = jax.jit(program).lower(*given).compile().memory_analysis()
        told.append(f"{what} {used.temp_size_in_bytes / 1e6:.0f} MB")
    every = size * size * objects * 4 / 1e6
    return (
        f"{size}x{size}, {objects} objects: {', '.join(told)}"
        f" (a map for each object: {every:.0f} MB)"
    )


if __name__ == "__main__":
    sys.exit(main())
