"""Several ways trained on the same folds, and what the scores let one say."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from segjax import run
from segjax.base import GoneWrong
from segjax.compare._judge import Found, collect, judge
from segjax.compare._plan import Candidate, Cell, Overrides, check_workdir, planned
from segjax.compare._run import run_all
from segjax.compare._tell import begun, cautions_of, told, verdict_on
from segjax.compare._write import write

__all__ = ["Candidate", "Found", "Overrides", "compare", "told"]


def compare(
    candidates: Sequence[Candidate],
    workdir: Path,
    *,
    folds: int | None,
    seeds: int,
    accelerator: bool = False,
    command: str = "",
    may_end: bool = False,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Train, score and compare; the content of comparison.json. The same call on the
    same folder goes on where it was stopped.

    folds: how many of the data's folds are tested, from the first; None where the data
    has its own test split. command: what would do it again, for the report. A candidate
    with a run whose numbers went wrong is left out and named.
    """
    words = [[c.name, c.source, list(map(list, c.overrides))] for c in candidates]
    plan = {"candidates": words, "folds": folds, "seeds": seeds}
    check_workdir(workdir, plan)
    cells, lines = planned(candidates, folds, seeds, workdir, accelerator)
    with run.locked(workdir), run.stop_requests(may_end) as stop:
        check_workdir(workdir, plan)  # again: another process may have begun
        run.write_json(workdir / "plan.json", plan)
        lines = list(begun(lines))
        for line in (*lines, f"{len(cells)} trainings, in {workdir}"):
            say(line)
        wrong = run_all(cells, stop)
        found = _collected([cell for cell in cells if cell.candidate not in wrong])
        if not found:
            raise GoneWrong(next(iter(wrong.values()))[0])
        task = run.build_parts(cells[0].config).task
        content = judge(found, task.falling, task.ranges)
        verdicts = {name: verdict_on(content, name) for name in content["against"]}
        content |= {"verdicts": verdicts, "gone_wrong": wrong, "command": command}
        content |= {"begun": lines, "cautions": cautions_of(cells)}
        write(workdir, cells, found, content)
    return content


def _collected(cells: Sequence[Cell]) -> dict[str, Found]:
    """What each candidate reached."""
    return {
        name: collect([cell for cell in cells if cell.candidate == name])
        for name in dict.fromkeys(cell.candidate for cell in cells)
    }
