"""Objects by their middles, on top of a class for every pixel: heat where an object's
middle is, and from each of its pixels the way there (Panoptic-DeepLab, arXiv
1911.10194). `instance` and `panoptic` are this with other classes."""

import collections
import functools
import itertools
import math
from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from segjax.base import Info, Mistake, Task, check_range
from segjax.ops import losses, objects
from segjax.tasks import _draw, semantic
from segjax.tasks._match import Kinds, match
from segjax.tasks._quality import quality_scores, remark

RARE = -4.6  # added to the heat's logits: a fresh network says 1 %, not a half, or its
#              first losses, some hundreds a peak, drown all other terms
OBJECTS = 128  # most of a picture, unless said
MOST_OBJECTS = 4096
_STRIDE = 8.0  # pixels of a way that a network's 1 means
_LOOKED_AT = 1000  # pictures whose objects are counted beforehand
_SMALL = 4.0  # pixels across: smaller objects weigh no more in the ways' loss


def with_objects(
    info: Info,
    classes: Task,
    kinds: Kinds,
    *,
    center: float,
    offset: float,
    slots: int,
    apart: float,
    least: float,
) -> Task:
    """A semantic task that tells objects apart too.

    classes: which class each pixel has; kinds: which of the data's classes have
    objects. center, offset: weights of the terms; slots: most objects of a picture;
    apart: the least distance of two middles, as a share of the picture's longer side;
    least: heat that is an object.
    """
    check_range("task.center", center, 0)
    check_range("task.offset", offset, 0)
    check_range("task.objects", slots, 1, MOST_OBJECTS)
    check_range("task.apart", apart, 0, 0.5)
    check_range("task.least", least, 0, 1)

    def encode(example):
        ids = example["instance"]
        counts = losses.counted(example["semantic"]) * (ids >= 0)
        area, middle = objects.places(ids, slots)
        across = jnp.sqrt(jnp.maximum(area, _SMALL**2))[jnp.clip(ids, 1, slots) - 1]
        return {
            "classes": classes.encode(example),
            "heat": objects.heat(area, middle, ids.shape, reach(ids.shape)),
            "counts": counts,
            "way": objects.ways(ids, middle) / _STRIDE,
            # an error is as bad as the object is small
            "on": counts * ((ids > 0) & (ids <= slots)) / across,
        }

    def loss(outputs, targets):
        sums = dict(classes.loss(outputs, targets["classes"]))
        if center:
            logits = outputs["center"][..., 0] + RARE
            peak, n = losses.peak_focal(logits, targets["heat"], targets["counts"])
            sums["center"] = center * peak, n
        if offset:
            away = jnp.abs(outputs["offset"] - targets["way"]).sum(-1)
            on = targets["on"]
            sums["offset"] = offset * jnp.where(on > 0, away * on, 0).sum(), on.sum()
        return sums

    def decode(outputs):
        """{"semantic": u8[h,w], "probability": f32[h,w,c], "instance": i32[h,w],
        "score": f32[k], -1 of slots that hold no object, "full": bool, of the slots}"""
        found = classes.decode(outputs)
        heat = outputs["center"][..., 0] + RARE
        height, at = objects.peaks(heat, window(heat.shape, apart), slots)
        strength = jax.nn.sigmoid(height)
        ids = objects.nearest(outputs["offset"] * _STRIDE, at, strength > least)
        full = {"full": strength[-1] > least}
        return found | objects_of(found, ids, strength, kinds) | full

    return Task(
        needs=("image", "semantic", "instance"),
        heads={**classes.heads, "center": 1, "offset": 2},
        encode=encode,
        loss=loss,
        decode=decode,
        vectors=("offset",),
        **scored_and_drawn(info, kinds, slots),
    )


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


def window(shape: tuple[int, ...], apart: float) -> int:
    """Pixels across within which there is one middle; at least the neighbours."""
    return 2 * max(1, round(apart * max(shape[:2]))) + 1


def reach(shape: tuple[int, ...]) -> int:
    """Pixels as far as heat goes about a middle: more in large pictures."""
    return max(6, 3 * max(shape[:2]) // 128)


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
