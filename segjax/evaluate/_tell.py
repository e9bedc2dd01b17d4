"""An evaluation in lines of text."""

from collections.abc import Iterator
from typing import Any

from segjax.base import Task
from segjax.log import cautions, is_defined, mean_and_span, span, verdict
from segjax.ops.bootstrap import Paired
from segjax.ops.calibration import LIMITS


def told(task: Task, content: dict[str, Any]) -> Iterator[str]:
    """content: of scores.json."""
    yield _over(content, "two" if task.mirrored else "eight")
    yield from _table(content["scores"])
    for label, scores in content.get("by_label", {}).items():
        name, score = next(iter(scores.items()))
        mean = mean_and_span(score) if is_defined(score) else "is not defined"
        yield f"{label}: {name} {mean} over {score['n']}"
    if "temperature" in content.get("calibration", {}):
        yield _calibration(content)
    yield from cautions(content)
    if "against" in content:
        other = content["against"]
        yield f"Against {other['of']}, the same pictures, this run minus that one:"
        for name, found in other["scores"].items():
            yield verdict(name, Paired(**found), task.falling)


def _over(content: dict[str, Any], views: str) -> str:
    """Over what all of it is. views: how many, where it is by several."""
    n = max(score["n"] for score in content["scores"].values())
    groups = content.get("groups")
    over = f"; intervals over groups of pictures, of which there are {groups}"
    over = over if groups else ""
    split = content["split"]
    which = "pictures of all splits" if split == "all" else f"{split} pictures"
    tta = content.get("about", {}).get("tta")
    seen = f", by the mean of {views} views" if tta else ""
    step = content["step"]
    return f"{n} {which} at their own size{seen}, checkpoint of step {step}{over}"


def _table(scores: dict[str, Any]) -> Iterator[str]:
    rows = [("score", "mean", "95 % interval", "pooled", "pictures")]
    rows += [(name, *_told(score), str(score["n"])) for name, score in scores.items()]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for name, *rest in rows:
        told = (text.rjust(width) for text, width in zip(rest, widths[1:]))
        yield "  ".join([name.ljust(widths[0]), *told])


def _told(score: dict[str, Any]) -> tuple[str, str, str]:
    if not is_defined(score):
        return "-", "", "-"
    pooled = "-" if score["pooled"] is None else f"{score['pooled']:.4f}"
    return f"{score['mean']:.4f}", span(score), pooled


def _calibration(content: dict[str, Any]) -> str:
    found = content["calibration"]
    among = ", which is among these pictures" if found["among_these"] else ""
    edge = (
        "" if LIMITS[0] < found["temperature"] < LIMITS[1] else ", the furthest tried"
    )
    return (
        f"Calibration: pooled ECE {found['before']['ece']:.4f}, and"
        f" {found['after']['ece']:.4f} at temperature {found['temperature']:.3f}{edge},"
        f" fitted on the choosing fold{among}"
    )
