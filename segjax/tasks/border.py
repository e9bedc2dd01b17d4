"""Objects that touch by the hundreds: inside, border, outside; each inside that hangs
together is an object, grown back over its border."""

from collections.abc import Iterable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from segjax.base import VOID, Info, Mistake, Task, check_range
from segjax.ops.components import components, grown
from segjax.tasks import _objects, semantic
from segjax.tasks._objects import (
    MOST_OBJECTS,
    kinds_of,
    objects_of,
    scored_and_drawn,
)

OBJECTS = 512  # most of a picture, unless said
_OUTSIDE, _INSIDE, _BORDER = 0, 1, 2


def make_task(
    info: Info,
    *,
    cross_entropy: float = 1.0,
    dice: float = 1.0,
    border: float = 2.0,
    objects: int = OBJECTS,
    grow: float = 0.02,
    rim: bool = True,
) -> Task:
    """The objects of the one class in info.things.

    cross_entropy, dice: as of task 'semantic'; border: how much more a border pixel
    weighs in cross-entropy; objects: most in a picture, the largest; grow: how far an
    object may reach over its border, a share of the longer side; rim: without it the
    parts of a plain mask are the objects, to compare with.
    """
    kinds = kinds_of(info, "border")
    if sum(kinds.things) != 1:
        raise Mistake(
            f"Task 'border' tells the objects of one class apart; the data has"
            f" {', '.join(info.things)}. Task 'instance' takes several."
        )
    check_range("task.border", border, 0)
    check_range("task.objects", objects, 1, MOST_OBJECTS)
    check_range("task.grow", grow, 0, 0.5)
    thing = kinds.things.index(True)
    parts_of = ("outside", "inside", "border")[: 3 if rim else 2]
    of_parts = semantic.make_task(
        Info(parts_of),
        cross_entropy=cross_entropy,
        dice=dice,
        class_weights=(1.0, 1.0, border)[: len(parts_of)],
    )

    def encode(example):
        return of_parts.encode({"semantic": _parts(example, rim)})

    def decode(outputs):
        """{"semantic": u8[h,w], "probability": f32[h,w,2], "instance": i32[h,w],
        "score": f32[k], -1 of slots that hold no object, "full": bool, of the slots}"""
        found = of_parts.decode(outputs)
        parts = found["semantic"]
        ids, count = components(parts == _INSIDE, objects)
        # two at the least: by the sides, a rim's corner is that far from the inside
        most = max(2, round(grow * max(parts.shape)))
        ids = grown(ids, parts != _OUTSIDE, most)
        outside = found["probability"][..., _OUTSIDE]
        both = {
            "semantic": jnp.where(ids > 0, thing, 0).astype(jnp.uint8),
            "probability": jnp.zeros((*parts.shape, len(info.classes)))
            .at[..., 0]
            .set(outside)
            .at[..., thing]
            .set(1 - outside),
        }
        full = {"full": count >= objects}
        return both | objects_of(both, ids, jnp.ones(objects), kinds) | full

    return Task(
        needs=("image", "semantic", "instance"),
        heads=of_parts.heads,
        encode=encode,
        loss=of_parts.loss,
        decode=decode,
        **scored_and_drawn(info, kinds, objects),
    )


def _parts(example, rim: bool) -> Array:
    """Of each pixel: outside, inside, or (if wanted) an object's own rim. u8[h,w]"""
    ids = example["instance"]
    framed = jnp.pad(ids, 1, mode="edge")
    sides = framed[:-2, 1:-1], framed[2:, 1:-1], framed[1:-1, :-2], framed[1:-1, 2:]
    is_rim = rim & jnp.stack([(side != ids) & (side >= 0) for side in sides]).any(0)
    parts = jnp.where(ids > 0, jnp.where(is_rim, _BORDER, _INSIDE), _OUTSIDE)
    return jnp.where((ids < 0) | (example["semantic"] == VOID), VOID, parts).astype(
        jnp.uint8
    )


def settle(
    info: Info, examples: Iterable[dict[str, np.ndarray]], **config
) -> dict[str, Any]:
    """The options as they are, or a Mistake where objects find no room."""
    return _objects.settle(info, examples, config.get("objects", OBJECTS), **config)
