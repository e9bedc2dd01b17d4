"""Predicted objects held against the true ones of a picture: who matches whom, and what
is left. After panoptic segmentation's own rules (arXiv 1801.00868): a match is more
than half of the union of both, so there is at most one."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from segjax.base import VOID


class Kinds(NamedTuple):
    """What is held against what: of each class, whether its objects are told apart,
    and whether it is scored at all."""

    things: tuple[bool, ...]
    scored: tuple[bool, ...]


def match(
    prediction: dict, example: dict, kinds: Kinds, slots: int
) -> dict[str, Array]:
    """The row of one picture.

    quality f32[c,4]: of each class the IoU of matches summed, matches, what was called
    and is not there, what is there and was not found; found f32[k,3]: of each predicted
    object its score (-1 for no object, or one that does not count), IoU with its match
    (0 for none), class; overlap f32[2]: aggregated Jaccard's intersection and union;
    number i32[3]: objects there are, objects called, slots.
    """
    classes = len(kinds.things)
    true = _segments(example["semantic"], example["instance"], kinds, slots)
    called = _segments(prediction["semantic"], prediction["instance"], kinds, slots)
    count = 1 + slots + 2 * classes
    both = jnp.bincount((true * count + called).ravel(), length=count * count)
    both = both.reshape(count, count).astype(jnp.float32)
    true_area, area, void = both.sum(1), both.sum(0), both[0]
    kind = _kind_of_each(example["semantic"], true, kinds, slots)
    called_kind = _kind_of_each(prediction["semantic"], called, kinds, slots)

    body = slice(1, 1 + slots + classes)  # neither void nor crowd
    inside, of_true, of_called = both[body, body], true_area[body], area[body]
    kind, called_kind = kind[body], called_kind[body]
    union = of_true[:, None] + (of_called - void[body])[None] - inside
    iou = jnp.where(inside > 0, inside / jnp.maximum(union, 1), 0)
    same = (kind[:, None] == called_kind[None]) & (kind >= 0)[:, None]
    matches = same & (iou > 0.5)

    crowd = both[1 + slots + classes :, body]  # [c, segments]
    of_crowd = jnp.take_along_axis(crowd, jnp.clip(called_kind, 0)[None], axis=0)[0]
    # mostly over what does not count: neither right nor wrong
    ignored = (void[body] + of_crowd) / jnp.maximum(of_called, 1) > 0.5
    found, met = matches.any(1), matches.any(0)
    is_there, is_called = kind >= 0, (called_kind >= 0)
    wrong = is_called & ~met & ~ignored
    best = jnp.where(matches, iou, 0)

    def by_kind(values, which):
        one_hot = jax.nn.one_hot(which, classes)  # nothing where it is -1
        return values.astype(jnp.float32) @ one_hot

    quality = jnp.stack(
        [
            by_kind(best.sum(1), kind),
            by_kind(found, kind),
            by_kind(wrong, called_kind),
            by_kind(is_there & ~found, kind),
        ],
        -1,
    )
    things = slice(0, slots)
    counts = (is_called & (met | ~ignored))[things]
    score = jnp.where(counts, prediction["score"], -1)
    return {
        "quality": quality,
        "found": jnp.stack([score, best.max(0)[things], called_kind[things]], -1),
        "overlap": _jaccard(
            inside[things, things],
            of_true[things],
            (of_called - void[body])[things],
            counts,
        ),
        "number": jnp.stack([is_there[things].sum(), counts.sum(), slots]).astype(
            jnp.int32
        ),
    }


def _jaccard(inside: Array, true: Array, called: Array, counts: Array) -> Array:
    """Each true object with the called one that overlaps it best; all that no object
    chose is added to the union."""
    inside = jnp.where(counts[None], inside, 0)
    union = true[:, None] + called[None] - inside
    iou = jnp.where(inside > 0, inside / jnp.maximum(union, 1), 0)
    best, there = iou.argmax(1), true > 0
    rows = jnp.arange(len(true))
    hit = there & (iou[rows, best] > 0)
    chosen = (
        jnp.zeros(len(called), bool)
        .at[jnp.where(hit, best, len(called))]
        .set(True, mode="drop")
    )
    over = jnp.where(hit, inside[rows, best], 0).sum()
    under = jnp.where(hit, union[rows, best], true).sum()
    return jnp.stack([over, under + jnp.where(counts & ~chosen, called, 0).sum()])


def _segments(semantic: Array, instance: Array, kinds: Kinds, slots: int) -> Array:
    """0 what does not count, 1..k objects, then a segment for each class, then one for
    the crowd of each class. i32[h,w]"""
    classes = len(kinds.things)
    semantic = semantic.astype(jnp.int32)
    inside = jnp.clip(semantic, 0, classes - 1)
    is_thing = jnp.array(kinds.things)[inside]
    alone = jnp.clip(instance, 0, slots)
    of_class = 1 + slots + inside + jnp.where(is_thing, classes, 0)
    found = jnp.where(is_thing & (instance > 0), alone, of_class)
    return jnp.where((semantic == VOID) | (~is_thing & (instance < 0)), 0, found)


def _kind_of_each(semantic: Array, segments: Array, kinds: Kinds, slots: int) -> Array:
    """The class of each segment that is scored, -1 of others and of those that are not
    there. i32[segments]"""
    classes = len(kinds.things)
    count = 1 + slots + 2 * classes
    kind = (
        jnp.full(count, -1).at[segments.ravel()].set(semantic.ravel().astype(jnp.int32))
    )
    scored = jnp.array(kinds.scored)[jnp.clip(kind, 0, classes - 1)]
    return jnp.where((kind >= 0) & (kind < classes) & scored, kind, -1)
