"""A finished run, for use."""

import functools
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from segjax import data, models, tasks
from segjax.base import Info, Mistake, Task
from segjax.run._blocks import in_blocks
from segjax.run._config import check_options, options
from segjax.run._folder import read_config
from segjax.run._found import with_found
from segjax.run._init import load_variables
from segjax.run._remote import local_folder
from segjax.run._results import TEXTS, numbers_of, read_rows, read_scores
from segjax.run._views import MIRROR, mean_of, seen_back, seen_from


class Run(NamedTuple):
    """A trained network and all that belongs to it."""

    folder: Path
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

    def predict(
        self,
        images: Sequence[np.ndarray],
        *,
        tta: bool = False,
        temperature: float = 1.0,
    ) -> list[dict[str, np.ndarray]]:
        """The prediction for each picture, at its own size. [u8[h,w,3], ...]

        A picture is fitted to the training size; the maps are brought back to the
        picture's size and read there, but for those that the task keeps: joints found
        in them are moved instead. tta: the mean over the eight flips and quarter
        turns, with `uncertainty` f32[h,w], the entropy of that mean from 0 to 1; of
        joints over the picture and its mirror picture. temperature: what logits are
        divided by.
        """
        return [
            self.read(self.seen(image, tta), image.shape, temperature)
            for image in map(np.asarray, images)
        ]

    def check_probabilities(self, option: str) -> None:
        """A Mistake where the option's work needs probabilities and there are none."""
        if not self.task.logits:
            raise Mistake(
                f"Task {self.config.task.name!r} is not read from probabilities alone;"
                f" leave {option} out."
            )

    def check_views(self, option: str) -> None:
        """A Mistake where several views of a picture cannot be read as one."""
        if self.task.mirrored is None:
            self.check_probabilities(option)

    def seen(self, image: np.ndarray, tta: bool = False) -> list[dict[str, jax.Array]]:
        """What the network says of a picture, brought back to its size (but for maps
        that the task keeps): by one view of it, by all eight, or by two as one.
        u8[h,w,3]"""
        if image.ndim != 3 or image.shape[-1] != 3 or image.dtype != np.uint8:
            shown = f"{image.dtype}{list(image.shape)}"
            raise Mistake(f"A picture is uint8[h,w,3]; this one is {shown}.")
        if tta:
            self.check_views("tta")
        both = self.task.mirrored if tta else None
        how = data.Loading.of(options(self.config.data))
        fitted = data.fit_to_size({"image": image}, how.side, how.fit)["image"]
        h, w = data.covered(image.shape, how.side, how.fit)  # the rest is padding
        views = []
        for view in (0, MIRROR) if both else range(8 if tta else 1):
            outputs = self.outputs(seen_from(fitted, view)[None])
            whole = {
                name: seen_back(np.asarray(maps[0]), view)
                for name, maps in outputs.items()
            }
            kept = {name: whole.pop(name) for name in self.task.kept}
            inside = {name: maps[:h, :w] for name, maps in whole.items()}
            size = image.shape[:2]
            views.append(kept | _resize(inside, size, self.task.vectors))
        return [both(*views)] if both else views

    def fingerprint(self) -> str:
        """What tells the trained network from others."""
        code = 0
        for leaf in jax.tree.leaves(self.variables):
            code = zlib.crc32(np.ascontiguousarray(leaf), code)
        return f"{code:08x}"

    def rows(self) -> np.ndarray:
        """rows.csv as an array with a field a column, as pandas.DataFrame takes it."""
        columns = read_rows(self.folder)
        texts = set(TEXTS) & columns.keys()
        of_column = {
            name: np.array(cells) if name in texts else numbers_of(cells, self.folder)
            for name, cells in columns.items()
        }
        table = np.empty(
            len(columns["name"]), [(name, a.dtype) for name, a in of_column.items()]
        )
        for name, cells in of_column.items():
            table[name] = cells
        return table

    def outputs(self, images: np.ndarray) -> dict[str, jax.Array]:
        """The maps of fitted pictures. u8[b,h,w,3] -> {name: f32[b,h,w,c]}"""
        return _outputs(self.model, self.variables, images)

    def read(
        self,
        views: Sequence[dict[str, jax.Array]],
        shape: tuple[int, ...],
        temperature: float = 1.0,
    ) -> dict[str, np.ndarray]:
        """The prediction that what was seen of a picture of this shape means; by
        several views, that of their mean probability. The logits are divided by the
        temperature."""
        if self.task.kept:
            return self._read_kept(views[0], shape, temperature)
        found = (self._read_one(maps, temperature) for maps in views)
        return next(found) if len(views) == 1 else mean_of(found)

    def _read_one(self, maps: dict[str, Any], temperature: float):
        if temperature != 1:
            maps = maps | {self.task.logits: maps[self.task.logits] / temperature}
        return jax.tree.map(np.asarray, _decode(self.task.decode, maps))

    def _read_kept(self, maps: dict[str, Any], shape, temperature: float):
        """Read from the maps that the task keeps, and moved to where the picture has
        it; what else was seen of it, at its size."""
        kept = {name: maps[name] for name in self.task.kept}
        others = {n: in_blocks(np.asarray(maps[n])) for n in maps.keys() - kept.keys()}
        found = self._read_one(kept | others, temperature)
        for word in {"semantic", "probability"} & found.keys():
            found[word] = found[word][: shape[0], : shape[1]]
        how = data.Loading.of(options(self.config.data))
        size = data.covered(shape, how.side, how.fit)
        return found | {"keypoints": _moved(found["keypoints"], size, shape)}


