"""Tasks, one file each: what to predict, as pure functions of one picture."""

from collections.abc import Iterable
from typing import Any

import jax
import numpy as np

from segjax.base import Info, Mistake, Task, find
from segjax.tasks import _draw
from segjax.tasks._draw import palette, sheet

__all__ = ["make_task", "overlay", "palette", "score_names", "settle", "sheet"]


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


def score_names(task: Task, info: Info, side: int = 32) -> tuple[str, ...]:
    """The names of a task's scores, found on shapes alone."""
    shapes = {
        "image": ((side, side, 3), np.uint8),
        "semantic": ((side, side), np.uint8),
        "instance": ((side, side), np.int32),
        "keypoints": ((1, len(info.joints), 3), np.float32),
    }
    example = {word: jax.ShapeDtypeStruct(*shapes[word]) for word in task.needs}
    maps = {
        name: jax.ShapeDtypeStruct((side, side, channels), np.float32)
        for name, channels in task.heads.items()
    }
    row = jax.eval_shape(lambda m, e: task.count(task.decode(m), e), maps, example)
    return tuple(task.score({w: np.zeros((1, *of.shape)) for w, of in row.items()}))


def overlay(
    image: np.ndarray, prediction: dict[str, np.ndarray], info: Info | None = None
) -> np.ndarray:
    """The picture with the predicted classes tinted and outlined, for a notebook.

    info: of the run, for its colours. u8[h,w,3]
    """
    if info is None:
        count = prediction["probability"].shape[-1]
        info = Info(tuple(str(k) for k in range(count)))
    return _draw.overlay(image, np.asarray(prediction["semantic"]), palette(info))
