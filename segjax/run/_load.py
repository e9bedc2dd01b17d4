"""The pictures of a run: opened, read, looked at."""

import functools
from pathlib import Path
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from segjax import data, tasks
from segjax.base import Info, Rows, Task
from segjax.log import Progress, write_picture
from segjax.run._config import options

_SHOWN = 4  # examples in the picture drawn before the first step
Splits = dict[str, data.Split | data.Stream]


def open_rows(config: ConfigDict) -> dict[str, Rows]:
    """The rows of each split: what is impossible or not there shows here, unread."""
    wanted = options(config.data)
    return {split: data.open_split(split=split, **wanted) for split in data.SPLITS}


def fingerprint(rows: dict[str, Rows]) -> str:
    """What tells these pictures from others; '' for data that has no such thing."""
    found = [getattr(of_split, "fingerprint", "") for of_split in rows.values()]
    return "-".join(one[:12] for one in found if one)


def load_splits(
    config: ConfigDict, info: Info, rows: dict[str, Rows], progress: Progress
) -> Splits:
    """The splits: on the devices if all three fit there, else streamed."""
    loading = data.Loading.of(options(config.data))
    pictures = sum(len(of_split) for of_split in rows.values())
    resident = data.fits_devices(pictures, info, loading)
    if not resident:
        progress.say("streamed: the pictures take more than data.memory")
    load = functools.partial(
        data.load, info=info, loading=loading, name=config.data.name
    )
    splits = {}
    for split in rows:
        with progress.waiting(f"reading the {split} pictures"):
            splits[split] = load(rows[split], resident=resident, say=progress.say)
    return splits


def measure_for_task(
    config: ConfigDict, info: Info, train: data.Split | data.Stream
) -> dict[str, Any]:
    """The options of the task that had to be measured on the training pictures."""
    asked = options(config.task)
    examples = (train.example(i) for i in range(len(train)))
    found = tasks.settle(info=info, examples=examples, **asked)
    return {k: v for k, v in found.items() if asked.get(k) != v}


def settled_task(config: ConfigDict, info: Info, measured: dict[str, Any]) -> Task:
    """The task, completed by what was measured for it."""
    return tasks.make_task(info=info, **options(config.task) | measured)


def show_examples(task: Task, split: data.Split | data.Stream, workdir: Path) -> None:
    """pictures/000000-train.png: some examples as the task understands them, to be
    looked at before anything is learnt from them."""
    examples = [split.example(i) for i in range(min(_SHOWN, len(split)))]
    strips = [task.draw(e["image"], e) for e in examples]
    write_picture(workdir / "pictures", 0, "train", np.concatenate(strips))
