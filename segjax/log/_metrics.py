"""metrics.jsonl, one object a line, and the same figures for TensorBoard."""

import contextlib
import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from segjax.log._board import Board


class MetricsLog:
    """Figures by step, in two places. Opened at the step that a run goes on from, it
    forgets what was written after it: those steps are about to come again.

    A disk that is full stops nothing: lines wait in memory until there is room.
    """

    def __init__(
        self,
        folder: Path,
        step: int,
        tensorboard: bool,
        say: Callable[[str], None] = print,
    ):
        self.path, self.say = folder / "metrics.jsonl", say
        self.lines = [line for line in read_metrics(folder) if line["step"] <= step]
        part = self.path.with_suffix(".part")
        part.write_text("".join(map(_as_text, self.lines)))
        part.replace(self.path)
        self.file = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        self.waiting = b""  # written by nobody yet
        self.folder, self.tensorboard = folder / "tensorboard", tensorboard
        self.board: Board | None = None
        self.lost_from = step  # what the board may lack
        # what the board holds of this step itself comes again too: a killed run may
        # have left only a part of it there
        self._open_board(step)

    def write(self, step: int, **figures: float) -> None:
        """The figures of a step. Not-a-number is written as null, as JSON has none."""
        clean = {k: v if math.isfinite(v) else None for k, v in figures.items()}
        line = {"step": step, **clean}
        self.lines.append(line)
        with self._board_or_none(step):
            if self.board:
                self.board.write(line)
        self.waiting += _as_text(line).encode()
        self._write_waiting()

    def flush(self) -> None:
        """All on disk, before a checkpoint says that these steps are done."""
        self._write_waiting()
        with contextlib.suppress(OSError):
            os.fsync(self.file)
        if self.board is None:
            self._open_board(self.lost_from)
        with self._board_or_none(self.lost_from):
            if self.board:
                self.board.flush()
                self.lost_from = self.lines[-1]["step"] if self.lines else 0

    def close(self) -> None:
        self.flush()
        os.close(self.file)
        if self.waiting:
            self.say(f"{self.path} lacks its last lines; the disk would not take them.")
        if self.board:
            self.board.close()

    def _open_board(self, step: int) -> None:
        """A board that holds the lines from this step on, in place of older ones."""
        self.lost_from = step
        with self._board_or_none(step):
            if self.tensorboard:
                self.board = Board(self.folder, step)
                for line in self.lines:
                    if line["step"] >= step:
                        self.board.write(line)

    @contextlib.contextmanager
    def _board_or_none(self, step: int):
        """Without a board, where the disk takes none; the next flush tries again."""
        try:
            yield
        except OSError as error:
            if self.board:
                self.say(f"TensorBoard's figures cannot be written: {error.strerror}.")
            self.board = None

    def _write_waiting(self) -> None:
        had = bool(self.waiting)
        try:
            while self.waiting:  # what is written is written once, half lines too
                self.waiting = self.waiting[os.write(self.file, self.waiting) :]
        except OSError as error:
            if had and self.waiting.count(b"\n") == 1:  # told once, not at each line
                self.say(f"{self.path} cannot be written now: {error.strerror}.")


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """The whole lines of a run's metrics.jsonl; a killed run may leave half a one."""
    path, found = folder / "metrics.jsonl", []
    for text in path.read_text().splitlines() if path.exists() else ():
        with contextlib.suppress(ValueError, KeyError, TypeError):
            line = json.loads(text)
            line["step"] + 0
            found.append(line)
    return found


def _as_text(line: dict[str, Any]) -> str:
    return json.dumps(line) + "\n"
