"""Train and score: from a config to a run folder."""

import contextlib
import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
from ml_collections import ConfigDict

from segjax import data, models, parallel, run
from segjax.base import Mistake, Rows
from segjax.log import Progress, Tally, duration
from segjax.step import evaluated_variables
from segjax.train._begin import begin
from segjax.train._drive import alone, side_by_side
from segjax.train._judge import make_validation, test
from segjax.train._keeper import Keeper
from segjax.train._loop import Training, train
from segjax.train._programs import Programs
from segjax.train._replay import Replayed, replay

__all__ = [
    "Programs",
    "Replayed",
    "alone",
    "replay",
    "side_by_side",
    "train_and_evaluate",
    "training",
]


def train_and_evaluate(
    config: ConfigDict, workdir: str | Path, *, may_end: bool = False
) -> dict[str, Any]:
    """Train by the config and score on the test split: the content of scores.json.

    The same call on the same folder goes on where a stopped run stands. A Mistake is
    raised before anything is compiled or written; Stopped on a signal, all saved.
    workdir: a folder, or an address such as gs://bucket/run. may_end: the process is
    this run's own, and may end while the compiler is at work.
    """
    with run.stop_requests(may_end) as stop:
        return alone(training(config, workdir, Programs(), stop))


def training(
    config: ConfigDict,
    workdir: str | Path,
    programs: Programs,
    stop: run.StopRequest,
    load_splits: Callable | None = None,
    name: str = "",
) -> Training:
    """The same as a course of asks for steps, which someone else makes: `alone`, or
    `side_by_side` with others of the same programs.

    load_splits: as run.load_splits does, or from a store that others use too. name:
    of a run among others; what it says begins so, and is less.
    """
    started, first = time.monotonic(), parallel.on_first_host
    with contextlib.ExitStack() as held:
        remote = run.Remote(str(workdir)) if run.is_remote(workdir) else None
        workdir = remote.spool if remote else Path(workdir)
        if remote:
            first(lambda: held.enter_context(remote.held_alone()))
            first(remote.fetch)
        asked, (found, told) = config, first(lambda: run.find_in_data(config, workdir))
        config, parts, rows = parallel.on_every_host(lambda: _build(asked, found))
        pictures = run.fingerprint(rows)
        parallel.check_same("config", run.plain(config))
        parallel.check_same("data", pictures)
        check = functools.partial(run.check_workdir, workdir, asked, pictures)
        first(check)
        if config.get("init") and first(lambda: run.read_config(workdir) is None):
            shapes = models.variable_shapes(parts.model)
            first(lambda: run.start_from(config.init, shapes)[1])
        first(lambda: held.enter_context(run.locked(workdir)))
        first(check)  # again: another process may have ended
        stop.alone = stop.alone and parallel.hosts() == 1
        progress = Progress(config.steps, silent=not parallel.is_first(), name=name)
        keeper = Keeper(workdir, asked, pictures, found, progress.say, held, remote)
        _check_steps(keeper.newest, config.steps)
        stop.finishing.append(keeper.wait)
        held.callback(stop.finishing.remove, keeper.wait)
        if not name:
            run.announce(progress.say, config, parts, rows, workdir, told)
        scores = keeper.finished_scores()
        if scores is not None:
            progress.say("This run is finished. Its scores:")
        else:
            scores = yield from _train_and_test(
                config, parts, rows, programs, load_splits, keeper, progress, stop
            )
        took = duration(time.monotonic() - started)
        run.conclude(progress.say, scores, workdir, took, among_others=bool(name))
    return scores


def _build(
    asked: ConfigDict, found: dict[str, Any]
) -> tuple[ConfigDict, run.Parts, dict[str, Rows]]:
    """What stands before anything is read, compiled or written: or a Mistake."""
    config = run.with_found(asked, found)
    return config, run.build_parts(config), run.open_rows(config)


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
    programs: Programs,
    load_splits: Callable | None,
    keeper: Keeper,
    progress: Progress,
    stop: run.StopRequest,
) -> Training:
    where = "Stopped before the first step of this start; the same command goes on."
    with stop.at_once(where):
        load = load_splits or run.load_splits
        splits = load(config, parts.info, rows, progress)
        for line in data.quick_check(splits, parts.info):
            progress.say(f"caution: {line}")
        learnt = splits["train"]
        measured = keeper.measured(
            lambda: run.measure_for_task(config, parts.info, learnt)
        )
        parts = _complete(config, parts, measured, keeper)
        settled = [measured, keeper.changes]
        create, step, eval_step = programs.of(config, settled, parts)
        with progress.waiting("preparing the model"):
            state, memory = begin(config, create, keeper, progress.say)
        keeper.begin(measured)
        if keeper.newest is None:
            keeper.show_examples(parts.task, learnt)
        validate = make_validation(config, parts, eval_step, splits["val"], keeper)
    shapes = jax.eval_shape(evaluated_variables, state)
    tally = Tally(memory.get("tally"))
    yield from train(
        config, parts, learnt, state, tally, step, validate, keeper, progress, stop
    )
    with stop.at_once("All steps are trained and saved. The same command scores them."):
        groups = getattr(rows["test"], "groups", None)
        return test(config, parts, eval_step, splits["test"], shapes, keeper, groups)


def _complete(
    config: ConfigDict, parts: run.Parts, measured: dict[str, Any], keeper: Keeper
) -> run.Parts:
    """The parts, with what was measured for this run, and its course of steps."""
    task = run.settled_task(config, parts.info, measured)
    changes = keeper.changes
    if changes and changes[-1][0] == keeper.newest:
        keeper.say(run.told_of_steps(config, changes))
    return parts._replace(task=task, optimizer=run.changed_optimizer(config, changes))
