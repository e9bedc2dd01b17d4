"""Skeletons as maps, and back: heat where a joint is, and along each limb a field of
ways from one of its joints to the other (part affinity, arXiv 1812.08008).

Points are f32[p,j,3], y, x and whether they are there (above 0), in the maps' pixels;
limbs are pairs of joints."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import Array, lax

from segjax.ops.objects import peaks

Limbs = Sequence[tuple[int, int]]
_SAMPLES = 10  # places of a limb where its field is read
_WITH_IT = 0.8  # share of them that must go the limb's way
_LEAST = 0.05  # how much of a way that is, and how strong a limb of less than a pixel
_FAINT = 1e-6


def heat(points: Array, shape: tuple[int, int], sigma: float) -> Array:
    """1 where a joint is, falling off about it as a bell; of several people the
    highest. f32[h,w,j]"""
    y, x = (jnp.arange(n, dtype=jnp.float32) for n in shape)

    def with_person(held, person):
        py, px, there = person.T
        down = jnp.exp(-jnp.square(y[:, None] - py) / (2 * sigma**2))
        across = jnp.exp(-jnp.square(x[:, None] - px) / (2 * sigma**2))
        bell = down[:, None] * across[None] * (there > 0)
        return jnp.maximum(held, bell), None

    none = jnp.zeros((*shape, points.shape[1]))
    return lax.scan(with_person, none, points)[0]


def fields(
    points: Array, limbs: Limbs, shape: tuple[int, int], width: float
) -> tuple[Array, Array]:
    """The unit way along each limb on the pixels within `width` of it, 0 elsewhere, the
    mean of those people that have it there; and how many have. f32[h,w,l,2],
    f32[h,w,l]"""
    start, end = (jnp.array([limb[k] for limb in limbs]) for k in (0, 1))
    grid = jnp.stack(
        jnp.meshgrid(*(jnp.arange(n, dtype=jnp.float32) for n in shape), indexing="ij"),
        -1,
    )[:, :, None]

    def with_person(held, person):
        ways, many = held
        a, b = person[start], person[end]
        length, way = _length_and_way(a[:, :2], b[:, :2])
        from_a = grid - a[:, :2]
        along = (from_a * way).sum(-1)
        beside = jnp.abs(from_a[..., 0] * way[:, 1] - from_a[..., 1] * way[:, 0])
        on = (along >= -width) & (along <= length + width) & (beside <= width)
        on &= (a[:, 2] > 0) & (b[:, 2] > 0) & (length > 0)  # a dot goes no way
        return (ways + jnp.where(on[..., None], way, 0), many + on), None

    count = len(limbs)
    none = jnp.zeros((*shape, count, 2)), jnp.zeros((*shape, count))
    ways, many = lax.scan(with_person, none, points)[0]
    return ways / jnp.maximum(many, 1)[..., None], many


def joint_peaks(heat_map: Array, window: int, slots: int) -> Array:
    """The highest places of each joint's heat, read between the pixels: y, x and the
    heat, which is 0 where there are no more. f32[h,w,j] -> f32[j,k,3]"""

    def of_joint(one):
        height, at = peaks(one, window, slots)
        there = height > 0
        finer = at + _beside(one, at) * there[:, None]
        return jnp.append(finer, jnp.where(there, height, 0)[:, None], axis=1)

    return jax.vmap(of_joint, in_axes=-1)(heat_map)


def _beside(one: Array, at: Array) -> Array:
    """How far the top of a bell is from its highest pixel: exact for a bell, which is
    a parabola by its logarithm. f32[h,w], f32[k,2] -> f32[k,2]"""
    height = jnp.log(jnp.maximum(one, _FAINT))
    height = _bordered(_bordered(height).T).T
    y, x = at.astype(jnp.int32).T + 1
    here = height[y, x]
    moves = []
    for less, more in (
        (height[y - 1, x], height[y + 1, x]),
        (height[y, x - 1], height[y, x + 1]),
    ):
        bend = less - 2 * here + more
        moves.append(jnp.where(bend < 0, (less - more) / (2 * bend), 0))
    return jnp.clip(jnp.stack(moves, -1), -0.5, 0.5)


def _bordered(rows: Array) -> Array:
    """A row more at either end, on the parabola of the three before it."""
    first = 3 * rows[0] - 3 * rows[1] + rows[2]
    last = 3 * rows[-1] - 3 * rows[-2] + rows[-3]
    return jnp.concatenate([first[None], rows, last[None]])


def limb_strengths(field: Array, start: Array, end: Array) -> Array:
    """How well the field leads from each start to each end: the mean along the straight
    line, 0 where most of it does not lead there, less for those farther apart than half
    the picture is high. Less than a pixel leads nowhere: such a pair has the least
    strength. f32[h,w,2], f32[k,3], f32[m,3] -> f32[k,m]"""
    h, w = field.shape[:2]
    a, b = start[:, None, :2], end[None, :, :2]
    length, way = _length_and_way(a, b)
    share = jnp.linspace(0, 1, _SAMPLES)[:, None]
    places = a[..., None, :] * (1 - share) + b[..., None, :] * share
    y, x = jnp.moveaxis(jnp.round(places).astype(jnp.int32), -1, 0)
    read = field[jnp.clip(y, 0, h - 1), jnp.clip(x, 0, w - 1)]
    along = (read * way[..., None, :]).sum(-1)
    far = jnp.minimum(0.5 * h / jnp.maximum(length, 1) - 1, 0)
    leads = (along > _LEAST).mean(-1) >= _WITH_IT
    there = (start[:, None, 2] > 0) & (end[None, :, 2] > 0)
    strength = jnp.where(leads, jnp.maximum(along.mean(-1) + far, 0), 0)
    strength = jnp.where(length < 1, jnp.maximum(strength, _LEAST), strength)
    return jnp.where(there, strength, 0)


def pair(strengths: Array) -> tuple[Array, Array]:
    """Starts and ends paired one to one, the strongest pair first: for each start its
    end (m for none) and the strength. f32[k,m] -> i32[k], f32[k]"""
    k, m = strengths.shape

    def take_best(_, held):
        left, mate, strength = held
        start, end = jnp.divmod(left.argmax(), m)
        best = left[start, end]
        row = jnp.where(best > 0, start, k)  # beyond: dropped
        mate = mate.at[row].set(end.astype(jnp.int32), mode="drop")
        strength = strength.at[row].set(best, mode="drop")
        left = left.at[row].set(0, mode="drop")
        left = left.at[:, jnp.where(best > 0, end, m)].set(0, mode="drop")
        return left, mate, strength

    none = strengths, jnp.full(k, m, jnp.int32), jnp.zeros(k)
    return lax.fori_loop(0, min(k, m), take_best, none)[1:]


def join(found: Array, field: Array, limbs: Limbs, least: int) -> tuple[Array, Array]:
    """The people that the fields make of joints, the surest first: y, x and heat of
    each joint (0 where it was not found), and how sure each person is, -1 for none.

    found: the peaks of each joint, f32[j,k,3]; field: f32[h,w,l,2]; least: joints that
    make a person. -> f32[k,j,3], f32[k]
    """
    joints, slots = found.shape[:2]
    start, end = (jnp.array([limb[n] for limb in limbs]) for n in (0, 1))
    strengths = jax.vmap(limb_strengths, in_axes=(2, 0, 0))(
        field, found[start], found[end]
    )
    mates, sure = jax.vmap(pair)(strengths)
    owner = _owners(mates, sure, start, end, joints)
    there = found[..., 2] > 0
    none = jnp.zeros(joints * slots)
    heat_of = none.at[owner].add(jnp.where(there, found[..., 2], 0))
    # of the limbs that did join: some would have given a person a joint twice
    other = jnp.take_along_axis(owner[end], jnp.minimum(mates, slots - 1), 1)
    sure_of = none.at[owner[start]].add(jnp.where(owner[start] == other, sure, 0))
    many = none.at[owner].add(there)
    score = heat_of / joints + sure_of / len(limbs)
    best, who = lax.top_k(jnp.where(many >= least, score / 2, -1), slots)
    place = jnp.full(joints * slots, slots)
    place = place.at[who].set(jnp.where(best > 0, jnp.arange(slots), slots))
    row = jnp.where(there, place[owner], slots)  # beyond: dropped
    of_joint = jnp.broadcast_to(jnp.arange(joints)[:, None], row.shape)
    people = jnp.zeros((slots, joints, 3)).at[row, of_joint].set(found, mode="drop")
    return people, jnp.where(best > 0, best, -1)


def _owners(mates: Array, sure: Array, start: Array, end: Array, joints: int) -> Array:
    """A number for each peak that is the same for all of one person. The surest limbs
    join first, and none joins two that have a joint in common: a person has one of
    each. i32[l,k], f32[l,k], i32[l] x2 -> i32[j,k]"""
    slots = mates.shape[1]
    owner = jnp.arange(joints * slots, dtype=jnp.int32).reshape(joints, slots)
    has = jnp.repeat(jnp.eye(joints, dtype=bool), slots, axis=0)  # [owner, joint]
    order = jnp.argsort(-sure.ravel())

    def join_next(n, held):
        owner, has = held
        limb, slot = jnp.divmod(order[n], slots)
        one = owner[start[limb], slot]
        other = owner[end[limb], mates[limb, slot]]
        may = ~(has[one] & has[other]).any()  # nor of one person already
        has = has.at[one].set(jnp.where(may, has[one] | has[other], has[one]))
        return jnp.where(may & (owner == other), one, owner), has

    return lax.fori_loop(0, (sure > 0).sum(), join_next, (owner, has))[0]


def _length_and_way(a: Array, b: Array) -> tuple[Array, Array]:
    """How far b is from a, and the unit way there, 0 where they are one. f32[...,2]"""
    away = b - a
    length = jnp.sqrt(jnp.square(away).sum(-1))
    return length, away / jnp.maximum(length, _FAINT)[..., None]
