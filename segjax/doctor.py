"""A data set examined before it is trained on: everything is read, nothing changed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from segjax import data, tasks
from segjax.base import Info, Mistake, find
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
    if hasattr(module, "look_through"):
        found = module.look_through(**options)
        for line in found.told:
            say(line)
        findings += found.problems
        if not found.coding.classes:
            return _conclude(findings, [], say)
        options = options | module.as_options(found)
    info = data.make_info(**options)
    loading = data.Loading(size=options.get("size", 256))._asdict()
    rows = {}
    for split in data.SPLITS:
        try:
            rows[split] = data.open_split(split=split, **loading | options)
        except Mistake as mistake:
            return _conclude([*findings, str(mistake)], [], say)
    report = data.examine(rows, info, count)
    for line in report.facts:
        say(line)
    if report.names:
        say(_best_constant(report, info))
        Image.fromarray(tasks.sheet(report.drawn, info)).save(sheet)
        say(f"overlays of {len(report.drawn)} pictures: {sheet}")
    return _conclude(findings + report.findings, report.notes, say)


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


def _best_constant(report: data.Report, info: Info) -> str:
    """What one class, called for every pixel of the test pictures, scores at best."""
    task = tasks.make_task("semantic", info)
    tested = report.pixels[np.array(report.splits) == "test"]
    every = []
    for k in range(len(info.classes)):
        matrix = np.zeros((len(tested), len(info.classes), len(info.classes)))
        matrix[:, :, k] = tested
        every.append(summarise(task.score, {"confusion": matrix}))
    deciding = next(iter(every[0]))
    best = max(
        range(len(every)), key=lambda k: np.nan_to_num(every[k][deciding]["mean"])
    )
    scores = every[best]
    told = ", ".join(
        f"{word} {scores[word]['mean']:.3f} ({scores[word]['pooled']:.3f} pooled)"
        for word in dict.fromkeys((deciding, "miou", "accuracy"))
    )
    return (
        f"a constant prediction, {info.classes[best]!r} everywhere, scores {told} on"
        f" the {len(tested)} test pictures: less than that is nothing learnt"
    )
