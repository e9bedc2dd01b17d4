"""What a run says of itself when it begins and when it ends."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from segjax import data, models, parallel
from segjax.base import Rows
from segjax.log import is_defined, mean_and_span
from segjax.run._config import options
from segjax.run._parts import Parts


def announce(
    say: Callable,
    config: ConfigDict,
    parts: Parts,
    rows: dict[str, Rows],
    workdir: Path,
    found: list[str],
) -> None:
    """What is about to be trained, on what, by what, and where it will lie.

    found: what was found in the data.
    """
    split_sizes = ", ".join(f"{len(rows[split])} {split}" for split in rows)
    how = data.Loading.of(options(config.data))
    size = f"{how.size}x{how.size}"
    if how.side != how.size:
        size += f" cut out of {how.side}x{how.side}, on which they are scored"
    parameters = sum(models.count_parameters(parts.model).values())
    lines = {
        "devices": parallel.describe_devices(),
        "hosts": parallel.describe_dangers(),
        "preset": config.get("preset") or "none",
        "data": f"{config.data.name}: {split_sizes} pictures, {size}",
        "caution": parts.info.caution,
        "classes": ", ".join(parts.info.classes),
        "task": config.task.name,
        "model": f"{config.model.name}, {parameters:,} parameters",
        "steps": f"{config.steps:,} of {config.batch} pictures",
        "run": str(workdir),
    }
    for name, text in lines.items():
        if text:
            say(f"{name + ':':<9}{text}")
        for line in found if name == "data" else ():
            say(f"{'':<9}{line}")


def conclude(
    say: Callable,
    scores: dict[str, Any],
    workdir: Path,
    took: str,
    among_others: bool = False,
) -> None:
    """What was reached, where it lies, what to type next."""
    name, score = next(iter(scores["scores"].items()))
    if not is_defined(score):
        say(f"{name} is defined on none of the {scores['split']} pictures.")
        return
    groups = f" from {scores['groups']} groups" if scores.get("groups") else ""
    say(
        f"{name} {mean_and_span(score)} a picture, {score['pooled']:.4f} pooled, over"
        f" {score['n']} {scores['split']} pictures{groups} at {scores['size']} size;"
        f" checkpoint of step {scores['step']}; {took} in all."
    )
    if scores.get("caution"):
        say(f"Caution, {scores['caution']}.")
    if scores.get("remark"):
        say(f"Something is wrong: {scores['remark']}")
    if among_others:
        return
    say(f"Overlays: {workdir}/pictures  Scores: {workdir}/scores.json, rows.csv")
    say(f"Use it: segjax.load_run({str(workdir)!r}).predict(images)")
