"""What is to be trained: every candidate, on every fold, from every seed."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from segjax import data, models, run, tasks
from segjax.base import Mistake

Overrides = Sequence[tuple[str, str]]


class Candidate(NamedTuple):
    """A config with options set, under a name of its own."""

    name: str
    source: str
    overrides: Overrides


class Cell(NamedTuple):
    """One training of the plan."""

    candidate: str
    fold: int | None
    seed: int
    config: ConfigDict
    folder: Path
    place: int  # in the plan, from 1

    def told(self) -> str:
        fold = "" if self.fold is None else f", fold {self.fold}"
        return f"{self.candidate}{fold}, seed {self.seed}"


def planned(
    candidates: Sequence[Candidate],
    folds: int | None,
    seeds: int,
    workdir: Path,
    accelerator: bool,
) -> tuple[list[Cell], list[str]]:
    """All trainings, built as far as mistakes show before anything is compiled; and
    lines about the data and the candidates."""
    cells = list(_cells(candidates, folds, seeds, workdir, accelerator))
    for cell in cells:
        _check_folds(cell, folds)
    tested: dict[int | None, tuple[Cell, Any]] = {}
    read: dict[str, Any] = {}  # what is in the data, by its options: read once
    told: dict[str, str] = {}
    on: list[str] = []
    for cell in cells:
        if cell.seed > 0:
            continue  # the same but for the seed
        asked = repr(sorted(run.options(cell.config.data).items()))
        if asked not in read:
            read[asked] = _in_data(cell)
        found, lines, sizes, content = read[asked]
        config = run.with_found(cell.config, found)
        parts = run.build_parts(config)
        pictures = (config.data.name, sizes["test"], content)
        alike = pictures, tasks.score_names(parts.task, parts.info)
        _check_alike(cell, alike, *tested.setdefault(cell.fold, (cell, alike)))
        count = sum(models.count_parameters(parts.model).values())
        told[cell.candidate] = (
            f"{cell.candidate}: {config.model.name}, {count:,} parameters,"
            f" {config.steps:,} steps of {config.batch} pictures"
        )
        count_of = ", ".join(f"{count} {split}" for split, count in sizes.items())
        fold = "" if cell.fold is None else f", fold {cell.fold}"
        on = on or [f"{config.data.name}: {count_of} pictures{fold}", *lines]
    return cells, [*on, *told.values()]


def _in_data(cell: Cell) -> tuple[dict[str, Any], list[str], dict[str, int], str]:
    """What had to be found in a training's data and what is said of it, how many
    pictures each split has, and what tells them from others."""
    found, lines = run.find_in_data(cell.config, cell.folder)
    rows = run.open_rows(run.with_found(cell.config, found))
    sizes = {split: len(rows[split]) for split in rows}
    return found, lines, sizes, run.fingerprint(rows)


def _check_folds(cell: Cell, folds: int | None) -> None:
    known = cell.config.data.get("folds") or data.FOLDS
    if folds is not None and folds > known:
        raise Mistake(
            f"--folds is {folds}; the data of {cell.candidate} has {known} folds (a"
            f" folder is dealt into more by --config.data.folds={folds})."
        )


def _check_alike(cell: Cell, mine: tuple, first: Cell, others: tuple) -> None:
    """A Mistake where two cannot be compared. mine: the pictures (where from, how many
    are tested, a fingerprint of all) and the names of the scores."""
    (pictures, scores), (theirs, their_scores) = mine, others
    if theirs != pictures:
        raise Mistake(
            f"{first.candidate} and {cell.candidate} are not tested on the same"
            f" pictures: {theirs[1]} of {theirs[0]}, {pictures[1]} of {pictures[0]}."
            " They need the same data, dealt in the same way."
        )
    if scores != their_scores:
        raise Mistake(
            f"{first.candidate} is trained for {first.config.task.name!r},"
            f" {cell.candidate} for {cell.config.task.name!r}; their scores cannot be"
            " compared."
        )


def _cells(
    candidates: Sequence[Candidate],
    folds: int | None,
    seeds: int,
    workdir: Path,
    accelerator: bool,
) -> Iterator[Cell]:
    place = 0
    for candidate in candidates:
        for fold in range(folds) if folds is not None else [None]:
            for seed in range(seeds):
                extra = [("seed", str(seed))]
                extra += [] if fold is None else [("data.fold", str(fold))]
                config = run.load_config(
                    candidate.source,
                    [*candidate.overrides, *extra],
                    accelerator=accelerator,
                )
                name = f"seed{seed}" if fold is None else f"fold{fold}-seed{seed}"
                folder = workdir / candidate.name / name
                place += 1
                yield Cell(candidate.name, fold, seed, config, folder, place)


def check_workdir(workdir: Path, plan: dict[str, Any]) -> None:
    """A Mistake unless the folder is new, or holds this very comparison."""
    run.check_place(workdir, "--workdir")
    barely = {"lock", "plan.json", "plan.json.part"}  # of a comparison that never began
    if not workdir.is_dir() or not {p.name for p in workdir.iterdir()} - barely:
        return
    try:
        before = json.loads((workdir / "plan.json").read_text())
        differing = list(_differences(before, plan))
    except (OSError, ValueError, TypeError, AttributeError):
        raise Mistake(
            f"{workdir} holds something that is not a comparison; give --workdir an"
            " empty or a new folder."
        ) from None
    if differing:
        raise Mistake(
            f"{workdir} holds another comparison: {'; '.join(differing)}. Give"
            " --workdir another folder."
        )


def _differences(held: dict[str, Any], plan: dict[str, Any]) -> Iterator[str]:
    for key in ("folds", "seeds"):
        if held.get(key) != plan[key]:
            yield f"{key} was {held.get(key)} and is {plan[key]}"
    before = {name: rest for name, *rest in held.get("candidates", [])}
    now = {name: rest for name, *rest in plan["candidates"]}
    if [*before] != [*now]:
        yield f"it compares {', '.join(before)}, and this is {', '.join(now)}"
        return
    for name in now:
        if before[name] != now[name]:
            yield f"{name} was {_typed(*before[name])} and is {_typed(*now[name])}"


def _typed(source: str, overrides: Overrides) -> str:
    return " ".join([source, *("=".join(pair) for pair in overrides)])
