"""segjax beside PyTorch on this machine's processor: training and inference.

    python benchmarks/speed.py [--nets unet segnet thin lesson] [--modes train infer]
        [--processes 5] [--steps 6] [--out speed.json] [--plot speed.svg]
    python benchmarks/speed.py --alone --nets thin --modes train --size 128 256 512 1024
        --batch 2 [--out growth.json] [--plot growth.svg]

Both sides take the same step in turn, each time in a process of its own: pictures of
u8 from a store, the network, binary cross-entropy, its gradients clipped, AdamW; or the
maps alone. Figures are medians of the steps that nothing else on the machine disturbed,
and then of the processes, beside the least and most of these.

`tuned` is the faster of PyTorch in channels_last and compiled, with a malloc that keeps
large pages (as segjax's launcher asks for); `stock` as most people run it. The floor is
the time that the convolutions' multiplications would take at the rate of the best
product of large matrices. PyTorch lives in an environment of its own, made at the first
call; --torch-python PATH takes one that is there. --alone leaves it out: how segjax's
time grows with the pictures.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from _speed_plot import plot
from parity_torch import ENVIRONMENT, PACKAGES, Stop, make_environment

from segjax.__main__ import LARGE_PAGES

HERE = Path(__file__).resolve().parent
NETS = {  # name: network, width, batch of a training step
    "unet": ("unet", 64, 2),
    "segnet": ("segnet", 64, 2),
    "thin": ("unet", 16, 16),
    "lesson": ("lesson", 16, 32),
}
BATCHES_OF_INFERENCE = (1, 8)
SIZE = 256
WITHIN = 1800  # seconds that a process may take

Record = dict[str, Any]


class Case(NamedTuple):
    name: str
    mode: str
    batch: int
    size: int = SIZE

    def of(self, **more) -> str:
        net, width, _ = NETS[self.name]
        what = {"net": net, "width": width, "mode": self.mode}
        return json.dumps(what | {"batch": self.batch, "size": self.size} | more)


class Side(NamedTuple):
    python: str
    script: str
    form: str
    pages: bool  # whether malloc is asked for large pages

    def run(self, case: Case, steps: int) -> Record:
        env = {k: v for k, v in os.environ.items() if k != "GLIBC_TUNABLES"}
        if self.pages:
            env["GLIBC_TUNABLES"] = ":".join(LARGE_PAGES)
        words = case.of(form=self.form, steps=steps)
        return told([self.python, str(HERE / self.script), words], env)


SEGJAX = Side(sys.executable, "_speed_segjax.py", "", True)


def main() -> int:
    flags = parse()
    try:
        if flags.alone:
            records = [measure_alone(case, flags) for case in cases(flags)]
        else:
            torch = flags.torch_python or make_environment(ENVIRONMENT, PACKAGES)
            records = [measure(case, torch, flags) for case in cases(flags)]
    except Stop as reason:
        print(reason, file=sys.stderr)
        return 2
    if not flags.alone:
        print(f"\n{table(records)}")
    if flags.out:
        flags.out.write_text(json.dumps(records, indent=1) + "\n")
    if flags.plot:
        flags.plot.write_text(plot(records))
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    add = parser.add_argument
    add("--nets", nargs="+", choices=NETS, default=list(NETS))
    add("--modes", nargs="+", choices=("train", "infer"), default=("train", "infer"))
    add("--batch", type=int, nargs="+", help="in place of each net's own")
    add("--size", type=int, nargs="+", default=[SIZE], help="of the pictures")
    add("--processes", type=int, default=5, help="of each side")
    add("--steps", type=int, default=6, help="that count, of each process")
    add("--torch-python", metavar="PATH", help="a Python with PyTorch")
    add("--alone", action="store_true", help="without PyTorch")
    add("--out", type=Path, metavar="FILE.json", help="the figures, for a program")
    add("--plot", type=Path, metavar="FILE.svg", help="the figures, for the eye")
    return parser.parse_args()


def cases(flags: argparse.Namespace) -> list[Case]:
    return [
        Case(name, mode, batch, size)
        for name in flags.nets
        for mode in flags.modes
        for size in flags.size
        for batch in flags.batch
        or ([NETS[name][2]] if mode == "train" else BATCHES_OF_INFERENCE)
    ]


def measure(case: Case, torch: str, flags: argparse.Namespace) -> Record:
    sides = {
        "segjax": SEGJAX,
        "channels_last": Side(torch, "_speed_torch.py", "channels_last", True),
        "compiled": Side(torch, "_speed_torch.py", "compiled", True),
        "stock": Side(torch, "_speed_torch.py", "stock", False),
    }
    found: dict[str, list[Record]] = {name: [] for name in sides}
    peaks = []
    for _ in range(flags.processes):
        for name, side in sides.items():
            found[name].append(side.run(case, flags.steps))
        peaks.append(
            sides["channels_last"].run(case._replace(mode="peak"), flags.steps)
        )
    best = min(("channels_last", "compiled"), key=lambda name: median_of(found[name]))
    floor = found[best][0]["flops"] / max(peak["peak_flops"] for peak in peaks)
    runs = {"segjax": found["segjax"], "tuned": found[best], "stock": found["stock"]}
    print(line(case, best, floor, runs), flush=True)
    all_runs = runs | {name: found[name] for name in found if name not in (best, *runs)}
    return {"case": case._asdict(), "tuned": best, "floor": floor, "runs": all_runs}


def median_of(runs: list[Record]) -> float:
    return statistics.median(run["median"] for run in runs)


def measure_alone(case: Case, flags: argparse.Namespace) -> Record:
    runs = [SEGJAX.run(case, flags.steps) for _ in range(flags.processes)]
    times = [run["median"] for run in runs]
    median, pixels = statistics.median(times), case.batch * case.size**2
    print(
        f"{case.name}, {case.mode}, {case.size} pixels, batch {case.batch}:"
        f" {1e3 * median:,.0f} ms ({1e3 * min(times):,.0f} to {1e3 * max(times):,.0f}),"
        f" {1e9 * median / pixels:,.0f} ns a pixel;"
        f" {max(run['peak_bytes'] for run in runs) / 1e9:.1f} GB",
        flush=True,
    )
    return {"case": case._asdict(), "runs": {"segjax": runs}}


class Summary(NamedTuple):
    seconds: dict[str, list[float]]  # of each side's processes
    median: dict[str, float]
    pairs: list[float]  # segjax's time over tuned PyTorch's, in the order they ran
    memory: dict[str, float]  # GB, at most; the median of the processes


def summarise(found: dict[str, list[Record]]) -> Summary:
    seconds = {name: [run["median"] for run in runs] for name, runs in found.items()}
    peaks = {name: [run["peak_bytes"] for run in runs] for name, runs in found.items()}
    return Summary(
        seconds,
        {name: statistics.median(taken) for name, taken in seconds.items()},
        [a / b for a, b in zip(seconds["segjax"], seconds["tuned"])],
        {name: statistics.median(peak) / 1e9 for name, peak in peaks.items()},
    )


def line(case: Case, best: str, floor: float, found: dict[str, list[Record]]) -> str:
    seconds, median, pairs, memory = summarise(found)
    said = ", ".join(
        f"{name} {1e3 * median[name]:,.0f} ms ({1e3 * min(taken):,.0f} to"
        f" {1e3 * max(taken):,.0f}; {memory[name]:.1f} GB)"
        for name, taken in seconds.items()
    )
    return (
        f"{case.name}, {case.mode}, {case.size} pixels, batch {case.batch}: {said};"
        f" tuned is {best}. segjax takes {statistics.median(pairs):.2f}"
        f" ({min(pairs):.2f} to {max(pairs):.2f}) of tuned,"
        f" {median['segjax'] / median['stock']:.2f} of stock; the floor,"
        f" {1e3 * floor:,.0f} ms, is {floor / median['segjax']:.0%} of it and"
        f" {floor / median['tuned']:.0%} of tuned."
    )


def table(records: list[Record]) -> str:
    """In Markdown."""
    rows = [
        "| net, width, batch | step | segjax | of tuned PyTorch | of stock | memory |",
        "|---|---|---|---|---|---|",
    ]
    for record in records:
        case = record["case"]
        net, width, _ = NETS[case["name"]]
        _, median, pairs, memory = summarise(record["runs"])
        rows.append(
            f"| {net}, {width}, {case['batch']} | {case['mode']} |"
            f" {1e3 * median['segjax']:,.0f} ms | {statistics.median(pairs):.2f}"
            f" ({min(pairs):.2f} to {max(pairs):.2f}) |"
            f" {median['segjax'] / median['stock']:.2f} |"
            f" {memory['segjax']:.1f} and {memory['tuned']:.1f} GB |"
        )
    return "\n".join(rows)


def told(command: list[str], env: dict[str, str]) -> Record:
    """What a process says in its last line."""
    try:
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=WITHIN
        )
    except subprocess.TimeoutExpired:
        raise Stop(f"{' '.join(command)} took more than {WITHIN} s.") from None
    if done.returncode:
        complaint = done.stderr.strip().splitlines()[-1:]
        raise Stop(f"{' '.join(command)} failed: {''.join(complaint)}")
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    sys.exit(main())
