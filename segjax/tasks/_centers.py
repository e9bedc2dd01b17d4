"""Objects by their middles, on top of a class for every pixel: heat where an object's
middle is, and from each of its pixels the way there (Panoptic-DeepLab, arXiv
1911.10194). `instance` and `panoptic` are this with other classes."""

import jax
import jax.numpy as jnp

from segjax.base import Info, Task, check_range
from segjax.ops import losses, objects
from segjax.tasks._match import Kinds
from segjax.tasks._objects import MOST_OBJECTS, objects_of, scored_and_drawn

RARE = -4.6  # added to the heat's logits: a fresh network says 1 %, not a half, or its
#              first losses, some hundreds a peak, drown all other terms
_STRIDE = 8.0  # pixels of a way that a network's 1 means
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


def window(shape: tuple[int, ...], apart: float) -> int:
    """Pixels across within which there is one middle; at least the neighbours."""
    return 2 * max(1, round(apart * max(shape[:2]))) + 1


def reach(shape: tuple[int, ...]) -> int:
    """Pixels as far as heat goes about a middle: more in large pictures."""
    return max(6, 3 * max(shape[:2]) // 128)
