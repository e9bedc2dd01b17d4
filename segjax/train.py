"""Train and score: from a config to a run folder."""

import contextlib
import functools
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from segjax import checkpoint, data, models, parallel, run, tasks
from segjax.base import GoneWrong, Mistake, Rows, Stopped
from segjax.log import MetricsLog, Progress, duration, write_picture
from segjax.ops.bootstrap import score_each, summarise
from segjax.step import (
    State,
    create_state,
    draw_prediction,
    evaluate,
    evaluated_variables,
    make_eval_step,
    make_train_step,
    mean_loss,
    saved_parts,
)

_SHOWN = 4  # examples in the picture drawn before the first step


def train_and_evaluate(config: ConfigDict, workdir: str | Path) -> dict[str, Any]:
    """Train by the config and score on the test split: the content of scores.json.

    The same call on the same folder goes on where a stopped run stands. A Mistake is
    raised before anything is compiled or written; Stopped on a signal, all saved.
    """
    started, workdir, asked = time.monotonic(), Path(workdir), config
    found, told = run.find_in_data(asked, workdir)
    config = run.with_found(asked, found)
    parts = run.build_parts(config)
    rows = _open(config)
    pictures = _fingerprint(rows)
    check = functools.partial(run.check_workdir, workdir, asked, pictures)
    check()
    if config.get("init") and run.read_config(workdir) is None:
        run.start_from(config.init, models.variable_shapes(parts.model))
    with run.locked(workdir):
        check()  # again: another process may have ended
        folder = (workdir / "checkpoints").absolute()
        with (
            checkpoint.open_checkpoints(folder) as manager,
            run.stop_requests() as stop,
        ):
            _check_steps(manager.latest_step(), config.steps)
            progress = Progress(config.steps)
            run.announce(progress.say, config, parts, rows, workdir, told)
            keep = functools.partial(run.write_config, workdir, asked, pictures, found)
            scores = run.read_scores(workdir)
            if scores is not None and manager.latest_step() == config.steps:
                progress.say("This run is finished. Its scores:")
            else:
                scores = _train_and_test(
                    config, parts, rows, workdir, keep, manager, progress, stop
                )
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
    config, parts, rows, workdir, keep, manager, progress, stop
) -> dict[str, Any]:
    splits = _load(config, parts, rows, progress)
    for line in data.quick_check(splits, parts.info):
        progress.say(f"caution: {line}")
    if stop.made:
        raise Stopped("Stopped before the first step. The same command starts again.")
    run.forget_scores(workdir)
    parts = _settle(config, parts, splits, keep, workdir)
    if manager.latest_step() is None:
        _show(parts, splits["train"], workdir)
    with progress.waiting("preparing the model"):
        state = _start(config, parts, manager, progress.say)
    eval_step = parallel.evaluate_on_devices(make_eval_step(parts.model, parts.task))
    validate = _make_validation(
        config, parts, eval_step, splits["val"], workdir, progress.say
    )
    train = splits["train"]
    _train(config, parts, train, state, validate, manager, workdir, progress, stop)
    return _test(config, parts, eval_step, splits["test"], workdir)


def _open(config: ConfigDict) -> dict[str, Rows]:
    """The rows of each split: what is impossible or not there shows here, unread."""
    wanted = run.options(config.data)
    return {split: data.open_split(split=split, **wanted) for split in data.SPLITS}


def _fingerprint(rows: dict[str, Rows]) -> str:
    """What tells these pictures from others; '' for data that has no such thing."""
    found = [getattr(of_split, "fingerprint", "") for of_split in rows.values()]
    return "-".join(one[:12] for one in found if one)


def _load(
    config: ConfigDict, parts: run.Parts, rows: dict[str, Rows], progress: Progress
) -> dict[str, data.Split | data.Stream]:
    """The splits: on the devices if all three fit there, else streamed."""
    loading = data.Loading.of(run.options(config.data))
    pictures = sum(len(of_split) for of_split in rows.values())
    resident = data.fits_devices(pictures, parts.info, loading)
    if not resident:
        progress.say("streamed: the pictures take more than data.memory")
    load = functools.partial(
        data.load, info=parts.info, loading=loading, name=config.data.name
    )
    splits = {}
    for split in data.SPLITS:
        with progress.waiting(f"reading the {split} pictures"):
            splits[split] = load(rows[split], resident=resident, say=progress.say)
    return splits


def _settle(
    config, parts: run.Parts, splits, keep: Callable, workdir: Path
) -> run.Parts:
    """The task with what had to be measured; config.json kept, with that in it."""
    asked, saved = run.options(config.task), run.read_config(workdir)
    if saved is None:
        train = splits["train"]
        examples = (train.example(i) for i in range(len(train)))
        found = tasks.settle(info=parts.info, examples=examples, **asked)
        settled = {k: v for k, v in found.items() if asked.get(k) != v}
    else:
        settled = saved.settled.get("task", {})
    keep(settled)
    task = tasks.make_task(info=parts.info, **asked | settled)
    return parts._replace(task=task)


def _show(parts: run.Parts, split, workdir: Path) -> None:
    """pictures/000000-train.png: some examples as the task understands them, to be
    looked at before anything is learnt from them."""
    examples = [split.example(i) for i in range(min(_SHOWN, len(split)))]
    strips = [parts.task.draw(e["image"], e) for e in examples]
    write_picture(workdir / "pictures", 0, "train", np.concatenate(strips))