def _moved(points: np.ndarray, size, shape) -> np.ndarray:
    """Points of a picture of one size where another size of it has them. f[p,j,3]"""
    moved = points.copy()
    moved[..., :2] = (points[..., :2] + 0.5) * np.divide(shape[:2], size[:2]) - 0.5
    return moved


@functools.partial(jax.jit, static_argnums=0)
def _outputs(model, variables, images):
    return models.forward(model, variables, images)


@functools.partial(jax.jit, static_argnums=(1, 2))
def _resize(maps, size, vectors):
    resized = {
        name: jax.image.resize(m, (*size, m.shape[-1]), "bilinear")
        for name, m in maps.items()
    }
    for name in vectors:
        grown = [new / old for new, old in zip(size, maps[name].shape)]
        resized[name] *= jnp.array(grown, jnp.float32)
    return resized


@functools.partial(jax.jit, static_argnums=0)
def _decode(decode, maps):
    return decode(maps)


def load_run(folder: str | Path, *, step: int | None = None) -> Run:
    """The run of a folder with its best checkpoint, or that of a step.

    folder: may be an address such as gs://bucket/run.
    """
    folder = local_folder(folder)
    saved = read_config(folder)
    if saved is None:
        raise Mistake(f"{folder} is not a run: it holds no config.json.")
    config = ConfigDict(saved.config).lock()
    try:
        check_options(config)
    except (Mistake, AttributeError, KeyError) as problem:
        raise Mistake(
            f"{folder} is no run for this version of segjax: {problem}"
        ) from None
    config = with_found(config, saved.settled.get("data", {}))
    info = data.make_info(**options(config.data))
    asked = options(config.task) | saved.settled.get("task", {})
    task = tasks.make_task(info=info, **asked)
    model = models.build(heads=task.heads, **options(config.model))
    step, variables = load_variables(folder, step)
    return Run(folder, config, info, task, model, variables, step)


def fitted_temperature(of: Run) -> float:
    """What an evaluation of the run found."""
    of.check_probabilities("--calibrated")
    scores = read_scores(of.folder) or {}
    found = scores.get("calibration", {}).get("temperature")
    if found is None:
        raise Mistake(
            f"{of.folder} has no temperature yet; python -m segjax evaluate"
            f" {of.folder} fits it."
        )
    if scores["step"] != of.step:
        raise Mistake(
            f"The temperature of {of.folder} was fitted for the checkpoint of step"
            f" {scores['step']}; leave --step or --calibrated out."
        )
    return found
