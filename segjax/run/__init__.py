"""A config built into parts, the run folder, and a finished run for use."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import numpy as np
from ml_collections import ConfigDict

from segjax import data as data_room
from segjax import models, tasks
from segjax.base import Info, Mistake, Task
from segjax.run._announce import announce, conclude
from segjax.run._config import (
    config_folder,
    data_options,
    load_config,
    options,
    override,
)
from segjax.run._contents import contents
from segjax.run._encoder import check_new_folder, write_encoder
from segjax.run._folder import (
    check_workdir,
    default_workdir,
    differences,
    locked,
    plain,
    read_config,
    write_config,
)
from segjax.run._found import find_in_data, with_found
from segjax.run._history import best_step, evaluated_steps, stands_still
from segjax.run._init import load_variables, start_from, used_variables
from segjax.run._load import (
    fingerprint,
    load_splits,
    measure_for_task,
    open_rows,
    settled_task,
    show_examples,
)
from segjax.run._parts import Parts, build_parts
from segjax.run._remote import Remote, is_remote, local_folder
from segjax.run._results import forget_scores, read_scores, write_rows, write_scores
from segjax.run._steps import changed_optimizer, changes_of_steps, told_of_steps
from segjax.run._stop import StopRequest, stop_requests

__all__ = [
    "Parts",
    "Remote",
    "Run",
    "StopRequest",
    "announce",
    "best_step",
    "build_parts",
    "changed_optimizer",
    "changes_of_steps",
    "check_new_folder",
    "check_workdir",
    "conclude",
    "config_folder",
    "contents",
    "data_options",
    "default_workdir",
    "differences",
    "evaluated_steps",
    "find_in_data",
    "fingerprint",
    "forget_scores",
    "is_remote",
    "load_config",
    "load_run",
    "load_splits",
    "load_variables",
    "local_folder",
    "locked",
    "measure_for_task",
    "open_rows",
    "options",
    "override",
    "plain",
    "read_config",
    "read_scores",
    "settled_task",
    "show_examples",
    "stands_still",
    "start_from",
    "stop_requests",
    "told_of_steps",
    "used_variables",
    "with_found",
    "write_config",
    "write_encoder",
    "write_rows",
    "write_scores",
]


class Run(NamedTuple):
    """A trained network and all that belongs to it."""

    config: ConfigDict
    info: Info
    task: Task
    model: nn.Module
    variables: dict[str, Any]
    step: int

    def __repr__(self) -> str:
        """What it is, not its million numbers."""
        return (
            f"Run({self.config.model.name}, {self.config.task.name}, step {self.step})"
        )

    def predict(self, images: Sequence[np.ndarray]) -> list[dict[str, np.ndarray]]:
        """The prediction for each picture, at its own size. [u8[h,w,3], ...]

        A picture is fitted to the training size; the maps are brought back to the
        picture's size and read there.
        """
        return [self._predict_one(np.asarray(image)) for image in images]

    def _predict_one(self, image: np.ndarray) -> dict[str, np.ndarray]:
        if image.ndim != 3 or image.shape[-1] != 3 or image.dtype != np.uint8:
            shown = f"{image.dtype}{list(image.shape)}"
            raise Mistake(f"A picture is uint8[h,w,3]; this one is {shown}.")
        how = data_room.Loading.of(options(self.config.data))
        example = data_room.fit_to_size({"image": image}, how.side, how.fit)
        outputs = _outputs(self.model, self.variables, example["image"][None])
        h, w = data_room.covered(image.shape, how.side, how.fit)  # the rest is padding
        outputs = {name: maps[0, :h, :w] for name, maps in outputs.items()}
        prediction = _read_back(self.task.decode, outputs, image.shape[:2])
        return jax.tree.map(np.asarray, prediction)


@functools.partial(jax.jit, static_argnums=0)
def _outputs(model, variables, images):
    return models.forward(model, variables, images)


@functools.partial(jax.jit, static_argnums=(0, 2))
def _read_back(decode, outputs, size):
    resized = {
        name: jax.image.resize(maps, (*size, maps.shape[-1]), "bilinear")
        for name, maps in outputs.items()
    }
    return decode(resized)


def load_run(folder: str | Path, *, step: int | None = None) -> Run:
    """The run of a folder with its best checkpoint, or that of a step.

    folder: may be an address such as gs://bucket/run.
    """
    folder = local_folder(folder)
    saved = read_config(folder)
    if saved is None:
        raise Mistake(f"{folder} is not a run: it holds no config.json.")
    config = with_found(ConfigDict(saved.config).lock(), saved.settled.get("data", {}))
    info = data_room.make_info(**options(config.data))
    asked = options(config.task) | saved.settled.get("task", {})
    task = tasks.make_task(info=info, **asked)
    model = models.build(heads=task.heads, **options(config.model))
    step, variables = load_variables(folder, step)
    return Run(config, info, task, model, variables, step)
