"""A data set examined before it is trained on: everything is read, nothing changed."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from segjax import data, tasks
from segjax.base import Info, Mistake, Rows, find
from segjax.ops.bootstrap import summarise


def diagnose(
    options: dict[str, Any],
    sheet: Path,
    say: Callable[[str], None] = print,
    count: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> int:
    """What a data set is and what is wrong with it, said; how many findings there are.

    options: of the data, name included; sheet: where overlays are drawn to.
    """
    findings: list[str] = []
    module = find("data", options["name"])
    _check_sheet(sheet, options.get("dir"))
    loading = data.Loading.of({"size": 256} | options)
    loading.check()
    if hasattr(module, "look_through"):
        found = module.look_through(**options)
        for line in found.told:
            say(line)
        findings += found.problems
        if not found.known:
            return _conclude(findings, [], say)
        options = options | module.as_options(found)
    info = data.make_info(**options)
    rows = _open(module, options | loading._asdict(), findings)
    if not rows:
        return _conclude(findings, [], say)
    report = data.examine(rows, info, count)
    for line in report.facts:
        say(line)
    if report.names and "semantic" in info.provides:
        for line in _constants(report, info):
            say(line)
    if report.names:
        Image.fromarray(tasks.sheet(report.drawn, info)).save(sheet, "PNG")
        say(f"overlays of {len(report.drawn)} pictures: {sheet}")
    return _conclude(findings + report.findings, report.notes, say)


def _open(module, options: dict[str, Any], findings: list[str]) -> dict[str, Rows]:
    """The rows of each split; of a folder that cannot be dealt out, all together."""
    try:
        return {split: data.open_split(split=split, **options) for split in data.SPLITS}
    except Mistake as mistake:
        if not hasattr(module, "open_all"):
            raise
        findings.append(str(mistake))
        try:
            return {"train": module.open_all(**options)}
        except Mistake:  # one that no reading goes round
            return {}


def _check_sheet(sheet: Path, dir: str | None) -> None:
    """A Mistake where the sheet cannot be written, or would lie among the data."""
    folder = sheet.absolute().parent
    if sheet.is_dir() or not folder.is_dir():
        raise Mistake(f"--sheet is {str(sheet)!r}; it must be a file, *.png.")
    if not os.access(sheet if sheet.exists() else folder, os.W_OK):
        raise Mistake(f"{sheet} cannot be written; give --sheet another file.")
    if dir is not None and folder.resolve().is_relative_to(Path(dir).resolve()):
        raise Mistake(
            f"{sheet} would lie among the pictures; give --sheet a file elsewhere."
        )


def _conclude(findings: list[str], notes: list[str], say: Callable) -> int:
    for line in notes:
        say(f"note: {line}")
    for line in dict.fromkeys(findings):  # a file may be wrong in two ways of looking
        say(f"FINDING: {line}")
    count = len(set(findings))
    say(f"{count} finding{'s' * (count > 1)}." if count else "Nothing is wrong.")
    if any("damaged" in line or "is empty" in line for line in findings):
        say("Get broken files anew, or move picture and mask out of the folder.")
    return len(findings)


def _constants(report: data.Report, info: Info) -> list[str]:
    """What one class, called for every pixel of the test pictures, scores at best."""
    task = tasks.make_task("semantic", info)
    tested = report.pixels[np.array(report.splits) == "test"]
    if not tested.sum():
        return []
    every = []
    for k in range(len(info.classes)):
        matrix = np.zeros((len(tested), len(info.classes), len(info.classes)))
        matrix[:, :, k] = tested
        every.append(summarise(task.score, {"confusion": matrix}))
    lines = [
        f"a constant prediction scores at best, on the {len(tested)} test pictures:"
    ]
    for word in dict.fromkeys((next(iter(every[0])), "miou", "accuracy")):
        means = [np.nan_to_num(scores[word]["mean"]) for scores in every]
        best = int(np.argmax(means))
        pooled = every[best][word]["pooled"]
        lines.append(
            f"  {word} {means[best]:.3f} a picture, {pooled:.3f} pooled"
            f" ({info.classes[best]!r} everywhere)"
        )
    return lines
