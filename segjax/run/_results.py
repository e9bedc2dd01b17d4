"""What a run found: scores.json and rows.csv."""

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from segjax.base import Mistake
from segjax.run._folder import write_json
from segjax.run._whole import whole


def read_scores(workdir: Path) -> dict[str, Any] | None:
    """scores.json, or None where there is none yet."""
    path = workdir / "scores.json"
    try:
        content = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):  # a torn one is made again
        return None
    needed = {"step", "split", "size", "scores"}
    return content if isinstance(content, dict) and needed <= content.keys() else None


def forget_scores(workdir: Path) -> None:
    """No scores, while the run goes on: those of fewer steps are not its own."""
    (workdir / "scores.json").unlink(missing_ok=True)


def write_scores(
    workdir: Path,
    step: int,
    split: str,
    size: str,
    scores: dict[str, Any],
    **beside: Any,
) -> dict[str, Any]:
    """scores.json: of which checkpoint, over which pictures, at which size, and what
    must be known beside them."""
    content = {"step": step, "split": split, "size": size}
    # a figure is said even where it is 0
    kept = {w: said for w, said in beside.items() if said or isinstance(said, float)}
    content |= clean(kept)
    content |= {"scores": clean(scores)}
    write_json(workdir / "scores.json", content)
    return content


def write_rows(
    workdir: Path,
    names: Sequence[str],
    labels: Sequence[str],
    scores: dict[str, np.ndarray],
    rows: dict[str, np.ndarray],
    groups: Sequence[str] | None = None,
    truths: Sequence[str] | None = None,
) -> None:
    """rows.csv, a line a picture: name, label, group, what tells its truth from
    others', its scores, its counts."""
    counts = {
        f"{word}{list(place)}" if place else word: values[(slice(None), *place)]
        for word, values in rows.items()
        for place in np.ndindex(values.shape[1:])
    }
    of_picture = {"name": names, "label": labels}
    of_picture |= {"group": groups} if groups else {}
    of_picture |= {"truth": truths} if truths else {}
    columns = of_picture | scores | counts
    with whole(workdir / "rows.csv") as part, part.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(columns)
        table.writerows(zip(*columns.values(), strict=True))


TEXTS = ("name", "label", "group", "truth")  # columns of rows.csv that are no numbers


def read_rows(path: Path) -> dict[str, list[str]]:
    """The columns of a rows.csv, or of the one in a run's folder; a Mistake for what
    is none."""
    path = path / "rows.csv" if path.is_dir() else path
    try:
        with path.open(newline="") as file:
            lines = list(csv.DictReader(file))
    except FileNotFoundError:
        raise Mistake(
            f"There is no {path}; evaluate that run first, or name a rows.csv."
        ) from None
    except (UnicodeDecodeError, csv.Error):
        raise Mistake(f"{path} is not a table of rows.") from None
    if not lines or "name" not in lines[0]:
        raise Mistake(f"{path} has no column 'name'; it is not a rows.csv.")
    columns = {key: [line.get(key) or "" for line in lines] for key in lines[0] if key}
    if len(set(columns["name"])) < len(lines):
        raise Mistake(f"{path} names a picture twice.")
    return columns


def numbers_of(texts: Sequence[str], path: Path) -> np.ndarray:
    """A column of a table as f64[n], nan where it is empty; a Mistake for words."""
    try:
        return np.array([float(text or "nan") for text in texts])
    except ValueError as error:
        raise Mistake(f"{path} holds what is no number: {error}.") from None


def column_of(columns: dict[str, list[str]], name: str, path: Path) -> np.ndarray:
    """A column of numbers; a Mistake where there is none of that name."""
    if name not in columns:
        raise Mistake(f"{path} has no column {name!r}; make the scores again.")
    return numbers_of(columns[name], path)


def clean(tree: Any) -> Any:
    """Not-a-number as null: JSON has no other word for it."""
    if isinstance(tree, dict):
        return {key: clean(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [clean(value) for value in tree]
    return None if isinstance(tree, float) and not math.isfinite(tree) else tree
