"""The trainings of a comparison made, and scored, as far as they are not."""

from collections.abc import Iterator, Sequence
from typing import Any

from segjax import evaluate, parallel, run
from segjax.base import GoneWrong, Mistake, Stopped
from segjax.compare._plan import Cell
from segjax.compare._store import Store
from segjax.log import Progress
from segjax.report import write_report
from segjax.train import Programs, alone, side_by_side, training

Wrong = dict[str, list[str]]  # what was said of a candidate's runs that went wrong


def run_all(cells: Sequence[Cell], stop: run.StopRequest) -> Wrong:
    """Every run trained and scored. A candidate of which one has gone wrong is not
    scored."""
    wrong: Wrong = {}
    try:
        for name in dict.fromkeys(cell.candidate for cell in cells):
            mine = [cell for cell in cells if cell.candidate == name]
            for outcome in _trained(mine, stop, len(cells)):
                if isinstance(outcome, GoneWrong):
                    wrong.setdefault(name, []).append(str(outcome))
            stop.alone = True  # nothing runs beside what follows
            for cell in mine if name not in wrong else ():
                where = f"Stopped while {cell.told()} was scored."
                with stop.at_once(f"{where} The same command goes on."):
                    _score(cell)
    except Stopped as stopped:
        trained = sum(run.read_scores(cell.folder) is not None for cell in cells)
        scored = sum(_is_scored(cell) for cell in cells)
        raise Stopped(
            f"Of {len(cells)} trainings {trained} are done, {scored} of them scored."
            f" {stopped}"
        ) from None
    return wrong


def _trained(mine: Sequence[Cell], stop: run.StopRequest, total: int) -> Iterator[Any]:
    """What a candidate's runs give, one after another, or a device for each; where its
    numbers went wrong, that."""
    store, apart = Store(), parallel.devices_here() > 1
    programs = Programs(parallel.train_apart if apart else parallel.train_on_devices)
    stop.alone = not apart
    trainings = (
        training(
            cell.config,
            cell.folder,
            programs,
            stop,
            store.load_splits,
            f"{cell.told()} ({cell.place} of {total})",
        )
        for cell in mine
    )
    if apart:
        yield from side_by_side(trainings)
    else:
        yield from map(_to_its_end, trainings)


def _to_its_end(one) -> Any:
    try:
        return alone(one)
    except GoneWrong as wrong:
        return wrong


def _is_scored(cell: Cell) -> bool:
    """At the pictures' own size, in the way of all."""
    scores = run.read_scores(cell.folder)
    if scores is None or scores["size"] != "native":
        return False
    whole = not scores.get("left_out") and (cell.folder / "rows.csv").is_file()
    return whole and scores["tolerance"] == evaluate.TOLERANCE


def _score(cell: Cell) -> None:
    if _is_scored(cell):
        if not (cell.folder / "report.html").is_file():  # stopped just before it
            write_report(cell.folder)
        return
    of = run.load_run(cell.folder)
    pictures, choosing = (evaluate.open_pictures(of, s) for s in ("test", "val"))
    progress = Progress(1, name=cell.told())
    found = evaluate.evaluate(of, pictures, choosing=choosing, progress=progress)
    if found.measured.broken:
        raise Mistake(f"{cell.told()} cannot be scored: {found.measured.broken[0]}")
    evaluate.write(cell.folder, of, "test", found, evaluate.TOLERANCE)
    write_report(cell.folder)
