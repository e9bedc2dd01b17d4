"""Trainings beside each other against the same ones in turn.

    python benchmarks/side_by_side.py [--devices 8] [--config configs/unet.py]

First on one device: the steps of several runs as one program, against one after
another, alternating. Then a whole comparison twice, with a device for each run and with
one device for all: how close the runs are, and how long each took.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jax
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the code of this clone

from segjax import data, parallel, run, step  # noqa: E402
from segjax.log import Progress  # noqa: E402

# two programs of eight runs each: as many as the devices that are the default
SMALL = ("--config.data.pictures=40", "--config.data.size=32", "--config.steps=40")
SMALL += ("--config.model.width=8", "--config.model.depth=2")
SMALL += ("--config.log.evaluate=20", "--config.log.pictures=0")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", default="configs/unet.py")
    parser.add_argument("--devices", type=int, default=8)
    parser.add_argument("--steps", type=int, default=15)
    flags = parser.parse_args()
    for runs in (2, 4):
        in_one_program(flags.config, runs, flags.steps)
    with tempfile.TemporaryDirectory() as folder:
        whole_comparisons(flags.config, flags.devices, Path(folder))


def in_one_program(source: str, runs: int, steps: int) -> None:
    config = run.load_config(source)
    parts = run.build_parts(config)
    rows = {"train": run.open_rows(config)["train"]}
    quiet = Progress(1, silent=True)
    train = run.load_splits(config, parts.info, rows, quiet)["train"]
    made = step.make_train_step(parts.model, parts.task, parts.optimizer, parts.augment)
    store = parallel.replicate(train.source)

    def alone(state, source, batch):
        """As on one device: the psum is over an axis of one."""
        batch = jax.tree.map(lambda a: a[None], batch)
        mapped = jax.vmap(made, (None, None, 0), 0, axis_name=parallel.AXIS)
        return jax.tree.map(lambda a: a[0], mapped(state, source, batch))

    one = jax.jit(alone, donate_argnums=0)
    together = jax.jit(jax.vmap(alone, (0, None, 0)), donate_argnums=0)
    new = [
        step.create_state(parts.model, parts.optimizer, seed, config.data.size)
        for seed in range(runs)
    ]
    states = list(new)
    stacked = jax.tree.map(lambda *a: np.stack(a), *new)
    seconds: dict[str, list[float]] = {"in turn": [], "together": []}
    for k in range(steps + 1):
        batches = [
            data.make_batch(seed, k, config.batch, len(train)) for seed in range(runs)
        ]
        began = time.perf_counter()
        for place, batch in enumerate(batches):
            states[place], _ = one(states[place], store, batch)
        jax.block_until_ready(states)
        between = time.perf_counter()
        whole = jax.tree.map(lambda *a: np.stack(a), *batches)
        stacked, _ = together(stacked, store, whole)
        jax.block_until_ready(stacked)
        if k > 0:  # the first one compiles
            seconds["in turn"].append(between - began)
            seconds["together"].append(time.perf_counter() - between)
    median = {name: statistics.median(found) for name, found in seconds.items()}
    print(
        f"{runs} runs of {Path(source).stem} on one device, a step of each: in turn"
        f" {median['in turn']:.3f} s, in one program {median['together']:.3f} s:"
        f" {median['together'] / median['in turn']:.2f} of it (medians of {steps})",
        flush=True,
    )


def whole_comparisons(source: str, devices: int, folder: Path) -> None:
    took = {}
    for count in (devices, 1):
        words = [source, "--sweep=task.dice=0,1", "--data=nevi", "--folds=2"]
        words += [*SMALL, "--seeds=4", f"--workdir={folder / str(count)}"]
        flags = f"--xla_force_host_platform_device_count={count}"
        env = os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
        env["JAX_COMPILATION_CACHE_DIR"] = ""
        began = time.perf_counter()
        command = [sys.executable, "-m", "segjax", "compare", *words]
        subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True)
        took[count] = time.perf_counter() - began
    content = json.loads((folder / "1" / "comparison.json").read_text())
    furthest, scores, same = 0.0, 0.0, 0
    for one in content["runs"]:
        mine, theirs = (folder / str(n) / one["folder"] for n in (devices, 1))
        gap = difference(mine, theirs)
        furthest, same = max(furthest, gap), same + (gap == 0)
        dice = [
            run.read_scores(at)["scores"]["dice"]["mean"]  # type: ignore[index]
            for at in (mine, theirs)
        ]
        scores = max(scores, abs(dice[0] - dice[1]))
    print(
        f"{len(content['runs'])} runs on {devices} devices beside each other"
        f" {took[devices]:.0f} s, on one in turn {took[1]:.0f} s:"
        f" {took[devices] / took[1]:.2f} of it; {same} of them the same bit for bit,"
        f" variables at most {furthest:.1e} apart (of their largest), Dice {scores:.1e}"
    )


def difference(mine: Path, theirs: Path) -> float:
    """The largest of all variables' differences, each by its largest value."""
    last = max(int(path.name) for path in (mine / "checkpoints").glob("[0-9]*"))
    ours, others = (
        jax.tree.leaves(jax.device_get(run.load_run(at, step=last).variables))
        for at in (mine, theirs)
    )
    pairs = zip(ours, others, strict=True)
    return max(np.abs(a - b).max() / max(np.abs(b).max(), 1e-30) for a, b in pairs)


if __name__ == "__main__":
    main()
