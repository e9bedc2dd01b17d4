"""The compiled programs of trainings: those that differ in seed and fold share them."""

import functools
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from segjax import parallel, run
from segjax.step import create_state, make_eval_step, make_train_step


def creation(config: ConfigDict, parts: run.Parts) -> Callable:
    """create(seed) -> the state before the first step."""
    return functools.partial(
        create_state, parts.model, parts.optimizer, size=config.data.size
    )


class Compiled(NamedTuple):
    """Compiled when first called, and then at hand."""

    create: Callable  # seed u32[] -> the state before the first step
    train_step: Callable
    eval_step: Callable


class Programs:
    """Programs by what they are made of. Seed and fold are arguments of them."""

    def __init__(self, on_devices: Callable = parallel.train_on_devices):
        """on_devices: what makes a program of the per-device training step."""
        self._on_devices = on_devices
        self._made: dict[str, Compiled] = {}

    def __len__(self) -> int:
        return len(self._made)

    def of(self, config: ConfigDict, settled: Any, parts: run.Parts) -> Compiled:
        """Those of a run. settled: what was measured for it besides its config."""
        plain = run.plain(config)
        for section, option in (("", "seed"), ("data", "fold"), ("", "log")):
            (plain.get(section, {}) if section else plain).pop(option, None)
        key = json.dumps([plain, settled], sort_keys=True)
        if key not in self._made:
            step = make_train_step(
                parts.model, parts.task, parts.optimizer, parts.augment
            )
            self._made[key] = Compiled(
                parallel.compiled_quickly(creation(config, parts)),
                self._on_devices(step),
                parallel.evaluate_on_devices(make_eval_step(parts.model, parts.task)),
            )
        return self._made[key]
