"""One line that shows how far the training is, and that it is alive."""

import contextlib
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from typing import TextIO

_BAR = 12
_REDRAW = 0.1  # seconds; on a terminal
_REPRINT = 30.0  # seconds; in a file, where a line cannot be redrawn


class Progress:
    """A bar redrawn in place on a terminal, a line now and then elsewhere.

    silent: on all hosts but one; name: what a line begins with, where several share the
    terminal. A terminal that is gone stops nothing.
    """

    def __init__(
        self,
        total: int,
        done: int = 0,
        out: TextIO | None = None,
        silent: bool = False,
        name: str = "",
    ):
        self.total, self.first, self.out = total, done, out or sys.stdout
        self.silent = silent
        self.name = f"{name}: " if name else ""
        self.terminal = self.out.isatty()
        self.started: float | None = None
        self.printed = -_REPRINT

    def update(self, done: int, pictures_a_step: int, **figures: float) -> None:
        """Step `done` is done; the figures stand behind the bar."""
        now = time.monotonic()
        if self.started is None:  # the first step compiles: not a pace to go by
            self.started, self.first = now, done
        pause = _REDRAW if self.terminal else _REPRINT
        if now - self.printed < pause and done < self.total:
            return
        self.printed = now
        shown = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
        filled = _BAR * done // self.total
        bar = "#" * filled + "-" * (_BAR - filled)
        pace = self._pace(done, pictures_a_step)
        self._show(f"step {done}/{self.total} [{bar}]  {shown}{pace}")

    def _pace(self, done: int, pictures_a_step: int) -> str:
        if self.started is None or done == self.first:
            return ""
        pace = (time.monotonic() - self.started) / (done - self.first)
        left = duration(pace * (self.total - done))
        return f"  {pictures_a_step / pace:.1f} pictures/s  {left} left"

    def say(self, line: str) -> None:
        """A line that stays."""
        clear = "\r\x1b[2K" if self.terminal else ""
        self._print(f"{clear}{self.name}{line}\n")

    def count(self, what: str, done: int, total: int) -> None:
        """So many of something that has no steps."""
        now = time.monotonic()
        if done == 1:
            self.printed = now  # what is done at once needs no line
        if now - self.printed >= (_REDRAW if self.terminal else _REPRINT):
            self.printed = now
            self._show(f"{what} {done}/{total}")

    @contextlib.contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """A sign of life during something long that has no steps."""
        ended = threading.Event()
        start = time.monotonic()
        watcher = threading.Thread(target=self._tick, args=(what, start, ended))
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()
        seconds = time.monotonic() - start
        if seconds > 1:
            self.say(f"{what}: {seconds:.1f} s")
        if self.started is not None:  # time that no step took
            self.started += seconds

    def _tick(self, what: str, start: float, ended: threading.Event) -> None:
        pause = 1.0 if self.terminal else _REPRINT
        while not ended.wait(pause):
            self._show(f"{what}: {time.monotonic() - start:.0f} s ...")

    def _show(self, line: str) -> None:
        line = self.name + line
        if self.terminal:
            # cut to the width: a line that wraps could not be redrawn
            line = line[: shutil.get_terminal_size().columns - 1]
            self._print(f"\r\x1b[2K{line}")
        else:
            self._print(f"{line}\n")

    def _print(self, text: str) -> None:
        if self.silent:
            return
        try:
            self.out.write(text)
            self.out.flush()
        except OSError:
            self.silent = True


def duration(seconds: float) -> str:
    """75 -> '1:15', 3700 -> '1:01:40'"""
    minutes, seconds = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
    )
