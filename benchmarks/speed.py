"""segjax beside PyTorch on this machine's processor: training and inference.

    python benchmarks/speed.py [--nets unet segnet thin lesson] [--modes train infer]
        [--processes 5] [--steps 6] [--out speed.json]

Both sides take the same step in turn, each time in a process of its own: pictures of
u8 from a store, the network, binary cross-entropy, its gradients clipped, AdamW; or the
maps alone. Figures are medians of the steps that nothing else on the machine disturbed,
and then of the processes, beside the least and most of these.

`tuned` is the faster of PyTorch in channels_last and compiled, with a malloc that keeps
large pages (as segjax's launcher asks for); `stock` as most people run it. The floor is
the time that the convolutions' multiplications would take at the rate of the best
product of large matrices. PyTorch lives in an environment of its own, made at the first
call; --torch-python PATH takes one that is there.
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


def main() -> int:
    flags = parse()
    try:
        torch = flags.torch_python or make_environment(ENVIRONMENT, PACKAGES)
        records = [measure(case, torch, flags) for case in cases(flags)]
    except Stop as reason:
        print(reason, file=sys.stderr)
        return 2
    if flags.out:
        flags.out.write_text(json.dumps(records, indent=1) + "\n")
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
    add("--out", type=Path, metavar="FILE.json", help="the figures, for a program")
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
    forms = {
        form: Side(torch, "_speed_torch.py", form, True)
        for form in ("channels_last", "compiled")
    }
    tried = {form: side.run(case, flags.steps) for form, side in forms.items()}
    best = min(tried, key=lambda form: tried[form]["median"])
    sides = {
        "segjax": Side(sys.executable, "_speed_segjax.py", "", True),
        "tuned": forms[best],
        "stock": Side(torch, "_speed_torch.py", "stock", False),
    }
    found: dict[str, list[Record]] = {name: [] for name in sides}
    peaks = []
    for _ in range(flags.processes):
        for name, side in sides.items():
            found[name].append(side.run(case, flags.steps))
        peaks.append(
            Side(torch, "_speed_torch.py", "", True).run(
                case._replace(mode="peak"), flags.steps
            )["peak_flops"]
        )
    floor = found["tuned"][0]["flops"] / max(peaks)
    record = {"case": case._asdict(), "tuned": best, "floor": floor, "runs": found}
    print(line(case, best, floor, found), flush=True)
    return record


def line(case: Case, best: str, floor: float, found: dict[str, list[Record]]) -> str:
    seconds = {name: [run["median"] for run in runs] for name, runs in found.items()}
    median = {name: statistics.median(taken) for name, taken in seconds.items()}
    peak = {
        name: statistics.median(run["peak_bytes"] for run in runs)
        for name, runs in found.items()
    }
    said = ", ".join(
        f"{name} {1e3 * median[name]:,.0f} ms ({1e3 * min(taken):,.0f} to"
        f" {1e3 * max(taken):,.0f}; {peak[name] / 1e9:.1f} GB)"
        for name, taken in seconds.items()
    )
    pairs = [a / b for a, b in zip(seconds["segjax"], seconds["tuned"])]
    return (
        f"{case.name}, {case.mode}, {case.size} pixels, batch {case.batch}: {said};"
        f" tuned is {best}. segjax takes {statistics.median(pairs):.2f}"
        f" ({min(pairs):.2f} to {max(pairs):.2f}) of tuned,"
        f" {median['segjax'] / median['stock']:.2f} of stock; the floor,"
        f" {1e3 * floor:,.0f} ms, is {floor / median['segjax']:.0%} of it and"
        f" {floor / median['tuned']:.0%} of tuned."
    )


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
