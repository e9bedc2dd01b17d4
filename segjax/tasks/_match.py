"""Predicted objects held against the true ones of a picture: who matches whom, and what
is left. After panoptic segmentation's own rules (arXiv 1801.00868): a match is more
than half of the union of both, so there is at most one."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from segjax.base import VOID

_NUMBERS = 1 << 16  # objects that a picture's numbers can tell


class Kinds(NamedTuple):
    """What is held against what: of each class, whether its objects are told apart,
    and whether it is scored at all."""

    things: tuple[bool, ...]
    scored: tuple[bool, ...]


class _Shared(NamedTuple):
    """Pixels that true and called segments share; n of each, objects first."""

    inside: Array  # f32[n,n] in both
    true: Array  # f32[n]
    called: Array  # f32[n] but for those where the truth is void
    aside: Array  # f32[n] the share of a called one on void or a crowd of its class


def match(
    prediction: dict, example: dict, kinds: Kinds, slots: int
) -> dict[str, Array]:
    """The row of one picture.

    quality f32[c,4]: of each class the IoU of matches summed, matches, what was called
    and is not there, what is there and was not found; found f32[k,3]: of each predicted
    object its score (-1 for no object, or one that does not count), IoU with its match
    (0 for none), class; overlap f32[2]: aggregated Jaccard's intersection and union;
    number i32[4]: objects there are, objects called, whether slots were full, whether
    any pixel counts.
    """
    true, called = (
        _segments(one["semantic"], one["instance"], kinds, slots)
        for one in (example, prediction)
    )
    kind = _kind_of_each(example["semantic"], true, kinds, slots)
    called_kind = _kind_of_each(prediction["semantic"], called, kinds, slots)
    shared = _shared(true, called, called_kind, kinds, slots)
    best = _matches(shared, kind, called_kind)
    found, met = (best > 0).any(1), (best > 0).any(0)
    is_there, is_called = kind >= 0, called_kind >= 0
    counts = is_called & (met | (shared.aside <= 0.5))
    beyond = _beyond(example, kinds, slots)

    def by_kind(values, which):
        one_hot = jax.nn.one_hot(which, len(kinds.things))  # nothing where it is -1
        return values.astype(jnp.float32) @ one_hot

    quality = jnp.stack(
        [
            by_kind(best.sum(1), kind),
            by_kind(found, kind),
            by_kind(counts & ~met, called_kind),
            by_kind(is_there & ~found, kind) + beyond,
        ],
        -1,
    )
    things = slice(0, slots)
    score = jnp.where(counts[things], prediction["score"], -1)
    ids, semantic = example["instance"], example["semantic"]
    over, under = _jaccard(
        shared.inside[things, things],
        shared.true[things],
        shared.called[things],
        counts[things],
    )
    number = [
        is_there[things].sum() + beyond.sum(),
        counts[things].sum(),
        prediction["full"] | (beyond.sum() > 0),
        ((ids >= 0) & (semantic != VOID)).any(),
    ]
    return {
        "quality": quality,
        "found": jnp.stack([score, best.max(0)[things], called_kind[things]], -1),
        "overlap": jnp.stack([over, under + (ids > slots).sum()]),
        "number": jnp.stack([jnp.asarray(n, jnp.int32) for n in number]),
    }


def _shared(
    true: Array, called: Array, called_kind: Array, kinds: Kinds, slots: int
) -> _Shared:
    classes = len(kinds.things)
    count = 1 + slots + 2 * classes
    both = jnp.bincount((true * count + called).ravel(), length=count * count)
    both = both.reshape(count, count).astype(jnp.float32)
    body, crowds = _body(kinds, slots), slice(1 + slots + classes, None)
    area, void = both.sum(0)[body], both[0, body]
    own = jnp.clip(called_kind, 0)[None]
    of_crowd = jnp.take_along_axis(both[crowds, body], own, axis=0)[0]
    return _Shared(
        inside=both[body, body],
        true=both.sum(1)[body],
        called=area - void,
        aside=(void + of_crowd) / jnp.maximum(area, 1),
    )


def _matches(shared: _Shared, kind: Array, called_kind: Array) -> Array:
    """The IoU of true and called segments that match, 0 elsewhere. f32[n,n]"""
    union = shared.true[:, None] + shared.called[None] - shared.inside
    iou = jnp.where(shared.inside > 0, shared.inside / jnp.maximum(union, 1), 0)
    same = (kind[:, None] == called_kind[None]) & (kind >= 0)[:, None]
    return jnp.where(same & (iou > 0.5), iou, 0)


def _beyond(example: dict, kinds: Kinds, slots: int) -> Array:
    """Of each class, how many true objects no slot is left for. f32[c]"""
    ids, semantic = example["instance"], example["semantic"].astype(jnp.int32)
    classes = len(kinds.things)
    number = jnp.where((ids > slots) & (semantic < classes), ids, _NUMBERS)
    kind = jnp.full(_NUMBERS, classes).at[number].set(semantic, mode="drop")
    return jnp.bincount(kind.ravel(), length=classes + 1)[:-1] * jnp.array(kinds.scored)


def _jaccard(
    inside: Array, true: Array, called: Array, counts: Array
) -> tuple[Array, Array]:
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
    return over, under + jnp.where(counts & ~chosen, called, 0).sum()


def _body(kinds: Kinds, slots: int) -> slice:
    """The segments that can match: neither void nor crowd."""
    return slice(1, 1 + slots + len(kinds.things))


def _segments(semantic: Array, instance: Array, kinds: Kinds, slots: int) -> Array:
    """0 what does not count, and objects that no slot is left for; 1..k objects, then a
    segment for each class, then one for the crowd of each class. i32[h,w]"""
    classes = len(kinds.things)
    semantic = semantic.astype(jnp.int32)
    inside = jnp.clip(semantic, 0, classes - 1)
    is_thing = jnp.array(kinds.things)[inside]
    alone = jnp.where(instance <= slots, instance, 0)
    of_class = 1 + slots + inside + jnp.where(is_thing, classes, 0)
    found = jnp.where(is_thing & (instance > 0), alone, of_class)
    return jnp.where((semantic == VOID) | (~is_thing & (instance < 0)), 0, found)


def _kind_of_each(semantic: Array, segments: Array, kinds: Kinds, slots: int) -> Array:
    """The class of each segment that can match and is scored, -1 of others and of those
    that are not there. i32[n]"""
    classes = len(kinds.things)
    count = 1 + slots + 2 * classes
    kind = (
        jnp.full(count, -1).at[segments.ravel()].set(semantic.ravel().astype(jnp.int32))
    )
    kind = kind[_body(kinds, slots)]
    scored = jnp.array(kinds.scored)[jnp.clip(kind, 0, classes - 1)]
    return jnp.where((kind >= 0) & (kind < classes) & scored, kind, -1)
