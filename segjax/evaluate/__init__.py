"""A run scored as it will be used: at each picture's own size, with calibration, and
against another run on the same pictures."""

from typing import NamedTuple

import numpy as np

from segjax import run
from segjax.base import Rows, Task
from segjax.evaluate._against import against, read_other
from segjax.evaluate._measure import Measured, check_columns, measure_pictures
from segjax.evaluate._pictures import are_own, open_pictures
from segjax.evaluate._tell import told
from segjax.evaluate._temperature import fit_temperature
from segjax.evaluate._write import choose_place, write
from segjax.log import Progress
from segjax.ops.bootstrap import score_each, summarise

__all__ = [
    "TOLERANCE",
    "Evaluation",
    "against",
    "are_own",
    "choose_place",
    "evaluate",
    "open_pictures",
    "read_other",
    "told",
    "write",
]

TOLERANCE = 2.0  # of surface Dice, in pixels, where none is given

Scores = dict[str, dict[str, float]]  # {score: {mean, low, high, pooled, n}}


class Evaluation(NamedTuple):
    """What was found of a run on a split."""

    measured: Measured
    each: dict[str, np.ndarray]  # {score: f64[n]}
    scores: Scores
    by_label: dict[str, Scores]  # none where all pictures have one label
    temperature: float | None  # fitted on the choosing fold; None for no logits


def evaluate(
    of: run.Run,
    pictures: Rows,
    *,
    tolerance: float = TOLERANCE,
    choosing: Rows | None = None,
    progress: Progress,
    by: str | None = None,
    group: str | None = None,
    tta: bool = False,
) -> Evaluation:
    """The run on the pictures.

    tolerance: of surface Dice, in pixels. choosing: the pictures that chose the
    checkpoint, on which a temperature is fitted. by: a column by whose words scores are
    told apart; group: one that says which pictures belong together, in intervals and
    tests. tta: by the mean of the eight flips and turns of each picture, or, of joints,
    of the picture and its mirror picture.
    """
    check_columns(pictures, by, group)
    temperature = None
    if choosing is not None and of.task.logits:
        with progress.waiting("fitting the temperature"):
            temperature = fit_temperature(of, choosing)
    found = measure_pictures(
        of, pictures, tolerance, temperature, progress, by, group, tta
    )
    return Evaluation(
        measured=found,
        each=score_each(of.task.score, found.rows),
        scores=summarise(
            of.task.score, found.rows, groups=found.groups, ranges=of.task.ranges
        ),
        by_label=_by_label(of.task, found),
        temperature=temperature,
    )


def _by_label(task: Task, found: Measured) -> dict[str, Scores]:
    labels = np.array(found.labels)
    kinds = sorted(set(found.labels))
    if len(kinds) < 2:
        return {}
    of_kind = {}
    for kind in kinds:
        here = labels == kind
        groups = None if found.groups is None else np.array(found.groups)[here]
        rows = {word: values[here] for word, values in found.rows.items()}
        of_kind[kind or "(none)"] = summarise(
            task.score, rows, groups=groups, ranges=task.ranges
        )
    return of_kind
