"""The run folder: whose it is, what is in it, and that one process writes to it."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from segjax.base import Mistake
from segjax.run._lock import held_alone
from segjax.run._whole import whole

FORMAT = 1  # of the run folder; a newer segjax may count on
MAY_CHANGE = ("steps", "log")  # of a run that goes on


def default_workdir(source: str, config: ConfigDict) -> Path:
    """runs/<config>[-<preset>][-fold<k>]"""
    path, _, preset = source.partition(":")
    fold = config.data.get("fold")
    parts = [
        Path(path).stem,
        *([preset] if preset and preset != "auto" else []),
        *([f"fold{fold}"] if fold is not None else []),
    ]
    return Path("runs") / "-".join(parts)


def check_place(place: Path, option: str) -> None:
    """A Mistake unless the place is a folder that can be written to, or can be made."""
    for folder in (place, *place.absolute().parents):
        if not os.path.lexists(folder):
            continue
        if not folder.is_dir():
            raise Mistake(f"{folder} is a file; give {option} a folder.")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise Mistake(
                f"{folder} cannot be written to; give {option} another folder."
            )
        return


def check_workdir(workdir: Path, config: ConfigDict, pictures: str = "") -> None:
    """A Mistake when this config cannot run in this folder; writes nothing.

    pictures: the fingerprint of the data.
    """
    check_place(workdir, "--workdir")
    saved = read_config(workdir)
    if saved is None:
        # a run killed before its first file leaves no more than these
        barely = {"lock", "checkpoints", "config.json.part"}
        if workdir.is_dir() and {p.name for p in workdir.iterdir()} - barely:
            raise Mistake(
                f"{workdir} holds something that is not a run; give --workdir an empty"
                " or a new folder."
            )
        return
    differ = differences(saved.config, plain(config))
    if differ:
        raise Mistake(
            f"{workdir} holds a run of another config: {'; '.join(differ[:5])}"
            f"{' and more' if len(differ) > 5 else ''}. Give --workdir another folder,"
            " or go on with the config it was started with."
        )
    if saved.pictures != pictures:
        raise Mistake(
            f"The run in {workdir} learnt from other pictures: data"
            f" {config.data.name!r} has changed since. Give --workdir another folder."
        )


def plain(config: ConfigDict) -> dict[str, Any]:
    """The config as JSON keeps it: lists for tuples, nothing that is unset."""
    return json.loads(json.dumps(_set_only(config.to_dict())))


class Saved(NamedTuple):
    """config.json: the config as it was given, and what was measured for it."""

    config: dict[str, Any]
    settled: dict[str, dict[str, Any]]  # options of task and data, beside the config's
    pictures: str = ""  # a fingerprint of the data, where it has one


def read_config(workdir: Path) -> Saved | None:
    """The config that a run was started with, or None where there is no run."""
    path = workdir / "config.json"
    if not path.exists():
        return None
    try:
        config = json.loads(path.read_text())
        kind = int(config.pop("format", FORMAT))
        saved = Saved(config, config.pop("settled", {}), config.pop("pictures", ""))
    except (ValueError, TypeError, AttributeError):
        raise Mistake(
            f"{path} is not the config of a run; put it back, or give --workdir"
            " another folder."
        ) from None
    if kind > FORMAT:
        raise Mistake(
            f"{workdir} was written by a newer segjax (its format is {kind}, this one"
            f" knows {FORMAT}); update segjax to use it."
        )
    return saved


def write_config(
    workdir: Path, config: ConfigDict, pictures: str, settled: dict[str, Any]
) -> None:
    """config.json, from which the run can be repeated.

    pictures: the fingerprint of the data; settled: options that were found in the data
    or measured for the task, by section.
    """
    settled = {section: found for section, found in settled.items() if found}
    extra: dict[str, Any] = {"settled": settled} if settled else {}
    extra |= {"pictures": pictures} if pictures else {}
    write_json(workdir / "config.json", plain(config) | extra | {"format": FORMAT})


def write_json(path: Path, content: Any) -> None:
    """The file, whole or not at all."""
    with whole(path) as part, part.open("w") as file:
        file.write(json.dumps(content, indent=2, allow_nan=False) + "\n")
        file.flush()
        os.fsync(file.fileno())  # or a power cut leaves it empty


@contextlib.contextmanager
def locked(workdir: Path) -> Iterator[None]:
    """The folder, made if need be, for this process alone. What a Mistake leaves before
    the run's config is written is taken away again."""
    whole = workdir.absolute()
    made = [folder for folder in (whole, *whole.parents) if not folder.exists()]
    workdir.mkdir(parents=True, exist_ok=True)
    with held_alone(workdir / "lock"):
        try:
            yield
        except Mistake:
            if not (workdir / "config.json").exists():
                _take_away(workdir, made)
            raise


def _take_away(workdir: Path, made: list[Path]) -> None:
    """What a run that never began had made; nothing of others'."""
    (workdir / "lock").unlink(missing_ok=True)
    for folder in (workdir / "checkpoints", *made):
        with contextlib.suppress(OSError):  # it is not empty: others' runs
            folder.rmdir()


def _set_only(tree: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _set_only(value) if isinstance(value, dict) else value
        for key, value in tree.items()
        if value is not None
    }


def differences(old: dict[str, Any], new: dict[str, Any], at: str = "") -> list[str]:
    """What keeps a run of the old config from going on with the new one."""
    found = []
    for key in sorted(old.keys() | new.keys()):
        if not at and key in MAY_CHANGE:
            continue
        was, now = old.get(key), new.get(key)
        if isinstance(was, dict) and isinstance(now, dict):
            found += differences(was, now, f"{at}{key}.")
        elif was != now:
            found.append(f"{at}{key} was {_told(was)} and is {_told(now)}")
    return found


def _told(value: Any) -> str:
    return "unset" if value is None else json.dumps(value)
