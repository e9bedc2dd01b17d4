"""A run: what it reached, how, and on which pictures it errs."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from segjax import models, run
from segjax.base import Mistake
from segjax.log import (
    cautions,
    is_defined,
    mean_and_span,
    read_metrics,
    span,
    verdict,
)
from segjax.ops.bootstrap import Paired
from segjax.report import _charts
from segjax.report._page import (
    beside,
    code,
    heading,
    key,
    page,
    paragraph,
    table,
    write_page,
)
from segjax.report._pictures import strips
from segjax.report._repeat import commands, flat
from segjax.tasks import palette

_SHOWN = 4  # pictures of the worst and of the best
_SURFACES = (
    "hd95 and asd are pixels, and smaller is better, as for ece; where only one of"
    " truth and prediction is empty the picture's diagonal counts. isic_jaccard and"
    " course_iou (of two classes) are cut off by thresholds and are no plain overlap."
)
_TRAINING = (
    "Scores at the pictures' own size, of surfaces and calibration: python -m segjax"
    " evaluate."
)


def write_report(folder: Path, say: Callable[[str], None] = print) -> Path:
    """report.html of a finished run; its place."""
    if run.read_config(folder) is None:
        raise Mistake(
            f"{folder} is no run, nor a comparison; name the folder that was --workdir."
        )
    scores = run.read_scores(folder)
    if scores is None:
        raise Mistake(f"{folder} has no scores yet; train it to its end first.")
    of = run.load_run(folder, step=scores["step"])
    parts = [
        *_summary(of, scores),
        *_results(of, scores),
        *_course(folder),
        *_each(of, scores, say),
        *_how(of),
    ]
    return write_page(folder, page(_title(of), parts))


def _title(of: run.Run) -> str:
    return f"{of.config.model.name} on {of.config.data.name}"


def _summary(of: run.Run, scores: Mapping[str, Any]) -> Iterator[str]:
    config, (name, first) = of.config, next(iter(scores["scores"].items()))
    count = sum(models.count_parameters(of.model).values())
    size = "their own" if scores["size"] == "native" else scores["size"]
    if is_defined(first):
        yield paragraph(
            f"{name} {mean_and_span(first)} a picture, over {first['n']}"
            f" {scores['split']} pictures at {size} size.",
            "lead",
        )
    for sentence in cautions(scores):
        yield paragraph(sentence, "warn")
    fold = config.data.get("fold")
    yield paragraph(
        f"Task {config.task.name}; classes {', '.join(of.info.classes)};"
        f" {config.model.name} of {count:,} parameters;"
        f" {config.steps:,} steps of {config.batch} pictures, {config.data.size} pixels"
        f" wide; seed {config.seed}"
        + (f"; fold {fold} tested" if fold is not None else "")
        + f"; checkpoint of step {scores['step']}, chosen on other pictures.",
        "soft",
    )


def _results(of: run.Run, scores: Mapping[str, Any]) -> Iterator[str]:
    yield heading("Scores")
    head = ["score", "mean of pictures", "95 % interval", "pooled", "pictures"]
    yield table(head, ([name, *_told(s)] for name, s in scores["scores"].items()))
    over = f"{scores['groups']} groups of " if scores.get("groups") else ""
    yield paragraph(
        f"Mean: over pictures, each alone; its interval is a bootstrap over {over}"
        "pictures. Pooled: all pictures as one. "
        + (_TRAINING if scores["size"] != "native" else "")
        + (_SURFACES if "hd95" in scores["scores"] else ""),
        "soft",
    )
    by_label = scores.get("by_label")
    if by_label:
        name = next(iter(scores["scores"]))
        yield table(
            ["", f"mean {name}", "95 % interval", "pooled", "pictures"],
            ([label, *_told(of_label[name])] for label, of_label in by_label.items()),
        )
    yield from _beside_another(scores, of.task.falling)
    found = scores.get("calibration")
    if found:
        yield heading("Calibration")
        bins = {"as trained": found["before"]["bins"]}
        line = f"Expected calibration error, pooled: {found['before']['ece']:.4f}"
        if "after" in found:
            mended = f"at temperature {found['temperature']:.2f}"
            bins |= {mended: found["after"]["bins"]}
            line += (
                f"; {found['after']['ece']:.4f} {mended}, fitted on the choosing fold"
                f"{', which is among these pictures' if found['among_these'] else ''}"
            )
        yield beside(_charts.reliability(bins), paragraph(line + "."))


def _beside_another(scores: Mapping[str, Any], falling) -> Iterator[str]:
    other = scores.get("against")
    if other:
        yield heading(f"Against {other['of']}")
        for name, found in other["scores"].items():
            yield paragraph(verdict(name, Paired(**found), falling))
        yield paragraph("The same pictures; this run minus that one.", "soft")


def _told(score: Mapping[str, Any]) -> list[str]:
    if not is_defined(score):
        return ["-", "", "-", "0"]
    pooled = "-" if score["pooled"] is None else f"{score['pooled']:.4f}"
    return [f"{score['mean']:.4f}", span(score), pooled, str(score["n"])]


def _course(folder: Path) -> Iterator[str]:
    """How training went."""
    lines = read_metrics(folder)
    of_train = [x for x in lines if "loss" in x]
    of_val = [x for x in lines if any(k.startswith("val/") for k in x)]
    if not of_train:
        return
    yield heading("Training")
    series = {"training": _curve(of_train, "loss")}
    series["choosing fold"] = _curve(of_val, "val/loss")
    chart = _charts.lines(series, "step", "loss")
    score = next((k for k in (of_val[0] if of_val else {}) if k.startswith("val/")), "")
    name = score.removeprefix("val/")
    curve = {f"{name}, choosing fold": _curve(of_val, score)} if score else {}
    yield beside(chart, _charts.lines(curve, "step", name))


def _curve(lines, key: str) -> tuple[list[float], list[float]]:
    kept = [(x["step"], x[key]) for x in lines if x.get(key) is not None]
    return [a for a, _ in kept], [b for _, b in kept]


def _each(of: run.Run, scores: Mapping[str, Any], say: Callable) -> Iterator[str]:
    """Every picture's score; the worst and the best, looked at."""
    columns, score = run.read_rows(of.folder), next(iter(scores["scores"]))
    names, labels = columns["name"], columns["label"]
    values = run.column_of(columns, score, of.folder / "rows.csv")
    kinds = {
        kind or "all": [v for v, label in zip(values, labels) if label == kind]
        for kind in sorted(set(labels))
    }
    yield heading("Pictures")
    yield _charts.dots(kinds, score)
    yield paragraph("A dot is a picture; the bar is their mean.", "soft")
    order = [
        int(i) for i in np.argsort(values, kind="stable") if np.isfinite(values[i])
    ]
    chosen = {"Worst": order[:_SHOWN], "Best": order[: -_SHOWN - 1 : -1]}
    told: set[str] = set()

    def caption(i: int) -> str:
        label = f", {labels[i]}" if labels[i] else ""
        return f"{names[i]}{label}: {score} {values[i]:.3f}"

    for title, some in chosen.items():
        yield heading(f"{title} by {score}")
        wanted = ((of.folder, names[i], caption(i)) for i in some)
        yield from strips(wanted, say, told)
    if len(of.info.classes) > 2:
        colors = zip(of.info.classes, palette(of.info))
        yield key({name: f"rgb{tuple(map(int, rgb))}" for name, rgb in colors})
    yield paragraph(of.task.panels, "soft")


def _how(of: run.Run) -> Iterator[str]:
    yield heading("To repeat it")
    yield code("\n".join(commands(of)))
    yield heading("Every option")
    every = sorted(flat(run.plain(of.config)))
    yield table(["option", "value"], ([k, str(v)] for k, v in every))
