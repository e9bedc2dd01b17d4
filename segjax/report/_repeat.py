"""The commands that give a run again."""

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from segjax import run
from segjax.base import Mistake


def commands(of: run.Run) -> list[str]:
    """To train, to score, to use."""
    folder = shlex.quote(str(of.folder))
    return [
        f"{_training(of)} --workdir {folder}",
        f"python -m segjax evaluate {folder}",
        f"python -m segjax predict {folder} PICTURES --out DIR",
    ]


def _training(of: run.Run) -> str:
    """The shipped config that needs the fewest options set, and those options."""
    saved = run.read_config(of.folder)
    wanted = dict(flat(saved.config if saved else run.plain(of.config)))
    best: tuple[str, list[str]] | None = None
    for path in sorted(run.config_folder().glob("*.py")):
        for preset in _presets(path.stem, wanted.get("preset")):
            words = _options(wanted, dict(flat(preset[1])))
            if best is None or len(words) < len(best[1]):
                best = (f"configs/{path.name}:{preset[0]}", words)
    if best is None:
        return "python launch.py --config CONFIG"
    return " ".join(["python launch.py --config", best[0], *best[1]])


def _presets(name: str, preset: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        yield str(preset), run.plain(run.load_config(f"{name}:{preset}"))
    except Mistake:
        return


def _options(wanted: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """What must be typed to get the one from the other; an option that the config has
    and the run has not cannot be unset, and counts as far away."""
    words = [
        f"--config.{key}={shlex.quote(_text(value))}"
        for key, value in wanted.items()
        if given.get(key) != value
    ]
    return words + [f"--config.{key}=none" for key in given if key not in wanted]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def flat(tree: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f"{at}{key}.")
        else:
            yield f"{at}{key}", value
