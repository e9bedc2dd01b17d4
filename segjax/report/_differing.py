"""The pictures of a comparison: each one's score, and those on which the chosen
candidate and the next best differ most."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from segjax import run
from segjax.report import _charts
from segjax.report._page import heading, paragraph
from segjax.report._pictures import strips

_PICTURES = 3  # on which two differ most, either way


def differing(
    folder: Path,
    runs: list[dict[str, Any]],
    content: Mapping[str, Any],
    panels: str,
    say: Callable[[str], None],
) -> Iterator[str]:
    """Every picture's score; and those on which the chosen one and the next best differ
    most. panels: what is shown of each."""
    score, chosen = content["score"], content["chosen"]
    columns = run.read_rows(folder)
    path = folder / "rows.csv"
    values = {
        name: run.column_of(columns, f"{name}/{score}", path)
        for name in content["table"]
    }
    yield heading("Pictures")
    yield _charts.dots({name: list(v) for name, v in values.items()}, score)
    yield paragraph("A dot is a picture; the bar is their mean.", "soft")
    others = [name for name in content["table"] if name != chosen]
    if not others:
        return
    second = max(others, key=lambda name: content["choosing"][name] or -np.inf)
    gaps = values[chosen] - values[second]
    order = [int(i) for i in np.argsort(gaps, kind="stable") if np.isfinite(gaps[i])]
    ends = {
        f"Largest difference, {chosen} minus {second}": order[: -_PICTURES - 1 : -1],
        f"Smallest difference, {chosen} minus {second}": order[:_PICTURES],
    }
    tested, told = _tested(runs, (chosen, second)), set[str]()
    names = columns["name"]
    for title, some in ends.items():
        yield heading(title)
        wanted = (
            (tested[who, names[i]], names[i], f"{names[i]}, {who}: {score} {v[i]:.3f}")
            for i in some
            for who, v in ((chosen, values[chosen]), (second, values[second]))
        )
        yield from strips(wanted, say, told)
    yield paragraph(
        f"{panels} Of the first seed; the score is the mean of the seeds.", "soft"
    )


def _tested(runs, names) -> dict[tuple[str, str], Path]:
    """The first run of a candidate that tested a picture."""
    found: dict[tuple[str, str], Path] = {}
    for one in runs:
        if one["candidate"] in names:
            for picture in run.read_rows(one["folder"])["name"]:
                found.setdefault((one["candidate"], picture), one["folder"])
    return found