def _start(config, parts: run.Parts, manager, say: Callable) -> State:
    """The state of the newest checkpoint, or a new one, on every device."""
    new = functools.partial(
        create_state, parts.model, parts.optimizer, config.seed, config.data.size
    )
    step = manager.latest_step()
    if step is not None:
        target = jax.eval_shape(new)
        place = parallel.replicated_sharding()
        saved = checkpoint.restore(manager, step, place, **saved_parts(target))
        say(f"going on from step {step}")
        return target._replace(**saved["model"], **saved["training"])
    state = parallel.run_once(new)
    if config.get("init"):
        fresh = {"params": state.params, "batch_stats": state.batch_stats}
        variables, told = run.start_from(config.init, fresh)
        ema = jax.tree.map(jax.numpy.copy, variables) if state.ema else ()
        state = state._replace(**variables, ema=ema)
        say(told)
    return parallel.replicate(state)


def _train(
    config, parts, train, state, validate, manager, workdir, progress, stop
) -> None:
    """The loop: step, log, evaluate, save, until the last step or a request."""
    step_fn = parallel.train_on_devices(
        make_train_step(parts.model, parts.task, parts.optimizer, parts.augment)
    )
    source, first = parallel.replicate(train.source), int(state.step)
    every, idle = config.log.get("metrics") or 10, 0  # idle: updates left out in a row
    recent: list[dict[str, jax.Array]] = []  # metrics since the last line of the log
    shown: dict[str, float] = {}  # beside the bar
    log = MetricsLog(workdir, first, bool(config.log.get("tensorboard")))
    batches = (
        parallel.own(data.make_batch(config.seed, step, config.batch, len(train)))
        for step in range(first, config.steps)
    )
    with contextlib.closing(log), contextlib.closing(train.feed(batches)) as fed:
        for done, batch in enumerate(map(parallel.share_local, fed), first + 1):
            if done == first + 1:
                with progress.waiting("compiling the training step"):
                    state, metrics = step_fn(state, source, batch)
                    jax.block_until_ready(metrics)
            else:
                state, metrics = step_fn(state, source, batch)
                jax.block_until_ready(recent[-1:])  # one step ahead and no further
            recent.append(metrics)
            last, stopping = done == config.steps, stop.made
            if last or stopping or _due(every, done):
                figures = _mean_metrics(done, recent, parts, progress.say)
                idle = idle + len(recent) if figures["skipped"] == len(recent) else 0
                log.write(done, **figures)
                recent, shown["loss"] = [], figures["loss"]
                _check_numbers(done, idle)
            progress.update(done, config.batch, **shown)
            score = math.nan
            if last or _due(config.log.get("evaluate"), done):
                with progress.waiting(f"evaluating at step {done}"):
                    figures = validate(state, done)
                log.write(done, **{f"val/{k}": v for k, v in figures.items()})
                headline = next(iter(figures))
                score = shown[headline] = figures[headline]
                checkpoint.save(manager, done, score, **saved_parts(state))
            elif stopping:
                checkpoint.save(manager, done, score, **saved_parts(state))
            if stopping and not last:
                manager.wait_until_finished()
                raise Stopped(
                    f"Stopped at step {done} of {config.steps}; saved in {workdir}."
                    " The same command continues."
                )
        manager.wait_until_finished()


def _check_numbers(step: int, idle: int) -> None:
    if idle >= 10:
        raise GoneWrong(
            f"At step {step} none of the last {idle} updates was finite. The newest"
            " checkpoint is whole; try a lower optim.learning_rate in a new --workdir."
        )


def _due(interval: int | None, step: int) -> bool:
    return interval is not None and interval > 0 and step % interval == 0


def _mean_metrics(done: int, recent: list, parts: run.Parts, say: Callable):
    """The means over the steps since the last line, of those that were not skipped."""
    steps = jax.device_get(recent)
    good = [m for m in steps if m.pop("finite")]
    names = [name for name in steps[0] if name != "finite"]
    means = {
        n: float(np.mean([m[n] for m in good])) if good else math.nan for n in names
    }
    if len(good) < len(steps):
        say(
            f"step {done}: {len(steps) - len(good)} of the last {len(steps)} updates"
            " were left out: their loss or gradient was not a finite number."
        )
    rate = float(parts.optimizer.schedule(done - 1))
    return means | {"learning_rate": rate, "skipped": len(steps) - len(good)}


def _make_validation(config, parts: run.Parts, eval_step, split, workdir, say):
    """validate(state, step) -> {score: mean over pictures, loss}; writes overlays, and
    says what looks wrong."""
    source = parallel.replicate(split.source)
    shown = range(min(config.log.get("pictures") or 0, len(split)))

    def draw(state: State, step: int) -> None:
        for i in shown:
            picture = draw_prediction(parts.model, parts.task, state, split.example(i))
            write_picture(workdir / "pictures", step, split.names[i], picture)

    def validate(state: State, step: int) -> dict[str, float]:
        rows = evaluate(
            eval_step, evaluated_variables(state), source, split, config.batch
        )
        scores = score_each(parts.task.score, rows)
        draw(state, step)
        if remark := parts.task.remark(rows):
            say(f"step {step}: {remark}")
        means = {name: _nanmean(values) for name, values in scores.items()}
        return means | {"loss": mean_loss(rows)}

    return validate


def _nanmean(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else math.nan


def _test(config, parts: run.Parts, eval_step, split, workdir) -> dict[str, Any]:
    """The best checkpoint scored, once, on pictures that chose nothing."""
    step, variables = run.load_variables(workdir)
    source = parallel.replicate(split.source)
    rows = evaluate(eval_step, variables, source, split, config.batch)
    scores = summarise(parts.task.score, rows)
    each = score_each(parts.task.score, rows)
    run.write_rows(workdir, split.names, split.labels, each, rows)
    beside = {"caution": parts.info.caution, "remark": parts.task.remark(rows)}
    return run.write_scores(workdir, step, "test", "training", scores, **beside)
