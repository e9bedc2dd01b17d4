"""Checkpoints: written by Orbax behind the training, with a checksum of every array,
and checked when they are read."""

import contextlib
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import orbax.checkpoint as ocp
from absl import logging

from segjax.base import Mistake
from segjax.checkpoint._echo import without_echoes
from segjax.checkpoint._seal import Damaged, broken_array, describe, seal, unseal

__all__ = [
    "Checkpoint",
    "Damaged",
    "close",
    "first_whole",
    "keep_only",
    "newest_on_disk",
    "open_checkpoints",
    "read",
    "save",
    "wait",
]

PARTS = ("model", "training")  # what prediction needs; what only going on needs
# what Orbax and its storage raise where files are torn, gone or rewritten
_UNREADABLE = (ValueError, OSError, KeyError, TypeError, AttributeError)

_PLAIN = ("No space left on device", "Read-only file system", "Disk quota exceeded")

logging.set_verbosity(logging.FATAL)  # what is wrong is said here, in a sentence
sys.unraisablehook = without_echoes(sys.unraisablehook)


class Checkpoint(NamedTuple):
    """What was saved at a step."""

    step: int
    parts: dict[str, Any]  # arrays on the host
    record: dict[str, Any]  # what the loop must know besides, as JSON holds it


def open_checkpoints(folder: Path, to_read: bool = False) -> ocp.CheckpointManager:
    """The checkpoints of a run. Leftovers of a killed save are cleared away.

    to_read: nothing is made nor cleared; another process may be training here.
    """
    if not to_read:
        folder.mkdir(parents=True, exist_ok=True)
    options = ocp.CheckpointManagerOptions(
        cleanup_tmp_directories=not to_read,
        create=False,
        # one process alone writes: on several hosts all hold the same state
        multiprocessing_options=ocp.options.MultiprocessingOptions(
            primary_host=jax.process_index(),
            active_processes={jax.process_index()},
            barrier_sync_key_prefix=f"process{jax.process_index()}",
        )
        if jax.process_count() > 1
        else ocp.options.MultiprocessingOptions(),
    )
    handlers: dict[str, Any] = {part: ocp.StandardCheckpointHandler() for part in PARTS}
    handlers["record"] = ocp.JsonCheckpointHandler()
    return ocp.CheckpointManager(
        folder.absolute(), options=options, item_handlers=handlers
    )


def save(
    manager: ocp.CheckpointManager, step: int, record: dict[str, Any], **parts: Any
) -> None:
    """Start to write a checkpoint; its arrays may be donated at once.

    An OSError where the one before, or this one, could not be written.
    """
    held = jax.tree.map(np.array, parts)  # copies of this host's own
    items: dict[str, Any] = {
        name: ocp.args.StandardSave(tree) for name, tree in held.items()
    }
    sealed = seal(record | {"arrays": describe(held)})
    items["record"] = ocp.args.JsonSave(sealed)
    with _told_as_os_error(manager):
        manager.save(step, args=ocp.args.Composite(**items), force=True)


def wait(manager: ocp.CheckpointManager) -> None:
    """Until what is being written lies on disk; an OSError where it cannot."""
    with _told_as_os_error(manager):
        manager.wait_until_finished()


def close(manager: ocp.CheckpointManager) -> None:
    """Wait, and end; an OSError where what was being written cannot be."""
    with _told_as_os_error(manager):
        manager.close()


def newest_on_disk(manager: ocp.CheckpointManager) -> int | None:
    """The newest step that is committed, whatever is being written."""
    names = [path.name for path in Path(manager.directory).glob("[0-9]*")]
    return max((int(name) for name in names if name.isdigit()), default=None)


def keep_only(manager: ocp.CheckpointManager, steps: Iterable[int | None]) -> None:
    """Delete the checkpoints of all other steps."""
    kept = set(steps)
    with _told_as_os_error(manager):
        for step in list(manager.all_steps()):
            if step not in kept:
                manager.delete(step)


def read(
    manager: ocp.CheckpointManager,
    step: int,
    targets: dict[str, Any],
    check: Callable[[dict[str, Any]], None] = lambda record: None,
) -> Checkpoint:
    """The checkpoint of a step: the parts named, shaped as the targets given.

    check: raises a Mistake where the record does not suit. A target of None takes the
    part as it was saved. Damaged, where anything is not what was saved.
    """
    record = _read_record(manager, step)
    check(record)
    for part, target in targets.items():
        if target is not None:
            _check_shapes(manager, step, part, target, record["arrays"])
    parts = _read_parts(manager, step, targets)
    wrong = broken_array(record["arrays"], parts)
    if wrong:
        raise Damaged(f"{wrong} is not what was saved")
    return Checkpoint(step, parts, record)


