"""Every pixel a class, and every pixel of a thing an object: semantic and instance."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from segjax.base import Info, Task
from segjax.tasks import _objects, semantic
from segjax.tasks._centers import with_objects
from segjax.tasks._objects import OBJECTS, kinds_of


def make_task(
    info: Info,
    *,
    cross_entropy: float = 1.0,
    dice: float = 1.0,
    focal: float = 0.0,
    class_weights: tuple[float, ...] | str | None = None,
    center: float = 1.0,
    offset: float = 1.0,
    objects: int = OBJECTS,
    apart: float = 0.02,
    least: float = 0.3,
) -> Task:
    """All classes of the data, and the objects of info.things.

    cross_entropy, dice, focal, class_weights: as of task 'semantic'; center, offset:
    weights of the two other terms; objects: most in a picture; apart: least distance of
    two middles, a share of the longer side; least: heat that is a middle, from 0 to 1.
    """
    every = semantic.make_task(
        info,
        cross_entropy=cross_entropy,
        dice=dice,
        focal=focal,
        class_weights=class_weights,
    )
    return with_objects(
        info,
        every,
        kinds_of(info, "panoptic", stuff=True),
        center=center,
        offset=offset,
        slots=objects,
        apart=apart,
        least=least,
    )


def settle(
    info: Info, examples: Iterable[dict[str, np.ndarray]], **config
) -> dict[str, Any]:
    """The class weights that are to be measured; or a Mistake where objects find no
    room."""
    return _objects.settle(info, examples, config.get("objects", OBJECTS), **config)
