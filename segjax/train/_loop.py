"""The loop: step, log, save, evaluate, until the last step or a request."""

import contextlib
from collections.abc import Callable, Generator
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from segjax import data, parallel, run
from segjax.base import GoneWrong, Stopped
from segjax.log import Progress, Tally
from segjax.step import State
from segjax.train._keeper import Keeper

_SKIPS = 10  # updates left out in a row after which a run stops


class Ask(NamedTuple):
    """A step that a training wants made, by whoever drives it: alone on all devices, or
    beside others on one. What it is sent: a function that gives the state, and the
    metrics."""

    step: Callable  # state, source, batch -> state, metrics; on the devices
    state: State  # to begin with; whoever makes the steps keeps it from then on
    source: Any  # of the training split, as it lies on the host
    batch: dict[str, Any]  # this host's part of the next batch
    asked_to_stop: bool


Training = Generator[Ask, tuple[Callable[[], State], dict[str, Any]], Any]


def train(
    config: ConfigDict,
    parts: run.Parts,
    split: data.Split | data.Stream,
    state: State,
    tally: Tally,
    step: Callable,
    validate: Callable[[State, int], dict[str, float]],
    keeper: Keeper,
    progress: Progress,
    stop: run.StopRequest,
) -> Training:
    """Train from this state to the last step; the folder holds what comes of it.

    tally: as it was noted with the state; step: as `Ask` has it.
    """
    first, log = int(state.step), config.log
    shown: dict[str, float] = {}  # beside the bar

    def judge(done: int, state: State) -> None:
        where = f"Stopped at step {done} of {config.steps}, saved in {keeper.workdir}."
        try:
            with progress.waiting(f"evaluating at step {done}"), stop.at_once(where):
                figures = validate(state, done)
        except Stopped:
            keeper.finish(done)  # or it is not saved, and told so
            raise
        keeper.judged(done, figures)
        name = next(iter(figures))
        shown[name] = figures[name]

    def is_judged(done: int) -> bool:
        return done == config.steps or _due(log.get("evaluate"), done)

    keeper.open_log(first)
    if first > 0 and is_judged(first) and first not in keeper.evaluated:
        judge(first, state)  # the run was stopped before that
    if keeper.is_trained():
        return
    batches = (
        parallel.own(data.make_batch(config.seed, step, config.batch, len(split)))
        for step in range(first, config.steps)
    )
    broken = tally.first is not None
    with contextlib.closing(split.feed(batches)) as fed:
        for done, batch in enumerate(fed, first + 1):
            ask = Ask(step, state, split.source, batch, stop.made)
            if done == first + 1:
                where = f"Stopped at step {first}, where it began; nothing is lost."
                waiting = progress.waiting("compiling the training step")
                with waiting, stop.at_once(where):
                    current, metrics = yield ask
                    tally.add(done, metrics)
                    tally.catch_up()
            else:
                current, metrics = yield ask
                tally.add(done, metrics)
            last = done == config.steps
            if last or _due(log.get("metrics") or 10, done):
                shown["loss"] = _note(done, tally, parts, keeper)
            stopping = stop.made if parallel.hosts() == 1 else tally.asked_to_stop
            judging = is_judged(done)
            newly_broken = tally.first is not None and not broken
            broken = broken or newly_broken
            if judging or stopping or newly_broken or _due(log.get("save"), done):
                keeper.save(done, current(), tally.memory)
            _check_numbers(config, done, tally, keeper)
            progress.update(done, config.batch, **shown)
            if stopping and not last:
                keeper.finish(done)
                raise Stopped(
                    f"Stopped at step {done} of {config.steps}, saved in"
                    f" {keeper.workdir}. The same command goes on."
                )
            if judging:
                judge(done, current())
                if run.stands_still(keeper.evaluated, log.get("patience") or 0, done):
                    progress.say(
                        f"Ended at step {done}: the last {log.patience} evaluations"
                        " found nothing better."
                    )
                    break
    keeper.finish(done)


def _due(interval: int | None, step: int) -> bool:
    return interval is not None and 0 < interval <= step and step % interval == 0


def _note(done: int, tally: Tally, parts: run.Parts, keeper: Keeper) -> float:
    """A line of the log for the steps since the last one; gives their mean loss."""
    figures = tally.take()
    if figures["skipped"]:
        keeper.say(
            f"step {done}: {figures['skipped']} of the last updates were left out, as"
            f" their loss, gradient or update was not finite; {tally.left_out} in all."
        )
    # steps that were left out have moved nothing, the course of the rate neither
    rate = float(parts.optimizer.schedule(done - 1 - tally.left_out))
    skipped = figures.pop("skipped")
    keeper.note(done, **figures, learning_rate=rate, skipped=skipped)
    return figures["loss"]


def _check_numbers(config: ConfigDict, done: int, tally: Tally, keeper: Keeper) -> None:
    limit = min(config.log.get("skips") or _SKIPS, config.steps)
    if tally.in_a_row < limit:
        return
    begun = tally.last - tally.in_a_row + 1
    keeper.wait()
    raise GoneWrong(
        f"None of the updates from step {begun} on was finite; stopped at step {done}."
        f" What is saved is as it was before them. What went wrong, and where first:"
        f" python -m segjax replay {keeper.workdir} --step {begun}"
    )
