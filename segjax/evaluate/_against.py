"""Two runs, or a run and a table of rows, on the same pictures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from segjax import run
from segjax.base import Mistake
from segjax.ops.bootstrap import Paired, Ranges, paired


def read_other(other: str, tolerance: float) -> dict[str, list[str]]:
    """The rows of another run's folder, or of a rows.csv, that ours can be compared
    with."""
    path = Path(other)
    folder = path.parent if path.name == "rows.csv" else path
    scores = run.read_scores(folder) if folder.is_dir() else None
    if scores is None and path.is_dir():
        raise Mistake(
            f"{path} has no scores yet; python -m segjax evaluate {path} makes them."
        )
    if scores and scores["size"] != "native":
        raise Mistake(
            f"{path} is scored at training size; score it at its pictures' own size"
            f" first: python -m segjax evaluate {path}"
        )
    if scores and scores.get("tolerance", tolerance) != tolerance:
        raise Mistake(
            f"{path} is scored with a tolerance of {scores['tolerance']:g} pixels, this"
            f" run with {tolerance:g}; give --tolerance the same."
        )
    columns = run.read_rows(path)
    if scores is None and "truth" not in columns and any("[" in c for c in columns):
        raise Mistake(
            f"{path} is of a training, scored at training size; python -m segjax"
            " evaluate makes rows of that run at its pictures' own size."
        )
    return columns


def against(
    evaluation: Any, theirs: Mapping[str, list[str]], other: str, ranges: Ranges
) -> dict[str, Paired]:
    """Each score that both have, ours minus theirs, picture by picture.

    theirs: as run.read_rows gives it, of the other.
    """
    measured, each, path = evaluation.measured, evaluation.each, Path(other)
    ours, names = set(measured.names), theirs["name"]
    if set(names) != ours:
        missing = sorted(ours - set(names))
        more = sorted(set(names) - ours)
        raise Mistake(
            f"{path} is of other pictures: {len(missing)} of ours are not there"
            f"{_such_as(missing)}, {len(more)} of its are not ours{_such_as(more)}."
            " Only the same pictures can be compared pair by pair."
        )
    place = {name: row for row, name in enumerate(names)}
    order = [place[name] for name in measured.names]
    truths = dict(zip(names, theirs.get("truth", [])))
    for name, truth in zip(measured.names, measured.truths):
        if truths.get(name, truth) != truth:
            raise Mistake(
                f"{name} of {path} is another picture than ours of that name, or has"
                " another mask. Only the same pictures can be compared pair by pair."
            )
    shared = [name for name in each if name in theirs]
    if not shared:
        raise Mistake(f"{path} holds none of the scores {', '.join(each)}.")
    found = {}
    for name in shared:
        least, most = within = ranges.get(name, (0, 1))
        values = run.numbers_of(theirs[name], path)[order]
        if ((values < least) | (values > most)).any():
            raise Mistake(f"{path} has {name} beyond {least:g} to {most:g}.")
        found[name] = paired(each[name], values, measured.groups, within=within)
    return found


def _such_as(names: list[str]) -> str:
    return f" (such as {names[0]})" if names else ""