def first_whole(
    manager: ocp.CheckpointManager,
    steps: Iterable[int],
    take: Callable[[int], Checkpoint],
    say: Callable[[str], None],
) -> Checkpoint:
    """What take(step) gives for the first of the steps that is whole.

    Damaged ones before it are named and set aside. Where none is whole, nothing is
    touched: a Mistake.
    """
    damaged: dict[int, str] = {}
    for step in steps:
        try:
            taken = take(step)
        except Damaged as damage:
            damaged[step] = str(damage)
            continue
        for bad, why in damaged.items():
            place = _set_aside(manager, bad)
            say(f"The checkpoint of step {bad} is damaged: {why}. See {place}.")
        return taken
    found = "; ".join(f"step {step}: {why}" for step, why in damaged.items())
    raise Mistake(
        f"No checkpoint in {manager.directory} is whole ({found}). Nothing was changed."
        " Train in another --workdir, or delete that folder to begin this run anew."
    )


def _set_aside(manager: ocp.CheckpointManager, step: int) -> Path:
    folder = Path(manager.directory)
    place = folder / f"damaged-{step}"
    for attempt in range(2, 100):
        if not place.exists():
            break
        place = folder / f"damaged-{step}-{attempt}"
    (folder / str(step)).rename(place)
    manager.reload()
    return place


def _read_record(manager: ocp.CheckpointManager, step: int) -> dict[str, Any]:
    args = ocp.args.Composite(record=ocp.args.JsonRestore())
    try:
        return unseal(manager.restore(step, args=args)["record"])
    except _UNREADABLE as error:
        raise Damaged(f"its record cannot be read ({_brief(error)})") from None


def _check_shapes(manager, step: int, part: str, target, saved: dict[str, Any]) -> None:
    """A Mistake with the first array that the saved part and the target hold in
    different shapes."""
    place = f"{part}/"
    wanted = describe({part: target}, shapes_alone=True)
    there = {k: v[:2] for k, v in saved.items() if k.startswith(place)}
    for name in sorted(wanted.keys() | there.keys()):
        here, then = wanted.get(name), there.get(name)
        if here != then:
            raise Mistake(
                f"The checkpoint of step {step} in {manager.directory} is of another"
                f" network or optimizer: {name} is {_shown(then)} there and"
                f" {_shown(here)} here. Give --workdir another folder."
            )


def _shown(described: list | None) -> str:
    if described is None:
        return "not"
    shape, dtype = described
    return f"{dtype}{shape}"


def _read_parts(manager, step: int, targets: dict[str, Any]) -> dict[str, Any]:
    try:
        args = {}
        for part, target in targets.items():
            saved = manager.item_metadata(step)[part]
            if saved is None:  # needed or not
                raise OSError(f"{part} has no metadata")
            target = saved if target is None else target
            shapes = jax.tree.map(lambda a: np.empty(a.shape, a.dtype), target)
            args[part] = ocp.args.StandardRestore(shapes)
        return dict(manager.restore(step, args=ocp.args.Composite(**args)).items())
    except _UNREADABLE as error:
        raise Damaged(f"it cannot be read ({_brief(error)})") from None


def _brief(error: Exception) -> str:
    """The part of a storage error that tells anything."""
    for plain in _PLAIN:
        if plain in str(error):
            return plain
    lines = str(error).strip().splitlines() or [type(error).__name__]
    text = lines[0].split(" [tensorstore_spec")[0].split(" [source")[0]
    return text if len(text) < 160 else f"{text[:70]} ... {text[-85:]}"


@contextlib.contextmanager
def _told_as_os_error(manager: ocp.CheckpointManager):
    """Whatever the storage raises when it cannot write, as an OSError; what was half
    written is cleared away, for it may be what fills the disk."""
    try:
        yield
    except (OSError, ValueError) as error:
        for part in Path(manager.directory).glob("*.orbax-checkpoint-tmp*"):
            shutil.rmtree(part, ignore_errors=True)
        manager.reload()
        raise OSError(_brief(error)) from None
