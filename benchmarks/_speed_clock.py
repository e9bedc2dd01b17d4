"""Steps timed one by one, and which of them nothing else on the machine disturbed.
Knows neither JAX nor PyTorch: both sides of speed.py use it."""

import json
import os
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

QUIET = 0.05  # of the machine's time, taken by others: as much is no disturbance
_STAT = Path("/proc/stat")


def time_steps(step: Callable[[], object], count: int) -> dict:
    """A first step, which compiles, one to warm up, and `count` that are timed; more,
    up to three times as many, until so many were quiet.

    seconds: of the quiet steps, or of all where fewer than three were; quiet: their
    share of all.
    """
    began = time.perf_counter()
    step()
    first = time.perf_counter() - began
    step()
    taken: list[tuple[float, bool]] = []
    while len(taken) < 3 * count and sum(quiet for _, quiet in taken) < count:
        taken.append(_time(step))
    calm = [seconds for seconds, quiet in taken if quiet]
    seconds = calm if len(calm) >= 3 else [seconds for seconds, _ in taken]
    return {
        "first": first,
        "seconds": seconds,
        "median": statistics.median(seconds),
        "quiet": len(calm) / len(taken),
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def tell(found: dict) -> None:
    """The last line that a side prints."""
    print(json.dumps(found), flush=True)


def _time(step: Callable[[], object]) -> tuple[float, bool]:
    others, began = _time_of_others(), time.perf_counter()
    step()
    seconds = time.perf_counter() - began
    taken = _time_of_others() - others
    # the counters tick a hundred times a second and processor
    allowed = QUIET * seconds * (os.cpu_count() or 1) + 0.02
    return seconds, taken <= allowed


def _time_of_others() -> float:
    """Processor seconds that all but this process have used; 0 where nobody tells."""
    if not _STAT.exists():
        return 0.0
    ticks = [int(word) for word in _STAT.read_text().split("\n", 1)[0].split()[1:9]]
    idle, waiting = ticks[3], ticks[4]
    return (sum(ticks) - idle - waiting) / os.sysconf(
        "SC_CLK_TCK"
    ) - time.process_time()
