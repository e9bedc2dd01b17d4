"""A tested picture beside what a run makes of it."""

import functools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from segjax import run
from segjax.base import Mistake, Rows
from segjax.report._page import paragraph, strip


def strips(
    wanted: Iterable[tuple[Path, str, str]], say: Callable[[str], None], told: set[str]
) -> Iterator[str]:
    """The panels of pictures, each by a run's folder, its name and a caption; where
    they cannot be made, why, unless that has been told."""
    opened = functools.cache(_opened)  # for these alone: a folder may be trained anew
    for folder, name, caption in wanted:
        panels, problem = _panels_of(opened, folder, name)
        if not problem:
            yield strip(panels, caption)
        elif problem not in told:
            told.add(problem)
            say(f"The report shows not all pictures: {problem}")
            yield paragraph(f"Not all pictures are shown: {problem}", "warn")


def _panels_of(
    opened: Callable, folder: Path, name: str
) -> tuple[list[np.ndarray], str]:
    """Picture, truth, prediction and where they differ; or none, and why."""
    scores = run.read_scores(folder) or {"step": None, "split": "test"}
    try:
        of, rows, names = opened(folder, scores["step"], scores["split"])
        example = _named(rows, name, names.index(name))
    except Mistake as problem:
        return [], str(problem)
    (prediction,) = of.predict([example["image"]])
    drawn = of.task.draw(example["image"], prediction, example)
    return np.split(drawn, drawn.shape[1] // example["image"].shape[1], 1), ""


def _opened(folder: Path, step: int, split: str) -> tuple[run.Run, Rows, list[str]]:
    """A run, the pictures that it was scored on, and their names in rows.csv."""
    of = run.load_run(folder, step=step)
    return of, run.open_rows(of.config)[split], run.read_rows(folder)["name"]


def _named(rows: Rows, name: str, place: int):
    """The picture of that name: at its place in rows.csv, or behind it where others
    could not be read."""
    for index in range(place, len(rows)):
        try:
            example = rows[index]
        except Mistake:
            continue
        if example["name"] == name:
            return example
    raise Mistake(f"{name} is no more among the run's pictures, or cannot be read")
