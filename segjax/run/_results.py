"""What a run found: scores.json and rows.csv."""

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from segjax.run._folder import write_json


def read_scores(workdir: Path) -> dict[str, Any] | None:
    """scores.json, or None where there is none yet."""
    path = workdir / "scores.json"
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, ValueError):  # a torn one is made again
        return None


def forget_scores(workdir: Path) -> None:
    """No scores, while the run goes on: those of fewer steps are not its own."""
    (workdir / "scores.json").unlink(missing_ok=True)


def write_scores(
    workdir: Path,
    step: int,
    split: str,
    size: str,
    scores: dict[str, Any],
    **beside: str,
) -> dict[str, Any]:
    """scores.json: of which checkpoint, over which pictures, at which size, and what
    must be known beside them."""
    content = {"step": step, "split": split, "size": size}
    content |= {word: text for word, text in beside.items() if text}
    content |= {"scores": _clean(scores)}
    write_json(workdir / "scores.json", content)
    return content


def write_rows(
    workdir: Path,
    names: Sequence[str],
    labels: Sequence[str],
    scores: dict[str, np.ndarray],
    rows: dict[str, np.ndarray],
) -> None:
    """rows.csv, a line a picture: name, label, its scores, its counts."""
    counts = {
        f"{word}{list(place)}" if place else word: values[(slice(None), *place)]
        for word, values in rows.items()
        for place in np.ndindex(values.shape[1:])
    }
    columns = {"name": names, "label": labels} | scores | counts
    path = workdir / "rows.csv"
    part = path.with_suffix(".part")
    with part.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(columns)
        table.writerows(zip(*columns.values(), strict=True))
    part.replace(path)


def _clean(tree):
    """Not-a-number as null: JSON has no other word for it."""
    if isinstance(tree, dict):
        return {key: _clean(value) for key, value in tree.items()}
    return None if isinstance(tree, float) and not math.isfinite(tree) else tree
