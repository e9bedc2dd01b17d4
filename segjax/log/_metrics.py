"""metrics.jsonl, one object a line, and the same figures for TensorBoard."""

import json
import math
from pathlib import Path

from tensorboardX import SummaryWriter


class MetricsLog:
    """Figures by step, in two places. Opened at the step that a run goes on from, it
    forgets what was written after it: those steps are about to come again."""

    def __init__(self, folder: Path, step: int, tensorboard: bool):
        self.path = folder / "metrics.jsonl"
        _forget_after(self.path, step)
        self.file = self.path.open("a")
        self.board = None
        if tensorboard:
            self.board = SummaryWriter(
                str(folder / "tensorboard"), purge_step=step + 1, flush_secs=10
            )

    def write(self, step: int, **figures: float) -> None:
        """The figures of a step. Not-a-number is written as null, as JSON has none."""
        clean = {k: v if math.isfinite(v) else None for k, v in figures.items()}
        self.file.write(json.dumps({"step": step, **clean}) + "\n")
        self.file.flush()
        if self.board:
            for name, value in figures.items():
                self.board.add_scalar(name, value, step)

    def close(self) -> None:
        self.file.close()
        if self.board:
            self.board.close()


def _forget_after(path: Path, step: int) -> None:
    """Keep the whole lines of steps up to `step`; a killed run may leave half a one."""
    if not path.exists():
        return
    kept = [line for line in path.read_text().splitlines() if _step_of(line) <= step]
    part = path.with_suffix(".part")
    part.write_text("".join(f"{line}\n" for line in kept))
    part.replace(path)


def _step_of(line: str) -> float:
    try:
        return json.loads(line)["step"]
    except (ValueError, KeyError, TypeError):
        return math.inf
