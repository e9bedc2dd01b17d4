"""What the runs of a comparison let one say."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from segjax import run
from segjax.base import Mistake
from segjax.compare._plan import Cell
from segjax.ops.bootstrap import Ranges, mean_of, paired

Fold = int | None


class Found(NamedTuple):
    """A candidate's scores: of each picture the mean over the trainings that it was
    tested by, one from each seed."""

    names: list[str]
    labels: list[str]
    groups: list[str] | None
    folds: list[set[Fold]]  # that a picture is tested in: one, or all of them
    trainings: int  # that test a picture
    scores: dict[str, np.ndarray]  # {score: f64[pictures]}, the deciding one first
    by_seed: dict[int, float]  # mean of the deciding score over the pictures
    choosing: dict[Fold, float]  # its mean on the choosing pictures of each fold


def collect(cells: Sequence[Cell]) -> Found:
    """From the rows.csv of a candidate's runs, all finished."""
    tables = [run.read_rows(cell.folder) for cell in cells]
    scored = run.read_scores(cells[0].folder) or {"scores": {}}
    columns = [name for name in scored["scores"] if name in tables[0]]
    values: dict[str, dict[str, list[float]]] = {}
    folds: dict[str, set[Fold]] = {}
    labels: dict[str, str] = {}
    groups: dict[str, str] = {}
    of_seed: dict[int, list[float]] = {}
    choosing: dict[Fold, list[float]] = {}
    for cell, table in zip(cells, tables):
        choosing.setdefault(cell.fold, []).append(_best(cell.folder))
        if missing := [column for column in columns if column not in table]:
            raise _unlike(cell, f"has no column {missing[0]!r}")
        for column in columns:
            found = run.numbers_of(table[column], cell.folder)
            if column == columns[0]:
                of_seed.setdefault(cell.seed, []).extend(found)
            for name, value in zip(table["name"], found):
                values.setdefault(name, {}).setdefault(column, []).append(value)
        for name in table["name"]:
            folds.setdefault(name, set()).add(cell.fold)
        labels |= dict(zip(table["name"], table["label"]))
        groups |= dict(zip(table["name"], table.get("group", [])))
    names = sorted(values)
    each = [len(values[name][columns[0]]) for name in names]
    if len(set(each)) > 1:
        raise _unlike(
            cells[0], f"or one beside it lacks {names[each.index(min(each))]}"
        )
    return Found(
        names=names,
        labels=[labels[name] for name in names],
        groups=[groups.get(name, name) for name in names] if groups else None,
        folds=[folds[name] for name in names],
        trainings=each[0],
        scores={c: np.array([np.mean(values[n][c]) for n in names]) for c in columns},
        by_seed={seed: _mean(found) for seed, found in of_seed.items()},
        choosing={fold: _mean(found) for fold, found in choosing.items()},
    )


def _unlike(cell: Cell, what: str) -> Mistake:
    return Mistake(
        f"{cell.folder}/rows.csv {what}. Delete the scores.json beside it, and the same"
        " command scores that run again."
    )


def _best(folder: Path) -> float:
    """The score by which the checkpoint was chosen."""
    evaluated = run.evaluated_steps(folder).values()
    return max((v for v in evaluated if v == v), default=math.nan)


def _mean(values: Sequence[float]) -> float:
    """The mean of those that are defined."""
    defined = [value for value in values if value == value]
    return float(np.mean(defined)) if defined else math.nan


def judge(
    found: Mapping[str, Found], falling: Sequence[str], ranges: Ranges
) -> dict[str, Any]:
    """Means with intervals, and each candidate against the one that the choosing folds
    prefer."""
    names = {tuple(f.names) for f in found.values()}
    if len(names) > 1:
        raise Mistake("The runs were tested on different pictures; compare them anew.")
    score = next(iter(next(iter(found.values())).scores))
    choosing = {name: _mean([*f.choosing.values()]) for name, f in found.items()}
    chosen = max(found, key=lambda name: _least_if_undefined(choosing[name]))
    best = found[chosen]
    others = {name: f for name, f in found.items() if name != chosen}
    return {
        "score": score,
        "falling": list(falling),
        "chosen": chosen,
        "trainings": best.trainings,
        "groups": len(set(best.groups or ())),
        "table": {name: _means(f, ranges) for name, f in found.items()},
        "picked": _picked(found, score, ranges),
        "choosing": choosing,
        "by_seed": {
            name: {str(seed): mean for seed, mean in f.by_seed.items()}
            for name, f in found.items()
        },
        "against": {
            name: {
                word: paired(
                    values, f.scores[word], f.groups, within=ranges.get(word, (0, 1))
                )._asdict()
                for word, values in best.scores.items()
                if word in f.scores
            }
            for name, f in others.items()
        },
    }


def _least_if_undefined(value: float) -> float:
    return value if value == value else -math.inf


def _means(found: Found, ranges: Ranges) -> dict[str, dict[str, float]]:
    return {
        name: mean_of(values, found.groups, within=ranges.get(name, (0, 1)))
        for name, values in found.scores.items()
    }


def _picked(
    found: Mapping[str, Found], score: str, ranges: Ranges
) -> dict[str, Any] | None:
    """The score of choosing anew for each fold, by its own choosing pictures, which its
    tested ones are not among. A candidate preferred over all folds has been chosen on
    pictures that, in other folds, it is tested on.

    None where there is nothing to choose, or one fold.
    """
    first = next(iter(found.values()))
    if (
        len(found) < 2
        or len(first.choosing) < 2
        or any(len(f) > 1 for f in first.folds)
    ):
        return None
    pick = {
        fold: max(found, key=lambda n: _least_if_undefined(found[n].choosing[fold]))
        for fold in first.choosing
    }
    values = [
        found[pick[fold]].scores[score][place]
        for place, (fold,) in enumerate(first.folds)
    ]
    mean = mean_of(np.array(values), first.groups, within=ranges.get(score, (0, 1)))
    return mean | {"by_fold": {str(fold): name for fold, name in pick.items()}}
