"""What a network has learnt: while it learns, and at the end."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from segjax import parallel, run
from segjax.base import Stopped
from segjax.ops.bootstrap import score_each, summarise
from segjax.step import (
    State,
    draw_prediction,
    evaluate,
    evaluated_variables,
    mean_loss,
)
from segjax.train._keeper import Keeper


def make_validation(
    config: ConfigDict, parts: run.Parts, eval_step, split, keeper: Keeper
) -> Callable[[State, int], dict[str, float]]:
    """validate(state, step) -> {score: mean over pictures, loss}; writes overlays, and
    says what looks wrong."""
    source = parallel.replicate(split.source)
    shown = range(min(config.log.get("pictures") or 0, len(split)))

    def draw(state: State, step: int) -> None:
        for i in shown if parallel.is_first() else ():
            picture = draw_prediction(parts.model, parts.task, state, split.example(i))
            keeper.draw(step, split.names[i], picture)

    def validate(state: State, step: int) -> dict[str, float]:
        rows = evaluate(
            eval_step, evaluated_variables(state), source, split, config.batch
        )
        scores = score_each(parts.task.score, rows)
        draw(state, step)
        if remark := parts.task.remark(rows):
            keeper.say(f"step {step}: {remark}")
        means = {name: _nanmean(values) for name, values in scores.items()}
        return means | {"loss": mean_loss(rows)}

    return validate


def _nanmean(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else math.nan


def test(
    config: ConfigDict,
    parts: run.Parts,
    eval_step,
    split,
    shapes,
    keeper: Keeper,
    groups: list[str] | None,
) -> dict[str, Any]:
    """The best checkpoint scored, once, on pictures that chose nothing.

    shapes: of its variables; groups: that pictures of the split come from.
    """
    step, variables = keeper.read_best(shapes)
    source = parallel.replicate(split.source)
    variables = parallel.replicate(variables)
    rows = evaluate(eval_step, variables, source, split, config.batch)
    task = parts.task
    scores = summarise(task.score, rows, groups=groups, ranges=task.ranges)
    each = score_each(parts.task.score, rows)
    names = parallel.gather_texts(split.names)  # a stream knows those that it fetched
    labels = parallel.gather_texts(split.labels)
    beside = {"caution": parts.info.caution, "remark": task.remark(rows)}
    beside |= {"groups": len(set(groups or ()))}

    def write() -> dict[str, Any]:
        run.write_rows(keeper.workdir, names, labels, each, rows, groups)
        return run.write_scores(
            keeper.workdir, step, "test", "training", scores, **beside
        )

    try:
        return parallel.on_first_host(write)
    except OSError as error:
        raise Stopped(
            f"All steps are trained and saved, but the scores cannot be written in"
            f" {keeper.workdir}: {error.strerror}. The same command scores again."
        ) from None
