"""What all tasks that tell objects apart have in common: which classes have objects,
how many there may be, what a prediction of them is, how it is scored and drawn."""

import collections
import functools
import itertools
import math
from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from segjax.base import Info, Mistake
from segjax.tasks import _draw, semantic
from segjax.tasks._match import Kinds, match
from segjax.tasks._quality import quality_scores, remark

OBJECTS = 128  # most of a picture, unless said
MOST_OBJECTS = 4096
_LOOKED_AT = 1000  # pictures whose objects are counted beforehand


def scored_and_drawn(info: Info, kinds: Kinds, slots: int) -> dict:
    """What all tasks that tell objects apart have in common."""

    stuff = any(kinds.scored[c] > is_thing for c, is_thing in enumerate(kinds.things))

    def draw(image, prediction, truth=None):
        return _draw.object_strip(image, prediction, truth, info, stuff)

    return {
        "count": functools.partial(match, kinds=kinds, slots=slots),
        "score": lambda rows: quality_scores(rows, info, kinds),
        "draw": draw,
        "panels": "From left to right: the picture, the truth, the prediction, each"
        " object in a colour of its own, outlined in that of its class.",
        "remark": functools.partial(remark, slots=slots),
        "falling": ("count_error",),
        "ranges": {"count_error": (0, math.inf)},
    }


def objects_of(found: dict, ids, strength, kinds: Kinds) -> dict:
    """Objects made whole: each of the class that most of its pixels have, those without
    any pixel left out, the others numbered on. i32[h,w], f32[k]"""
    slots, count = len(strength), len(kinds.things)
    semantic = found["semantic"].astype(jnp.int32)
    is_thing = jnp.array(kinds.things)[semantic]
    ids = jnp.where(is_thing, ids, 0)
    held = jnp.bincount((ids * count + semantic).ravel(), length=(slots + 1) * count)
    held = held.reshape(slots + 1, count)[1:] * jnp.array(kinds.things)
    area = held.sum(1)
    number = jnp.where(area > 0, jnp.cumsum(area > 0), 0).astype(jnp.int32)
    sure = jax.ops.segment_sum(
        found["probability"].max(-1).ravel(), ids.ravel(), num_segments=slots + 1
    )[1:] / jnp.maximum(area, 1)
    empty = jnp.full(slots + 1, -1.0)
    score = empty.at[number].set(jnp.where(area > 0, strength * sure, -1))[1:]
    of_object = held.argmax(1)[jnp.clip(ids, 1) - 1]
    return {
        "semantic": jnp.where(ids > 0, of_object, semantic).astype(jnp.uint8),
        "instance": jnp.append(0, number)[ids],
        "score": score,
    }


def settle(
    info: Info, examples: Iterable[dict[str, np.ndarray]], slots: int, **config
) -> dict[str, Any]:
    """Class weights that are to be measured, as task 'semantic' does; a Mistake where a
    training picture has more objects than there are slots."""
    counts: list[int] = []

    def counted():
        for example in itertools.islice(examples, _LOOKED_AT):
            counts.append(int(example["instance"].max(initial=0)))
            yield example

    looked_at = counted()
    found = semantic.settle(info, looked_at, **config)
    collections.deque(looked_at, maxlen=0)  # what the weights did not ask for
    most = max(counts, default=0)
    if most > slots:
        raise Mistake(
            f"A training picture has {most} objects, and task.objects is {slots}:"
            f" --config.task.objects={most} or more makes room for them."
        )
    return found


def kinds_of(info: Info, task: str, stuff: bool = False) -> Kinds:
    """Which classes have objects. stuff: the others are scored as well, or else class 0
    is what has none."""
    if not info.things:
        raise Mistake(
            f"Task {task!r} needs classes whose objects are told apart; the data names"
            " none. For a folder of masks that number objects: --config.data.objects="
            "true."
        )
    things = tuple(name in info.things for name in info.classes)
    if things[0] and not stuff:
        raise Mistake(
            f"Task {task!r} calls all that is no object class 0; of this data that is"
            f" {info.classes[0]!r}, which has objects. Task 'panoptic' has a class for"
            " everything; of coco, --config.data.form=instances has a background."
        )
    return Kinds(things, (True,) * len(things) if stuff else things)
