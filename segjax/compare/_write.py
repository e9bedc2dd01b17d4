"""What a comparison leaves: comparison.json and rows.csv."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from segjax import run
from segjax.compare._judge import Found
from segjax.compare._plan import Cell


def write(
    workdir: Path,
    cells: Sequence[Cell],
    found: Mapping[str, Found],
    content: dict[str, Any],
) -> None:
    """content: the judgement; what it says is completed by where each run lies.

    rows.csv holds a line a picture, a column `candidate/score`, each the mean over the
    seeds.
    """
    first = next(iter(found.values()))
    columns = {
        f"{name}/{score}": values
        for name, of in found.items()
        for score, values in of.scores.items()
    }
    run.write_rows(workdir, first.names, first.labels, columns, {}, first.groups)
    content["runs"] = [
        {
            "candidate": cell.candidate,
            "fold": cell.fold,
            "seed": cell.seed,
            "folder": str(cell.folder.relative_to(workdir)),
        }
        for cell in cells
    ]
    run.write_json(workdir / "comparison.json", run.clean(content))
