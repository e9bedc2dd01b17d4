"""Scores in words: a mean with its interval, and what a paired comparison lets one
say."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from segjax.ops.bootstrap import Paired

SIGNIFICANT = 0.05


def span(score: Mapping[str, Any], form: str = ".4f") -> str:
    """'0.91 to 0.95', or that a single picture (or patient) cannot tell."""
    low, high = score["low"], score["high"]
    if low is None or high is None or low != low or high != high:
        return "unknown"
    return f"{low:{form}} to {high:{form}}"


def mean_and_span(score: Mapping[str, Any]) -> str:
    """'0.9312 (95 % interval 0.91 to 0.95)'"""
    return f"{score['mean']:.4f} (95 % interval {span(score)})"


def cautions(content: Mapping[str, Any]) -> Iterator[str]:
    """What must be known beside the scores of a scores.json, a sentence each."""
    if "caution" in content:
        yield f"Caution, {content['caution']}"
    if "remark" in content:
        yield f"Something is wrong: {content['remark']}"
    if "unfinished" in content:
        yield f"Caution, this run is not finished: {content['unfinished']}."
    if "learnt" in content:
        yield "Caution, the network may have learnt from some of these pictures."
    for sentence in content.get("left_out", ()):
        yield f"Left out: {sentence}"


def is_defined(score: Mapping[str, Any]) -> bool:
    """Whether there is a picture on which the score means something."""
    return score["n"] > 0


def chance(p: float) -> str:
    """A p-value."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def pictures_needed(found: Mapping[str, Any]) -> str:
    """Those that would show such a difference, to two figures; '' where it is shown, or
    is no difference."""
    needed = found["needed"]
    if not needed or needed <= found["n"]:
        return ""
    unit = 10 ** max(0, len(str(needed)) - 2)
    return f"{round(needed / unit) * unit:,}"


def verdict(name: str, found: Paired, falling: Collection[str]) -> str:
    """What a paired comparison lets one say. falling: scores of which smaller is
    better."""
    if found.n == 0:
        return f"{name}: defined on none of the pictures"
    line = (
        f"{name}: {found.difference:+.4f} (95 % interval"
        f" {span(found._asdict(), '+.4f')}), p {chance(found.p)}, larger on"
        f" {found.first} and smaller on {found.second} of {found.n}: "
    )
    if found.p < SIGNIFICANT:
        better = (found.difference > 0) != (name in falling)
        return line + ("better" if better else "worse")
    line += "they cannot be told apart"
    if needed := pictures_needed(found._asdict()):
        line += f"; it would take about {needed} pictures"
    return line
