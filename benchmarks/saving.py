"""What saving costs, and what a restart does.

    python benchmarks/saving.py [--config configs/unet.py] [--saves 30]

In one run some steps start a save and the others do not. Then the launcher is started,
stopped and started anew: seconds until its first step is done, with its compiled
programs at hand and without.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jax

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the code of this clone

from segjax import checkpoint, data, parallel, run, step  # noqa: E402
from segjax.log import Progress  # noqa: E402

EVERY = 10  # steps between two saves


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", default="configs/unet.py")
    parser.add_argument("--saves", type=int, default=30)
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        save_and_save_not(flags.config, Path(folder) / "saves", flags.saves)
        programs = Path(folder) / "programs"
        for name, kept in (("nothing", ""), ("what the first left", str(programs))):
            os.environ["JAX_COMPILATION_CACHE_DIR"] = kept
            workdir = Path(folder) / f"run{len(kept)}"
            first, again = (until_first_step(flags.config, workdir) for _ in "ab")
            print(
                f"from launch to the first step, compiled programs at hand: {name}:"
                f" {again:.1f} s (the first start of this run: {first:.1f} s)"
            )


def save_and_save_not(source: str, folder: Path, saves: int) -> None:
    config = run.load_config(source)
    parts = run.build_parts(config)
    rows = {"train": run.open_rows(config)["train"]}
    quiet = Progress(1, silent=True)
    train = run.load_splits(config, parts.info, rows, quiet)["train"]
    step_fn = parallel.train_on_devices(
        step.make_train_step(parts.model, parts.task, parts.optimizer, parts.augment)
    )
    size = config.data.size
    new = step.create_state(parts.model, parts.optimizer, config.seed, size)
    state, source = parallel.replicate(new), parallel.replicate(train.source)
    seconds: list[list[float]] = [[] for _ in range(EVERY)]  # by place after a save
    waited = []
    with checkpoint.open_checkpoints(folder) as manager:
        for k in range((saves + 1) * EVERY):
            batch = data.make_batch(config.seed, k, config.batch, len(train))
            began = time.perf_counter()
            state, metrics = step_fn(state, source, parallel.share(batch))
            jax.block_until_ready(metrics)
            if k % EVERY == 0:
                asked = time.perf_counter()
                checkpoint.wait(manager)
                checkpoint.keep_only(manager, sorted(manager.all_steps())[-2:])
                checkpoint.save(manager, k, {}, **step.saved_parts(state))
                waited.append(time.perf_counter() - asked)
            if k >= EVERY:  # the first ones compile
                seconds[k % EVERY].append(time.perf_counter() - began)
    plain = statistics.median(s for place in seconds[EVERY // 2 :] for s in place)
    saving, after = (statistics.median(s) for s in seconds[:2])
    megabytes = sum(a.nbytes for a in jax.tree.leaves(state)) / 1e6
    print(f"{source_name(config)}: medians over {saves} saves of {megabytes:.0f} MB")
    stands = statistics.median(waited[1:])
    print(
        f"a step: {plain:.3f} s; one that saves: {saving:.3f} s, {stands:.3f} of them"
    )
    print(f"for the save; the step after it: {after:.3f} s")


def source_name(config) -> str:
    return f"{config.model.name}, {config.data.size}x{config.data.size}"


def until_first_step(source: str, workdir: Path) -> float:
    """Seconds from launch until the first step is done; the run is then stopped."""
    command = [sys.executable, "launch.py", "--config", source, "--cpu"]
    command += [f"--workdir={workdir}", "--config.log.metrics=1"]
    before = lines(workdir)
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    while lines(workdir) <= before and process.poll() is None:
        time.sleep(0.01)
    took = time.perf_counter() - began
    process.send_signal(signal.SIGTERM)
    process.wait()
    return took


def lines(workdir: Path) -> int:
    path = workdir / "metrics.jsonl"
    return path.read_text().count("\n") if path.exists() else 0


if __name__ == "__main__":
    main()
