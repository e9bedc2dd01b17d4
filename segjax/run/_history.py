"""What the evaluations of a run have found so far."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from segjax.log import read_metrics


def evaluated_steps(workdir: Path) -> dict[int, float]:
    """The deciding score of each step that was evaluated, nan where it is undefined."""
    found = {}
    for line in read_metrics(workdir):
        scores = [v for name, v in line.items() if name.startswith("val/")]
        if scores:
            found[line["step"]] = math.nan if scores[0] is None else scores[0]
    return found


def best_step(evaluated: Mapping[int, float], steps: Iterable[int]) -> int | None:
    """The step of the highest score among these steps; the newest of equals."""
    scored = [
        (evaluated[s], s) for s in steps if evaluated.get(s, math.nan) > -math.inf
    ]
    return max(scored)[1] if scored else None


def stands_still(evaluated: Mapping[int, float], patience: int, step: int) -> bool:
    """Whether the last `patience` evaluations up to this step have found nothing
    better than those before them; never for a patience of 0."""
    scores = [evaluated[s] for s in sorted(evaluated) if s <= step]
    if patience < 1 or len(scores) <= patience:
        return False
    highest = [
        max((v for v in part if v == v), default=-math.inf)
        for part in (scores[:-patience], scores[-patience:])
    ]
    return highest[1] <= highest[0]
