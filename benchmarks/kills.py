"""Runs killed or told to stop at random moments, beside the same runs left alone.

    python benchmarks/kills.py --kills 100              # SIGKILL, during saves too
    python benchmarks/kills.py --kills 10 --signal TERM

Every restart must go on from the newest committed checkpoint, and what a run leaves
must be, bit for bit, what a run leaves that was never touched.
"""

import argparse
import contextlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the code of this clone

STEPS = 400
OPTIONS = {
    "steps": STEPS,
    "batch": 4,
    "data.size": 16,
    "data.pictures": 30,
    "model.width": 4,
    "model.depth": 2,
    "log.metrics": 5,
    "log.evaluate": 40,
    "log.save": 3,
    "log.pictures": 1,
}


class Stop(NamedTuple):
    """How a process of a run began, and what it left when it was stopped."""

    resumed: int  # the step it went on from
    newest: int  # committed when it had ended
    told: int | None  # the step that it said it stopped at
    seconds: float  # from the signal to the end
    code: int
    saving: bool  # it left a checkpoint half written


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--signal", choices=["KILL", "TERM", "HUP"], default="KILL")
    parser.add_argument("--seed", type=int, default=0)
    flags = parser.parse_args()
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup none would arrive
    chance, left, wrong, seed = random.Random(flags.seed), flags.kills, 0, flags.seed
    print(f"{flags.kills} x SIG{flags.signal}; runs of {STEPS} steps, a save every 3")
    with tempfile.TemporaryDirectory() as folder:
        while left > 0:
            alone, stopped = Path(folder) / f"alone{seed}", Path(folder) / f"run{seed}"
            finish(start(alone, seed), alone)
            stops, last = disturb(stopped, seed, left, flags.signal, chance)
            troubles = [*broken_promises(stops, last, flags.signal)]
            troubles += differences(alone, stopped)
            tell(seed, stops, last)
            print("\n".join(troubles) or "  left: every bit as by the run left alone")
            left, seed, wrong = left - len(stops), seed + 1, wrong + len(troubles)
    print(f"{wrong} things are wrong." if wrong else "All as it must be.")
    return 1 if wrong else 0


def start(workdir: Path, seed: int) -> subprocess.Popen:
    words = [f"--config.{key}={value}" for key, value in OPTIONS.items()]
    words += [f"--config.seed={seed}", f"--workdir={workdir}", "--cpu"]
    command = [sys.executable, "launch.py", "--config", "configs/unet.py", *words]
    with said(workdir).open("w") as out:
        return subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out)


def finish(process: subprocess.Popen, workdir: Path) -> None:
    if process.wait() != 0:
        sys.exit(said(workdir).read_text())


def said(workdir: Path) -> Path:
    return workdir.with_suffix(".said")


def disturb(
    workdir: Path, seed: int, most: int, name: str, chance: random.Random
) -> tuple[list[Stop], int]:
    """A run stopped again and again, each time some while after it has saved something
    new, and let end at last; and the step from which it went on to the end."""
    stops: list[Stop] = []
    while True:
        process, before = start(workdir, seed), newest(workdir)
        while process.poll() is None and newest(workdir) <= before:
            time.sleep(0.001)
        if len(stops) < most:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0, 0.5))
        if len(stops) == most or process.poll() is not None:
            finish(process, workdir)
            return stops, number(r"going on from step (\d+)", workdir) or 0
        asked = time.monotonic()
        process.send_signal(getattr(signal, f"SIG{name}"))
        code = process.wait()
        took = time.monotonic() - asked
        half = [*(workdir / "checkpoints").glob("*orbax-checkpoint-tmp*")]
        resumed = number(r"going on from step (\d+)", workdir) or 0
        told = number(r"Stopped at step (\d+)", workdir)
        stops.append(Stop(resumed, newest(workdir), told, took, code, bool(half)))


def newest(workdir: Path) -> int:
    """The newest committed step."""
    with contextlib.suppress(FileNotFoundError):
        names = [p.name for p in (workdir / "checkpoints").iterdir()]
        return max((int(n) for n in names if n.isdigit()), default=0)
    return 0


def number(pattern: str, workdir: Path) -> int | None:
    found = re.search(pattern, said(workdir).read_text())
    return int(found[1]) if found else None


def broken_promises(stops: list[Stop], last: int, name: str):
    resumed = [*(stop.resumed for stop in stops[1:]), last]
    for stop, then in zip(stops, resumed):
        if then != stop.newest:
            yield f"  {stop.newest} was committed, {then} was resumed"
        if name != "KILL" and (stop.code != 3 or stop.told != stop.newest):
            yield f"  told to stop: {stop}"
    if min(resumed) <= 0 or len(set(resumed)) < len(resumed):
        yield f"  resumed twice from one step, or from none: {resumed}"


def differences(one: Path, other: Path):
    """What of one run is not, byte by byte, in the other."""
    for name in ("metrics.jsonl", "rows.csv", "scores.json"):
        if (one / name).read_bytes() != (other / name).read_bytes():
            yield f"  {name} differs"
    pictures = [
        {p.name: p.read_bytes() for p in (r / "pictures").iterdir()}
        for r in (one, other)
    ]
    if pictures[0] != pictures[1]:
        yield "  pictures differ"
    if board(one) != board(other):
        yield "  TensorBoard differs"
    arrays = [arrays_of(run) for run in (one, other)]
    for name in sorted(arrays[0].keys() | arrays[1].keys()):
        if not np.array_equal(*(a.get(name) for a in arrays)):
            yield f"  {name} differs"


def arrays_of(workdir: Path) -> dict[str, np.ndarray]:
    """All arrays of the last checkpoint, training's too."""
    import jax

    from segjax import checkpoint

    with checkpoint.open_checkpoints(workdir / "checkpoints", to_read=True) as manager:
        wanted = dict.fromkeys(checkpoint.PARTS)
        held = checkpoint.read(manager, STEPS, wanted)
    leaves = jax.tree_util.tree_leaves_with_path(held.parts)
    return {jax.tree_util.keystr(path): leaf for path, leaf in leaves}


def board(workdir: Path) -> list[tuple]:
    """What TensorBoard shows: it forgets what lies after a restart's step."""
    from tensorboardX.proto.event_pb2 import Event, SessionLog

    shown: list[tuple] = []
    for path in sorted((workdir / "tensorboard").iterdir()):
        held, at = path.read_bytes(), 0
        while at + 12 <= len(held):  # length, its checksum, the event, its checksum
            size = int.from_bytes(held[at : at + 8], "little")
            event = Event()
            event.ParseFromString(held[at + 12 : at + 12 + size])
            at += 16 + size
            if event.session_log.status == SessionLog.START:
                shown = [one for one in shown if one[0] < event.step]
            shown += [(event.step, v.tag, v.simple_value) for v in event.summary.value]
    return shown


def tell(seed: int, stops: list[Stop], last: int) -> None:
    steps = [*(stop.resumed for stop in stops[1:]), last]
    saving = sum(stop.saving for stop in stops)
    seconds = sorted(stop.seconds for stop in stops)
    print(f"run {seed}: stopped {len(stops)} times, {saving} of them during a save;")
    print(f"  resumed from {' '.join(map(str, steps))}")
    middle, most = seconds[len(seconds) // 2], seconds[-1]
    print(f"  from signal to end: {middle:.2f} s, at most {most:.2f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
