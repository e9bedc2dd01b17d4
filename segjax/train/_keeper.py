"""The run folder as training sees it: kept by the first host, silent on all others."""

import contextlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from segjax import checkpoint, parallel, run
from segjax.base import Mistake, Stopped, Task
from segjax.log import MetricsLog, write_picture
from segjax.step import State, saved_parts


class Keeper:
    """What a run leaves behind, and what it left before it was stopped.

    A disk that is full or read-only stops nothing: what cannot be written is told, and
    the next save tries again.
    """

    def __init__(
        self,
        workdir: Path,
        config: ConfigDict,
        pictures: str,
        found: dict[str, Any],
        say: Callable[[str], None],
        held: contextlib.ExitStack,
        remote: run.Remote | None = None,
    ):
        """config: as it was given; pictures: their fingerprint; found: data options;
        held: what ends with the run; remote: where the folder is copied to."""
        self.workdir, self.say, self._held = workdir, say, held
        self._config, self._pictures, self._found = config, pictures, found
        self._is_first = parallel.is_first()
        self._log: MetricsLog | None = None
        self._broken: int | None = None  # the first step whose numbers were wrong
        self._copies: Future | None = None  # to elsewhere, of the newest save
        self._remote = remote if self._is_first else None
        if self._remote:
            self._thread = held.enter_context(ThreadPoolExecutor(1))
            held.callback(self._copy)  # at the end, whatever it is
        if self._is_first:
            folder = (workdir / "checkpoints").absolute()
            self._manager = checkpoint.open_checkpoints(folder)
            held.callback(self._close)
        left = parallel.on_first_host(self._left_before)
        self.newest: int | None = left["newest"]
        self.evaluated = {int(s): float(v) for s, v in left["evaluated"].items()}
        self.changes: list[list[int]] = left["changes"]

    def _left_before(self) -> dict[str, Any]:
        saved, newest = run.read_config(self.workdir), self._manager.latest_step()
        return {
            "newest": newest,
            "evaluated": run.evaluated_steps(self.workdir),
            "changes": run.changes_of_steps(saved, self._config.steps, newest),
        }

    def finished_scores(self) -> dict[str, Any] | None:
        """scores.json, if nothing is left to be trained."""

        def find() -> dict[str, Any] | None:
            return run.read_scores(self.workdir) if self.is_trained() else None

        return parallel.on_first_host(find)

    def is_trained(self) -> bool:
        """Whether the newest checkpoint is the last that this config asks for."""
        steps, patience = self._config.steps, self._config.log.get("patience") or 0
        newest = self.newest or 0
        return newest == steps or run.stands_still(self.evaluated, patience, newest)

    def measured(self, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The options of the task that were measured for this run, now or when it
        began."""

        def find() -> dict[str, Any]:
            saved = run.read_config(self.workdir)
            return saved.settled.get("task", {}) if saved else measure()

        return parallel.on_first_host(find)

    def begin(self, measured: dict[str, Any]) -> None:
        """From here on the folder is this run's: config.json says which it is."""

        def write() -> None:
            settled = {"data": self._found, "task": measured}
            if self.changes:
                settled["optim"] = {"changes": self.changes}
            run.forget_scores(self.workdir)
            run.write_config(self.workdir, self._config, self._pictures, settled)

        parallel.on_first_host(write)

    def read_newest(self, target: State) -> tuple[State, dict[str, Any]]:
        """The state of the newest checkpoint that is whole, and what was noted with it;
        on all hosts, as the first one read it."""
        wanted, taken = saved_parts(target), []

        def take(step: int) -> checkpoint.Checkpoint:
            return checkpoint.read(self._manager, step, wanted, self._check)

        def find() -> dict[str, Any]:
            steps = sorted(self._manager.all_steps(), reverse=True)
            taken.append(checkpoint.first_whole(self._manager, steps, take, self.say))
            return {"step": taken[0].step, "memory": taken[0].record["memory"]}

        noted = parallel.on_first_host(find)
        self.newest = noted["step"]
        self._broken = noted["memory"].get("tally", {}).get("first")
        parts = parallel.from_first_host([t.parts for t in taken], wanted)
        state = target._replace(**parts["model"], **parts["training"])
        return state, noted["memory"]

    def _check(self, record: dict[str, Any]) -> None:
        differs = run.differences(record["config"], run.plain(self._config))
        if differs:
            raise Mistake(
                f"The checkpoints in {self.workdir} are of another config:"
                f" {differs[0]}. Give --workdir another folder."
            )

    def read_best(self, like: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The step and the variables of the best checkpoint that is whole."""
        taken = []

        def take(step: int) -> checkpoint.Checkpoint:
            return checkpoint.read(self._manager, step, {"model": None})

        def find() -> int:
            steps = sorted(self._manager.all_steps(), reverse=True)
            best = run.best_step(self.evaluated, steps)
            order = sorted(steps, key=lambda step: step != best)
            taken.append(checkpoint.first_whole(self._manager, order, take, self.say))
            return taken[0].step

        step = parallel.on_first_host(find)
        mine = [run.used_variables(t.parts["model"]) for t in taken]
        return step, parallel.from_first_host(mine, like)

    def show_examples(self, task: Task, split) -> None:
        """A picture of what is about to be learnt from."""
        if self._is_first:
            with self._told("pictures/000000-train is not written"):
                run.show_examples(task, split, self.workdir)

    def open_log(self, step: int) -> None:
        """Go on with the log after this step; what it held of later ones is dropped."""
        if self._is_first:
            tensorboard = bool(self._config.log.get("tensorboard"))
            log = MetricsLog(self.workdir, step, tensorboard, self.say)
            self._log = self._held.enter_context(contextlib.closing(log))
        self.evaluated = {s: v for s, v in self.evaluated.items() if s <= step}

    def note(self, step: int, **figures: float) -> None:
        """A line of the log."""
        if self._log:
            self._log.write(step, **figures)

    def judged(self, step: int, figures: dict[str, float]) -> None:
        """What an evaluation found, the deciding score first."""
        self.note(step, **{f"val/{name}": value for name, value in figures.items()})
        self.evaluated[step] = next(iter(figures.values()))

    def draw(self, step: int, name: str, picture: np.ndarray) -> None:
        if self._is_first:
            with self._told(f"pictures/{step:06d}-{name} is not written"):
                write_picture(self.workdir / "pictures", step, name, picture)

    def save(self, step: int, state: State, memory: dict[str, Any]) -> None:
        """Start to write a checkpoint; the state may be donated at once.

        memory: what the loop must know besides to go on as if it had never stopped.
        """
        if not self._is_first:
            return
        self.wait()
        if self._log:
            self._log.flush()
        self._broken = memory["first"]
        self._clear()
        with self._told(f"the checkpoint of step {step} is not written"):
            noted = {"tally": memory}
            record = {"config": run.plain(self._config), "memory": noted}
            checkpoint.save(self._manager, step, record, **saved_parts(state))
        if self._remote:
            self._copies = self._thread.submit(self._copy_saved)

    def _clear(self) -> None:
        """Delete all checkpoints but the newest two, the best, and the one from which
        the first step whose numbers were wrong can be replayed."""
        steps = sorted(self._manager.all_steps())
        before = [s for s in steps if self._broken is not None and s < self._broken]
        best = run.best_step(self.evaluated, steps)
        with self._told("an old checkpoint is not deleted"):
            checkpoint.keep_only(self._manager, {*steps[-2:], *before[-1:], best})

    def wait(self) -> None:
        """Until what is being written lies on disk, and elsewhere."""
        if self._is_first:
            with self._told("a checkpoint is not written"):
                checkpoint.wait(self._manager)
        if self._copies:
            self._copies.result()

    def _close(self) -> None:
        with self._told("a checkpoint is not written"):
            checkpoint.close(self._manager)

    def _copy_saved(self) -> None:
        """What is being saved, once it is whole, to elsewhere."""
        with contextlib.suppress(OSError):  # told by the next to wait
            checkpoint.wait(self._manager)
        self._copy()

    def _copy(self) -> None:
        assert self._remote
        try:
            self._remote.copy()
        except Exception as error:  # of whichever kind its package raises
            self.say(
                f"{self._remote.url} could not be written ({error}). The run goes on,"
                f" and the next save tries again; all of it lies in {self.workdir}."
            )

    def finish(self, step: int) -> None:
        """Wait for the last checkpoint; Stopped where it could not be written."""
        self.wait()

        def end() -> int | None:
            self._clear()
            return checkpoint.newest_on_disk(self._manager)

        self.newest = parallel.on_first_host(end)
        if self.newest != step:
            there = "nothing" if self.newest is None else f"step {self.newest}"
            raise Stopped(
                f"Step {step} could not be saved in {self.workdir}; what lies there is"
                f" {there}. Make room, and the same command goes on from it."
            )

    @contextlib.contextmanager
    def _told(self, what: str):
        try:
            yield
        except OSError as error:
            newest = checkpoint.newest_on_disk(self._manager)
            self.say(
                f"{what}: {error.strerror or error}. The run goes on; its newest"
                f" checkpoint is {'none' if newest is None else f'of step {newest}'}."
            )
