"""Called people held against the true ones of a picture: who is whose, by COCO's rules
for key points (cocodataset.org/#keypoints-eval), and which joints are near enough to
the true ones (PCK, by the torso: Sapp and Taskar, CVPR 2013; by the head: Andriluka et
al., CVPR 2014)."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from segjax.base import VOID
from segjax.tasks._quality import THRESHOLDS

Pairs = tuple[tuple[int, int], ...]  # of joints
RANGES = {"all": (0, math.inf), "medium": (32**2, 96**2), "large": (96**2, math.inf)}
CALLED = 20  # people of a picture, those of the highest scores
SHARES = (0.1, 0.2, 0.5)  # of a torso, a torso, a head: so near is right
_OF_BOX = 0.53  # of the box of its joints is a person's area
_SLIMMEST = 1 / 3  # of a person's box, a side by the other: joints may lie on a line
_ROUNDING = 1e-7  # of an OKS in 32 bits: a match of exactly .75 is at least .75


class _True(NamedTuple):
    """The people of a picture, rows of nobody, and last the crowd, if there is one.
    Boxes are of those to be ignored."""

    places: Array  # f32[p,j,2]
    labelled: Array  # bool[p,j]
    area: Array  # f32[p]
    counts: Array  # bool[p] some joint is labelled, and the area is known
    ignored: Array  # bool[p] there, and no joint is
    low: Array  # f32[p,2] the box grown by its own size on each side
    high: Array  # f32[p,2]


class _Called(NamedTuple):
    """Those who were called, the highest score first, then the empty slots."""

    places: Array  # f32[k,j,2]
    found: Array  # bool[k,j]
    score: Array  # f32[k] -1 for nobody
    area: Array  # f32[k] of the box of its joints


def hold(
    prediction: dict,
    example: dict,
    sigmas: Sequence[float],
    torso: Pairs | None = None,
    head: Pairs | None = None,
) -> dict[str, Array]:
    """The row of one picture.

    torso, head: the pairs of joints between which they are measured; None where there
    are none. sigmas: of each joint, how far it may be off.

    score f32[m]: of the called people with the highest scores, -1 for nobody; fate
    i8[m,a,t]: what each of them is at each range of areas and each threshold of OKS, 1
    right, 0 wrong, -1 neither; there i32[a]: true people of each range that count;
    joints f32[j,3,2]: of each joint and each of SHARES how many are right, of how many;
    oks f32[2]: of each true person with the called one that is his, summed, and how
    many people; number i32[3]: people there, people called, and of those there how many
    more than there are slots.

    A joint not found is like none: 0 in OKS, and wrong. A person's area is the
    example's, or .53 of the box of the labelled joints where that says nothing, taken
    to be a third as wide as high, or as high as wide, at least.
    """
    true = _true_people(example)
    called = _called_people(prediction)
    alike = _alike(true, called, sigmas)
    within = (_within(true.area) & true.counts[:, None]).T
    fate = _fates(alike, within, true, called)
    own = _own(jnp.where((called.score[:, None] >= 0) & true.counts, alike, 0))
    oks = jnp.where(own >= 0, alike[own, jnp.arange(len(own))], 0)
    people = true.counts.sum()
    # at the lowest threshold, of all sizes: those that are right or wrong
    told = (fate[:, 0, 0] >= 0).sum()
    beyond = jnp.maximum(people - len(called.score), 0)
    return {
        "score": called.score[:CALLED],
        "fate": fate[:CALLED],
        "there": within.sum(1).astype(jnp.int32),
        "joints": _joints(true, called, own, torso, head),
        "oks": jnp.stack([oks.sum(), people.astype(jnp.float32)]),
        "number": jnp.stack([people, told, beyond]).astype(jnp.int32),
    }


def _true_people(example: dict) -> _True:
    # a row more than there are, the crowd's
    points = jnp.pad(jnp.asarray(example["keypoints"]), ((0, 1), (0, 0), (0, 0)))
    places, labelled = points[..., :2], points[..., 2] > 0
    sides = _box_sides(places, labelled)
    sides = jnp.maximum(sides, _SLIMMEST * sides.max(-1, keepdims=True))
    area = sides.prod(-1) * _OF_BOX
    if "area" in example:
        given = jnp.pad(jnp.asarray(example["area"]), (0, 1))
        area = jnp.where(given > 0, given, area)
    # whose joints are all in one place is of no size that is known
    counts = labelled.any(-1) & (area > 0)
    ignored = jnp.zeros(len(points), bool)
    low = high = jnp.zeros((len(points), 2))
    if "instance" in example:
        ids = jnp.asarray(example["instance"])
        crowd = ids < 0
        if "semantic" in example:
            crowd &= example["semantic"] != VOID  # as margins of padded pictures are
        area = area.at[-1].set(crowd.sum())
        ids = jnp.where(crowd, len(points), ids)
        low, high, shown = _boxes(ids, len(points))
        ignored = ~labelled.any(-1) & (area > 0) & shown
        low, high = 2 * low - high, 2 * high - low
    return _True(places, labelled, area, counts, ignored, low, high)


def _called_people(prediction: dict) -> _Called:
    score = jnp.asarray(prediction["score"])
    order = jnp.argsort(-score, stable=True)
    score, points = score[order], jnp.asarray(prediction["keypoints"])[order]
    places, found = points[..., :2], points[..., 2] > 0
    score = jnp.where(score >= 0, score, -1)
    return _Called(places, found, score, _box_sides(places, found).prod(-1))


def _alike(true: _True, called: _Called, sigmas: Sequence[float]) -> Array:
    """Object keypoint similarity, of labelled joints; with a person who has none, of
    how far all joints are out of the grown box. f32[k,p]"""
    off = called.places[:, None] - true.places
    under = true.low[:, None] - called.places[:, None]
    over = called.places[:, None] - true.high[:, None]
    out = jnp.maximum(under, 0) + jnp.maximum(over, 0)
    off = jnp.where(true.counts[:, None, None], off, out)
    spread = 2 * jnp.array(sigmas, jnp.float32)
    area = true.area + np.float32(np.spacing(1.0))  # so that 0 divides nothing
    error = jnp.square(off).sum(-1) / jnp.square(spread) / area[:, None] / 2
    asked = true.labelled | ~true.counts[:, None]
    near = jnp.where(asked & called.found[:, None], jnp.exp(-error), 0)
    return near.sum(-1) / asked.sum(-1, dtype=jnp.float32)


def _fates(alike: Array, within: Array, true: _True, called: _Called) -> Array:
    """Of each called person, range of areas and threshold: 1 right, 0 wrong, -1
    neither. In order of score each takes the true one most like it that is still free,
    as the crowd always is; one that is ignored only where none that counts is like it
    enough. i8[k,a,t]"""
    least = jnp.array(THRESHOLDS - _ROUNDING, jnp.float32)[:, None]
    people = jnp.arange(len(true.area))
    # no false alarm, where it is no match either
    excused = ~_within(called.area) | (called.score < 0)[:, None]

    def next_called(free, one):
        alike, score, excused = one
        fits = free & (alike >= least) & (score >= 0)
        right = fits & within[:, None]
        chosen = jnp.where(right.any(-1, keepdims=True), right, fits)
        # of equals the last, as in COCO's own loop
        strength = jnp.where(chosen, alike, -1)[..., ::-1]
        best = len(people) - 1 - jnp.argmax(strength, -1)
        free &= ~(chosen & (people == best[..., None])) | (people == len(people) - 1)
        aside = fits.any(-1) | excused[:, None]
        fate = jnp.where(right.any(-1), 1, jnp.where(aside, -1, 0))
        return free, fate.astype(jnp.int8)

    shape = (len(within), len(THRESHOLDS), len(people))
    free = jnp.broadcast_to(true.counts | true.ignored, shape)
    return lax.scan(next_called, free, (alike, called.score, excused))[1]


def _own(alike: Array) -> Array:
    """Of each true person the called one that is his: again and again the two that are
    most alike of those who are left; -1 where nobody is like him. i32[p]"""
    people = alike.shape[1]

    def nearest(left, _):
        who, whose = jnp.unravel_index(jnp.argmax(left), left.shape)
        met = jnp.where(left[who, whose] > 0, whose, people)
        return left.at[who].set(0).at[:, whose].set(0), (who, met)

    _, (who, met) = lax.scan(nearest, alike, length=min(alike.shape))
    return jnp.full(people, -1).at[met].set(who, mode="drop")


def _joints(
    true: _True, called: _Called, own: Array, torso: Pairs | None, head: Pairs | None
) -> Array:
    """Of each joint and each share how many are right, and how many are labelled of
    people who can be measured. f32[j,3,2]"""
    lengths = [_length(true, pairs or ()) for pairs in (torso, torso, head)]
    limit = jnp.stack(lengths, -1) * jnp.array(SHARES, jnp.float32)
    off = jnp.sqrt(jnp.square(called.places[own] - true.places).sum(-1))
    found = called.found[own] & (own >= 0)[:, None]
    asked = true.labelled[..., None] & (limit > 0)[:, None]
    right = asked & found[..., None] & (off[..., None] <= limit[:, None])
    return jnp.stack([right.sum(0), asked.sum(0)], -1).astype(jnp.float32)


def _length(true: _True, pairs: Pairs) -> Array:
    """The mean over those pairs that have both ends labelled; 0 for none. f32[p]"""
    total = known = jnp.zeros(len(true.area))
    for a, b in pairs:
        way = true.places[:, a] - true.places[:, b]
        both = true.labelled[:, a] & true.labelled[:, b]
        total += jnp.where(both, jnp.sqrt(jnp.square(way).sum(-1)), 0)
        known += both.astype(jnp.float32)
    return total / jnp.maximum(known, 1)


def _within(area: Array) -> Array:
    """In which ranges an area is, its ends included. f32[n] -> bool[n,a]"""
    least, most = np.array(list(RANGES.values()), np.float32).T
    return (area[:, None] >= least) & (area[:, None] <= most)


def _box_sides(places: Array, there: Array) -> Array:
    """Height and width of the box around those joints that are there. f32[n,j,2],
    bool[n,j] -> f32[n,2]"""
    low = jnp.where(there[..., None], places, jnp.inf).min(-2)
    high = jnp.where(there[..., None], places, -jnp.inf).max(-2)
    return jnp.where(there.any(-1, keepdims=True), high - low, 0)


def _boxes(instance: Array, count: int) -> tuple[Array, Array, Array]:
    """The box of each of the objects 1 to count, to its pixels' outer edges, and
    whether it has any. f32[count,2] x2, bool[count]"""
    number = jnp.where(instance > 0, instance - 1, count)  # count: left out
    low, high = [], []
    for axis, length in enumerate(instance.shape):
        place = jnp.expand_dims(jnp.arange(length), 1 - axis)
        held = jnp.zeros((count, length), bool).at[number, place].set(True, mode="drop")
        low.append(held.argmax(1) - 0.5)
        high.append(length - 0.5 - held[:, ::-1].argmax(1))
    return jnp.stack(low, -1), jnp.stack(high, -1), held.any(1)
