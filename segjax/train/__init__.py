"""Train and score: from a config to a run folder."""

import contextlib
import functools
import time
from pathlib import Path
from typing import Any

import jax
from ml_collections import ConfigDict

from segjax import data, models, parallel, run
from segjax.base import Mistake, Rows
from segjax.log import Progress, Tally, duration
from segjax.step import evaluated_variables, make_eval_step
from segjax.train._begin import begin
from segjax.train._judge import make_validation, test
from segjax.train._keeper import Keeper
from segjax.train._loop import train
from segjax.train._replay import Replayed, replay

__all__ = ["Replayed", "replay", "train_and_evaluate"]


def train_and_evaluate(
    config: ConfigDict, workdir: str | Path, *, may_end: bool = False
) -> dict[str, Any]:
    """Train by the config and score on the test split: the content of scores.json.

    The same call on the same folder goes on where a stopped run stands. A Mistake is
    raised before anything is compiled or written; Stopped on a signal, all saved.
    workdir: a folder, or an address such as gs://bucket/run. may_end: the process is
    this run's own, and may end while the compiler is at work.
    """
    started, asked, first = time.monotonic(), config, parallel.on_first_host
    remote = run.Remote(str(workdir)) if run.is_remote(workdir) else None
    workdir = remote.spool if remote else Path(workdir)
    if remote:
        first(remote.fetch)
    found, told = first(lambda: run.find_in_data(asked, workdir))
    config = run.with_found(asked, found)
    parts = run.build_parts(config)
    rows = run.open_rows(config)
    pictures = run.fingerprint(rows)
    parallel.check_same("config", run.plain(config))
    parallel.check_same("data", pictures)
    check = functools.partial(run.check_workdir, workdir, asked, pictures)
    first(check)
    if config.get("init") and first(lambda: run.read_config(workdir) is None):
        shapes = models.variable_shapes(parts.model)
        first(lambda: run.start_from(config.init, shapes)[1])
    with contextlib.ExitStack() as held:
        first(lambda: held.enter_context(run.locked(workdir)))
        first(check)  # again: another process may have ended
        if remote:
            first(lambda: held.enter_context(remote.held_alone()))
        stop = held.enter_context(run.stop_requests(may_end))
        progress = Progress(config.steps, silent=not parallel.is_first())
        keeper = Keeper(workdir, asked, pictures, found, progress.say, held, remote)
        _check_steps(keeper.newest, config.steps)
        stop.finish = keeper.wait
        run.announce(progress.say, config, parts, rows, workdir, told)
        scores = keeper.finished_scores()
        if scores is not None:
            progress.say("This run is finished. Its scores:")
        else:
            scores = _train_and_test(config, parts, rows, keeper, progress, stop)
        took = duration(time.monotonic() - started)
        run.conclude(progress.say, scores, workdir, took)
    return scores


def _check_steps(trained: int | None, steps: int) -> None:
    if trained is not None and trained > steps:
        raise Mistake(
            f"This run has gone {trained} steps already; steps is {steps}. Give it"
            " more, or another --workdir."
        )


def _train_and_test(
    config: ConfigDict,
    parts: run.Parts,
    rows: dict[str, Rows],
    keeper: Keeper,
    progress: Progress,
    stop: run.StopRequest,
) -> dict[str, Any]:
    where = "Stopped before the first step of this start; the same command goes on."
    with stop.at_once(where):
        splits = run.load_splits(config, parts.info, rows, progress)
        for line in data.quick_check(splits, parts.info):
            progress.say(f"caution: {line}")
        parts = _settle(config, parts, splits["train"], keeper)
        with progress.waiting("preparing the model"):
            state, memory = begin(config, parts, keeper, progress.say)
        eval_step = parallel.evaluate_on_devices(
            make_eval_step(parts.model, parts.task)
        )
        validate = make_validation(config, parts, eval_step, splits["val"], keeper)
    shapes = jax.eval_shape(evaluated_variables, state)
    tally, learnt = Tally(memory.get("tally")), splits["train"]
    train(config, parts, learnt, state, tally, validate, keeper, progress, stop)
    with stop.at_once("All steps are trained and saved. The same command scores them."):
        return test(config, parts, eval_step, splits["test"], shapes, keeper)


def _settle(config, parts: run.Parts, split, keeper: Keeper) -> run.Parts:
    """The parts, completed by what had to be measured for this run or is its own."""
    measured = keeper.settle(lambda: run.measure_for_task(config, parts.info, split))
    task = run.settled_task(config, parts.info, measured)
    if keeper.newest is None:
        keeper.show_examples(task, split)
    if told := run.told_of_steps(config, keeper.changes):
        keeper.say(told)
    optimizer = run.changed_optimizer(config, keeper.changes)
    return parts._replace(task=task, optimizer=optimizer)
