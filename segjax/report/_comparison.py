"""A comparison of runs: which is better, how sure that is, and where they differ."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from segjax import run
from segjax.base import Mistake
from segjax.log import (
    chance,
    is_defined,
    mean_and_span,
    pictures_needed,
    read_metrics,
    span,
)
from segjax.report import _charts
from segjax.report._differing import differing
from segjax.report._page import (
    beside,
    code,
    heading,
    page,
    paragraph,
    table,
    write_page,
)

_OF_MASKS = ("dice", "iou", "miou", "hd95", "surface_dice", "boundary_iou", "ece")
_OF_OBJECTS = ("pq", "ap", "ap50", "mean_precision", "aji", "count_error")
_OF_POSES = ("pck", "pck10", "pckh", "oks", "ar")
_SHOWN = _OF_MASKS + _OF_OBJECTS + _OF_POSES


def is_comparison(folder: Path) -> bool:
    return (folder / "plan.json").is_file()


def write_comparison(folder: Path, say: Callable[[str], None] = print) -> Path:
    """report.html of a finished comparison; its place."""
    try:
        content = json.loads((folder / "comparison.json").read_text())
        content["runs"]
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        raise Mistake(
            f"{folder} holds a comparison that is not finished; the command that began"
            " it goes on with it."
        ) from None
    runs = [one | {"folder": folder / one["folder"]} for one in content["runs"]]
    sound = [one for one in runs if one["candidate"] in content["table"]]
    first = run.load_run(sound[0]["folder"])
    title = f"{', '.join(content['table'])} on {first.config.data.name}"
    parts = [
        *_summary(content, first),
        *_table(content),
        *_differences(content),
        beside("".join(_course(sound, content)), "".join(_calibration(sound))),
        *differing(folder, sound, content, first.task.panels, say),
        *_runs(sound, content),
        heading("To repeat it"),
        code(content["command"]),
    ]
    return write_page(folder, page(title, parts))


def _summary(content: Mapping[str, Any], first: run.Run) -> Iterator[str]:
    chosen, score = content["chosen"], content["score"]
    mean = content["table"][chosen][score]
    yield paragraph(
        f"The choosing folds prefer {chosen}: {score} {mean_and_span(mean)} a picture,"
        f" over {mean['n']} tested pictures.",
        "lead",
    )
    if content["picked"]:
        yield paragraph(
            "Chosen anew for each fold, by its choosing fold alone:"
            f" {mean_and_span(content['picked'])}. This is what choosing among these"
            " gives."
        )
    for name, sentence in content["verdicts"].items():
        yield paragraph(f"Against {name}, {sentence}.")
    for name, sentences in content["gone_wrong"].items():
        yield paragraph(f"{name} is left out: {sentences[0]}", "warn")
    for sentence in content["cautions"]:
        yield paragraph(sentence, "warn")
    for line in content["begun"]:
        yield paragraph(line, "soft")
    yield paragraph(
        f"{len(content['runs'])} trainings; task {first.config.task.name}; classes"
        f" {', '.join(first.info.classes)}. A picture counts by its mean over the"
        f" trainings that it is tested by ({content['trainings']} each); the checkpoint"
        " of each was chosen on other pictures.",
        "soft",
    )
    if content["groups"]:
        yield paragraph(
            f"The pictures come from {content['groups']} groups (patients, films), over"
            " which intervals and tests are taken.",
            "soft",
        )


def _table(content: Mapping[str, Any]) -> Iterator[str]:
    score, scores = content["score"], content["table"]
    yield heading("Scores")
    rows = [(name, *_ends(of[score])) for name, of in scores.items()]
    what = f"{score}, mean of pictures with its 95 % interval"
    yield _charts.spans(rows, what, list(scores))
    known = (s for s in _SHOWN if s in scores[content["chosen"]])
    shown = list(dict.fromkeys([score, *known]))  # what decides, first
    # two side by side fit a sheet of paper
    for some in (shown[:1], *(shown[k : k + 2] for k in range(1, len(shown), 2))):
        yield table(
            ["", *(word for s in some for word in (s, "95 % interval"))],
            (
                [name, *(word for s in some for word in _told_with_span(of.get(s)))]
                for name, of in scores.items()
            ),
        )
    yield table(
        ["", f"{score} on the choosing folds"],
        ([name, _figure(content["choosing"][name])] for name in scores),
    )
    lower = ", ".join(s for s in shown if s in content["falling"])
    of_these = f" Of {lower} smaller is better." if lower else ""
    unit = " hd95 is in pixels." if "hd95" in shown else ""
    yield paragraph(f"Means of pictures at their own size.{of_these}{unit}", "soft")


def _differences(content: Mapping[str, Any]) -> Iterator[str]:
    if not content["against"]:
        return
    chosen, score = content["chosen"], content["score"]
    yield heading(f"{chosen} minus the others, picture by picture")
    found = {name: of[score] for name, of in content["against"].items()}
    rows = [
        (name, one["difference"], *_ends(one)[1:])
        for name, one in found.items()
        if one["n"]
    ]
    if rows:
        yield _charts.spans(rows, f"difference in {score}", list(content["table"]), 0.0)
    yield table(
        ["", "difference", "95 % interval", "p", "larger", "smaller", "would take"],
        ([name, *_difference(one)] for name, one in found.items()),
    )
    yield paragraph(
        "p: how often a difference as large, either way, would come of chance alone, by"
        " flipping the signs of the differences; no allowance is made for several"
        " comparisons. Would take: pictures with which such a difference would"
        " be found four times of five.",
        "soft",
    )


def _difference(one: Mapping[str, Any]) -> list[str]:
    if not one["n"]:
        return ["-", "", "-", "0", "0", "-"]
    needed = pictures_needed(one)
    return [
        f"{one['difference']:+.4f}",
        span(one, "+.4f"),
        chance(one["p"]),
        str(one["first"]),
        str(one["second"]),
        f"{needed} pictures" if needed else "-",
    ]


def _ends(one: Mapping[str, Any]) -> tuple[float, float, float]:
    """A mean and its interval; of a single picture the interval is unknown."""
    mean = one.get("mean", one.get("difference"))
    known = (one["low"], one["high"])
    low, high = (mean if value is None else value for value in known)
    return mean, low, high


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _told(score: Mapping[str, Any] | None) -> str:
    return f"{score['mean']:.4f}" if score and is_defined(score) else "-"


def _told_with_span(score: Mapping[str, Any] | None) -> tuple[str, str]:
    return (_told(score), span(score) if score and is_defined(score) else "")


def _course(runs: list[dict[str, Any]], content: Mapping[str, Any]) -> Iterator[str]:
    """How the choosing folds judged, on the way; the mean of a candidate's runs."""
    key = f"val/{content['score']}"
    curves: dict[str, tuple[list[float], list[float]]] = {}
    for name in content["table"]:
        by_step: dict[int, list[float]] = {}
        for one in runs:
            for line in read_metrics(one["folder"]) if one["candidate"] == name else ():
                if line.get(key) is not None:
                    by_step.setdefault(line["step"], []).append(line[key])
        steps = sorted(by_step)
        curves[name] = list(steps), [float(np.mean(by_step[s])) for s in steps]
    chart = _charts.lines(curves, "step", f"{content['score']}, choosing folds")
    if chart:
        yield heading("Training")
        yield chart
        yield paragraph("The mean of each candidate's runs.", "soft")


def _calibration(runs: list[dict[str, Any]]) -> Iterator[str]:
    """How often each is right at its confidence: all its runs together."""
    bins: dict[str, np.ndarray] = {}
    for one in runs:
        found = (run.read_scores(one["folder"]) or {}).get("calibration")
        if found:
            added = np.array(found["before"]["bins"], np.float64)
            bins[one["candidate"]] = bins.get(one["candidate"], 0) + added
    if bins:
        yield heading("Calibration")
        yield _charts.reliability({name: b.tolist() for name, b in bins.items()})
        yield paragraph("As trained, without a temperature.", "soft")


def _runs(runs: list[dict[str, Any]], content: Mapping[str, Any]) -> Iterator[str]:
    score = content["score"]
    yield heading("Every training")
    rows = []
    for one in runs:
        scores = run.read_scores(one["folder"]) or {"scores": {}, "step": "-"}
        fold = "-" if one["fold"] is None else str(one["fold"])
        mean = _told(scores["scores"].get(score))
        where = f"{one['candidate']}/{one['folder'].name}"
        rows.append([where, fold, str(one["seed"]), mean, str(scores["step"])])
    yield table(["folder", "fold tested", "seed", score, "checkpoint of step"], rows)
