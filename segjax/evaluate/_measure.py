"""Each picture predicted and measured at its own size."""

import zlib
from typing import Any, NamedTuple

import jax
import numpy as np

from segjax import run
from segjax.base import VOID, Mistake, Rows, did_you_mean
from segjax.log import Progress
from segjax.ops.calibration import reliability

_BEYOND = {"semantic": VOID, "instance": 0}  # what a picture's margin counts as


class Measured(NamedTuple):
    """Of all pictures, in order."""

    names: list[str]
    labels: list[str]
    groups: list[str] | None  # what each comes from: a patient, a film
    rows: dict[str, np.ndarray]  # {word: [n, ...]}
    tempered: np.ndarray | None  # reliability at the temperature, of all  f64[bins,3]
    truths: list[str]  # what tells each true mask from others
    broken: list[str]  # what was said of those that could not be read


def measure_pictures(
    of: run.Run,
    pictures: Rows,
    tolerance: float,
    temperature: float | None,
    progress: Progress,
    by: str | None = None,
    group: str | None = None,
    tta: bool = False,
) -> Measured:
    """The rows of the pictures, as the run's task measures them; what cannot be read
    is said and left out.

    by, group: columns that say of what kind a picture is, and what it comes from; else
    its own `label` and `group`. tta: by the mean of several views.
    """
    found, broken = [], []
    for index in range(len(pictures)):
        try:
            example = pictures[index]
        except Mistake as mistake:
            progress.say(f"left out: {mistake}")
            broken.append(str(mistake))
            continue
        # at once, where a column is not there
        kind = _text(example, by, "--by") if by else example.get("label", "")
        come = _text(example, group, "--group") if group else example.get("group", "")
        row, tempered = _measured(of, example, tolerance, temperature, tta)
        found.append((example["name"], kind, come, row, tempered, _digest(example)))
        progress.count("scoring picture", index + 1, len(pictures))
    if not found:
        raise Mistake("None of the pictures can be read; nothing was written.")
    names, labels, groups, rows, each_tempered, truths = map(list, zip(*found))
    # a picture without one stands for itself
    of_each = [g or name for g, name in zip(groups, names)] if any(groups) else None
    return Measured(
        names=names,
        labels=labels,
        groups=of_each,
        rows={word: np.stack([row[word] for row in rows]) for word in rows[0]},
        tempered=None if temperature is None else np.sum(each_tempered, 0),
        truths=truths,
        broken=broken,
    )


def check_columns(pictures: Rows, by: str | None, group: str | None) -> None:
    """A Mistake for a column that the pictures have not, by the first that can be
    read."""
    wanted = {"--by": by, "--group": group}
    for index in range(len(pictures) if by or group else 0):
        try:
            example = pictures[index]
        except Mistake:
            continue
        for option, column in wanted.items():
            if column:
                _text(example, column, option)
        return


def _measured(of: run.Run, example, tolerance, temperature: float | None, tta: bool):
    """The row of a picture, and its reliability at the temperature."""
    views = of.seen(example["image"], tta)
    shape = example["image"].shape
    row = _row(of.task, of.read(views, shape), example, tolerance)
    if temperature is None:
        return row, None
    found = of.read(views, shape, temperature)
    return row, reliability(found["probability"], example["semantic"])


def _digest(example: dict[str, Any]) -> str:
    code = 0
    masks = ("semantic", "instance", "keypoints")
    words: list[str] = [w for w in masks if w in example]
    for word in words or ["image"]:
        code = zlib.crc32(np.ascontiguousarray(example[word]), code)
    return f"{code:08x}"


def _text(example: dict[str, Any], column: str, option: str) -> str:
    """What a column says of a picture."""
    fields = {"label": example.get("label", "")} | example.get("fields", {})
    if column not in fields:
        raise Mistake(
            f"{option} is {column!r}; these pictures have the columns"
            f" {', '.join(fields)}.{did_you_mean(column, fields)}"
        )
    return fields[column]


def _row(task, prediction, example: dict[str, Any], tolerance: float):
    if task.measure:
        return task.measure(prediction, example, tolerance)
    words = {k: v for k, v in example.items() if isinstance(v, np.ndarray)}
    # each shape is a program of its own, and takes seconds to compile
    if "image" not in prediction:
        words.pop("image", None)
    for word in {"keypoints", "area"} & words.keys():
        words[word] = _with_room(words[word])
    if "keypoints" in prediction:
        for word in _BEYOND.keys() & words.keys():
            words[word] = run.in_blocks(words[word], _BEYOND[word])
        maps = {"semantic", "probability"} & prediction.keys()
        prediction = prediction | {m: run.in_blocks(prediction[m]) for m in maps}
    return jax.device_get(jax.jit(task.count)(prediction, words))


def _with_room(people: np.ndarray) -> np.ndarray:
    """Rows of nobody behind, up to a power of two."""
    room = 1 << max(0, len(people) - 1).bit_length()
    beyond = [(0, room - len(people))] + [(0, 0)] * (people.ndim - 1)
    return np.pad(people, beyond)
