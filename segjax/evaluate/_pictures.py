"""The pictures that a run is scored on: its own, or others of the same classes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from segjax import data, run
from segjax.base import Info, Mistake, Rows
from segjax.run import data_options, options

Overrides = Sequence[tuple[str, str]]


class Joined:
    """The rows of several splits, one after another."""

    def __init__(self, parts: Sequence[Rows]):
        self._parts = parts

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __getitem__(self, index: int) -> dict[str, Any]:
        for rows in self._parts:
            if index < len(rows):
                return rows[index]
            index -= len(rows)
        raise IndexError(index)


def open_pictures(
    of: run.Run, split: str, source: str | None = None, overrides: Overrides = ()
) -> Rows:
    """A split of the run's own data, or of another: a name, or a folder.

    split: or "all" of them. overrides: options of that data.
    """
    if split not in (*data.SPLITS, "all"):
        known = ", ".join(data.SPLITS)
        raise Mistake(f"--split is {split!r}; it must be one of {known}, all.")
    if source is None:
        wanted = options(run.override(of.config, overrides).data)
    else:
        wanted = data_options(source, overrides, "keypoints" in of.task.needs)
        found, _ = data.settle(**wanted)
        wanted |= found
        theirs = data.make_info(**wanted)
        _check_classes(of.info, theirs, source)
        _check_words(of, theirs, source)
    if split == "all":
        return Joined([data.open_split(split=s, **wanted) for s in data.SPLITS])
    return data.open_split(split=split, **wanted)


def are_own(of: run.Run, source: str | None, overrides: Overrides) -> bool:
    """Whether these are the run's own pictures, wherever they have been moved."""
    others = [key for key, _ in overrides if not key.startswith("data.")]
    if others:
        raise Mistake(f"config.{others[0]} counts not here; only config.data.* do.")
    if source is not None or {key for key, _ in overrides} - {"data.dir"}:
        return False
    there = run.open_rows(run.override(of.config, overrides))
    saved = run.read_config(of.folder)
    same = saved is not None and run.fingerprint(there) == saved.pictures
    if not same and not overrides:
        raise Mistake(
            f"The pictures of {of.folder} have changed since it learnt: what is tested"
            " now may be among those that it learnt from. --data says which others to"
            " score it on."
        )
    return same


def _check_words(of: run.Run, theirs: Info, source: str) -> None:
    """What the task is scored by must be there; of joints, the same ones."""
    missing = [word for word in of.task.needs if word not in theirs.provides]
    if missing:
        raise Mistake(
            f"Task {of.config.task.name!r} is scored by {', '.join(missing)};"
            f" {Path(source).name} provides {', '.join(theirs.provides)}."
        )
    if "keypoints" in of.task.needs and theirs.joints != of.info.joints:
        raise Mistake(
            f"The run knows the joints {', '.join(of.info.joints)}; {Path(source).name}"
            f" has {', '.join(theirs.joints)}. Scores need the same, in one order;"
            " --config.data.joints names those of a folder."
        )


def _check_classes(mine: Info, theirs: Info, source: str) -> None:
    """Names may differ, as lesion and nevus do; their number and order may not."""
    told = f"The run knows the classes {', '.join(mine.classes)}; {Path(source).name}"
    told += f" has {', '.join(theirs.classes)}."
    if len(mine.classes) != len(theirs.classes):
        raise Mistake(f"{told} Scores need as many classes.")
    if mine.classes != theirs.classes and set(mine.classes) == set(theirs.classes):
        raise Mistake(f"{told} --config.data.classes puts them into the run's order.")
