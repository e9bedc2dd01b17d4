"""The metrics of the steps between two lines of the log, and how many updates were
left out because their numbers were not finite."""

import math
from typing import Any

import jax
import numpy as np


class Tally:
    """Fed with each step's metrics while they are still being computed; it waits for
    those of the step before, so that the devices run one step ahead and no further.

    `memory` goes into checkpoints: a run that goes on from there writes the same lines.
    """

    def __init__(self, memory: dict[str, Any] | None = None):
        memory = memory or {}
        self._recent: list[dict[str, float] | None] = memory.get("recent", [])
        self.left_out: int = memory.get("left_out", 0)  # updates, in all
        self.in_a_row: int = memory.get("in_a_row", 0)  # up to now
        self.first: int | None = memory.get("first")  # the first step left out
        self.last = 0  # the newest step whose metrics are here
        self.asked_to_stop = False  # on any of several hosts
        self._coming: tuple[int, Any] | None = None

    def add(self, step: int, metrics: dict[str, jax.Array]) -> None:
        self.catch_up()
        self._coming = step, metrics

    def catch_up(self) -> None:
        """Wait for the step under way."""
        if self._coming is None:
            return
        step, metrics = self._coming
        self._coming = None
        figures = {name: float(v) for name, v in jax.device_get(metrics).items()}
        self.last = step
        self.asked_to_stop |= figures.pop("asked_to_stop", 0) > 0
        if figures.pop("finite"):
            self._recent.append(figures)
            self.in_a_row = 0
            return
        self._recent.append(None)
        self.left_out += 1
        self.in_a_row += 1
        self.first = self.first or step

    def take(self) -> dict[str, float]:
        """The means since the last taking, of the steps that were not left out."""
        self.catch_up()
        good = [figures for figures in self._recent if figures is not None]
        skipped = len(self._recent) - len(good)
        self._recent = []
        if not good:
            return {"loss": math.nan, "skipped": skipped}
        means = {name: float(np.mean([g[name] for g in good])) for name in good[0]}
        return means | {"skipped": skipped}

    @property
    def memory(self) -> dict[str, Any]:
        self.catch_up()
        return {
            "recent": list(self._recent),
            "left_out": self.left_out,
            "in_a_row": self.in_a_row,
            "first": self.first,
        }
