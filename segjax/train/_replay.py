"""One step of a run again: the very batch, the very numbers, and where they broke."""

import functools
import traceback
from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from segjax import checkpoint, data, parallel, run
from segjax.base import Mistake
from segjax.log import Progress, write_picture
from segjax.step import (
    State,
    changed_examples,
    make_search_step,
    make_train_step,
    saved_parts,
)
from segjax.train._begin import new_state, seed_of
from segjax.train._programs import creation


class Replayed(NamedTuple):
    """What a step did."""

    loss: float
    gradient_norm: float
    broken: str  # the first thing whose numbers were not finite; '' where all were
    where: str  # the operation and the line of code that gave them
    picture: Path  # the batch as the network saw it


def replay(
    workdir: str | Path, step: int, say: Callable[[str], None] = print
) -> Replayed:
    """Step `step` of a run again, 1 being the first. Only a picture is written."""
    workdir = run.local_folder(workdir)
    config, parts, train = _rebuild(workdir, step)
    state = _state_before(workdir, config, parts, step, say)
    step_fn = parallel.train_on_devices(
        make_train_step(parts.model, parts.task, parts.optimizer, parts.augment)
    )
    source = parallel.replicate(train.source)
    make_batch = functools.partial(_batch, config, train)
    progress = Progress(step - 1)
    for done in range(int(state.step) + 1, step):
        state, _ = step_fn(state, source, make_batch(done))
        progress.update(done, config.batch)
    batch = make_batch(step)
    picture = _draw(workdir, step, parts, state, source, batch)
    broken = _search(parts, state, source, batch)
    where = _debug(parts, state, source, batch) if broken else ""
    _, metrics = jax.device_get(step_fn(state, source, batch))
    loss, norm = float(metrics["loss"]), float(metrics["gradient_norm"])
    if not metrics["finite"]:
        what = "updates, which are too large" if isfinite(norm) else "gradients"
        broken = broken or f"the norm of all {what}, finite one by one"
    return Replayed(loss, norm, broken, where, picture)


def _rebuild(workdir: Path, step: int) -> tuple[ConfigDict, run.Parts, Any]:
    """The config, the parts and the training pictures of the run."""
    saved = run.read_config(workdir)
    if saved is None:
        raise Mistake(f"{workdir} is not a run: it holds no config.json.")
    asked = ConfigDict(saved.config).lock()
    if not 1 <= step <= asked.steps:
        raise Mistake(f"step is {step}; this run has the steps 1 to {asked.steps}.")
    config = run.with_found(asked, saved.settled.get("data", {}))
    parts = run.build_parts(config)
    rows = run.open_rows(config)
    run.check_workdir(workdir, asked, run.fingerprint(rows))
    train = run.load_splits(
        config, parts.info, {"train": rows["train"]}, Progress(1, silent=True)
    )["train"]
    task = run.settled_task(config, parts.info, saved.settled.get("task", {}))
    changes = saved.settled.get("optim", {}).get("changes", [])
    optimizer = run.changed_optimizer(config, changes)
    return config, parts._replace(task=task, optimizer=optimizer), train


def _state_before(
    workdir: Path, config: ConfigDict, parts: run.Parts, step: int, say: Callable
) -> State:
    """The state of the nearest whole checkpoint before the step, or a new one."""
    create = creation(config, parts)
    state = jax.eval_shape(create, seed_of(config))
    folder = workdir / "checkpoints"
    if folder.is_dir():
        with checkpoint.open_checkpoints(folder, to_read=True) as manager:
            before = sorted((s for s in manager.all_steps() if s < step), reverse=True)
            for nearest in before:
                try:
                    held = checkpoint.read(manager, nearest, saved_parts(state))
                except checkpoint.Damaged as damage:
                    say(f"The checkpoint of step {nearest} is damaged: {damage}.")
                    continue
                say(f"from the checkpoint of step {nearest}")
                found = held.parts["model"] | held.parts["training"]
                return parallel.replicate(state._replace(**found))
    say("from the beginning")
    quick = parallel.compiled_quickly(create)
    return parallel.replicate(new_state(config, quick, lambda line: None))


def _batch(config: ConfigDict, train, step: int) -> dict[str, Any]:
    made = data.make_batch(config.seed, step - 1, config.batch, len(train))
    (fed,) = train.feed([parallel.own(made)])
    return parallel.share_local(fed)


def _draw(workdir: Path, step: int, parts: run.Parts, state, source, batch) -> Path:
    """The batch as the network saw it, under each other."""
    change = functools.partial(changed_examples, parts.augment)
    examples = jax.device_get(
        parallel.evaluate_on_devices(change)(state, source, batch)
    )
    flat = {k: a.reshape(-1, *a.shape[2:]) for k, a in examples.items()}
    count = len(flat["image"])
    strips = [
        parts.task.draw(one["image"], one)
        for one in ({k: a[i] for k, a in flat.items()} for i in range(count))
    ]
    return write_picture(workdir / "pictures", step, "replay", np.concatenate(strips))


def _search(parts: run.Parts, state, source, batch) -> str:
    """The first thing in the step whose numbers are not finite."""
    names: list[str] = []
    search = make_search_step(parts.model, parts.task, parts.augment, names)
    flags = parallel.evaluate_on_devices(search)(state, source, batch)
    finite = np.asarray(flags).all(0)  # [devices, things] -> [things]
    return names[int(np.argmin(finite))] if not finite.all() else ""


def _debug(parts: run.Parts, state, source, batch) -> str:
    """The operation that gave the first such number, step by step under JAX's NaN
    debugging."""
    step = make_train_step(parts.model, parts.task, parts.optimizer, parts.augment)
    alone = jax.tree.map(jnp.array, jax.device_get((state, source, batch)))
    whole = jax.vmap(step, in_axes=(None, None, 0), axis_name=parallel.AXIS)
    try:
        with jax.disable_jit(), jax.debug_nans(True), jax.debug_infs(True):
            whole(*alone)
    except FloatingPointError as error:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [f for f in frames if "/segjax/" in f.filename] or frames
        line = ours[-1]
        message = str(error).splitlines()[0]
        return f"{message} at {line.filename}:{line.lineno}: {line.line}"
    return ""
