"""Tasks, one file each: what to predict, as pure functions of one picture."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from segjax.base import Info, Mistake, Task, find
from segjax.tasks._draw import sheet

__all__ = ["make_task", "settle", "sheet"]


def make_task(name: str, info: Info, **config) -> Task:
    """The task `name` for a data set that says `info` of itself."""
    task = find("tasks", name).make_task(info, **config)
    missing = [word for word in task.needs if word not in info.provides]
    if missing:
        raise Mistake(
            f"Task {name!r} needs {', '.join(missing)}; the data provides"
            f" {', '.join(info.provides)}. Choose another task or data set."
        )
    return task


def settle(
    name: str, info: Info, examples: Iterable[dict[str, np.ndarray]], **config
) -> dict[str, Any]:
    """The task's options, with those that ask for a measurement of the training
    pictures replaced by the figures measured (stored, so a resumed run agrees)."""
    module = find("tasks", name)
    return (
        module.settle(info, examples, **config) if hasattr(module, "settle") else config
    )
