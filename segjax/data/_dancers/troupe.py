"""Who dances where: one, or several who may hide each other in part."""

from typing import NamedTuple

import numpy as np

from segjax.data._canvas import canvas_shape
from segjax.data._dancers.dancer import Dancer, make_build, make_dancer
from segjax.data._dancers.look import Look, make_look
from segjax.data._dancers.moves import choose_move, make_pose
from segjax.data._dancers.paint import Layer, Light, silhouette
from segjax.data._dancers.part import Figure
from segjax.data._dancers.view import View

PLAN = 64  # height of the picture that is planned on, the same for every size
_SEEN = 0.4  # what must stay to be seen there of a dancer
_PLACES, _TRIES = 8, 5


class Standing(NamedTuple):
    """A figure that has its place."""

    figure: Figure
    dancer: Dancer | None  # None of a thing
    plan: np.ndarray  # bool[h,w], where it is in the picture
    pixels: int  # of the whole figure on the plan


def _on_plan(shape: Layer, columns: int = 0) -> np.ndarray:
    """What of a shape, moved to the right, lies in the picture, bool[h,w]."""
    plan = np.zeros(canvas_shape(PLAN), bool)
    (h, w), (down, across), left = plan.shape, shape.mask.shape, shape.left + columns
    rows = slice(max(shape.top, 0), max(min(shape.top + down, h), 0))
    cols = slice(max(left, 0), max(min(left + across, w), 0))
    part = plan[rows, cols]
    top, left = rows.start - shape.top, cols.start - left
    part[:] = shape.mask[top : top + part.shape[0], left : left + part.shape[1]]
    return plan


def stand(thing: Figure) -> Standing:
    """A thing where it is."""
    shape = silhouette(thing, PLAN)
    return Standing(thing, None, _on_plan(shape), int(shape.mask.sum()))


class Habit(NamedTuple):
    """What the dancers of a picture share."""

    look: Look | None  # the same clothes
    move: str | None  # the same move
    turn: float  # how far most are turned
    faces: bool  # whether they face each other
    middle: float  # x that they gather about
    spread: float  # in bodies
    least: float  # of a body in picture heights


def _habit(rng: np.random.Generator, many: int) -> Habit:
    together = rng.random(3) < (0.35, 0.3, 0.35)
    return Habit(
        look=make_look(rng) if together[0] else None,
        move=choose_move(rng) if together[1] else None,
        turn=rng.uniform(0, 360) if rng.random() < 0.6 else rng.normal(0, 35),
        faces=bool(together[2]) and many > 1,
        middle=rng.uniform(-0.3, 0.3) / many,
        spread=rng.uniform(0.25, 0.9) if many > 1 else 0.4,
        least=0.45 if many == 1 else 0.25,
    )


def _candidate(rng, view: View, light: Light, habit: Habit, x: float) -> Dancer:
    """Someone at x, at a depth of their own."""
    build, stature = make_build(rng)
    look = make_look(rng)
    if habit.look is not None:
        look = habit.look._replace(skin=look.skin, hair=look.hair, cut=look.cut)
    turn = habit.turn + rng.normal(0, 25 if habit.move else 80)
    if habit.faces:
        turn = 90 * np.sign(habit.middle - x) + rng.normal(0, 30)
    pose = make_pose(rng, habit.move or choose_move(rng))
    scale = view.tall * float(np.exp(rng.normal(0, 0.1)))
    scale = max(scale, 1.04 * view.scale(view.wall))
    tall = min(max(scale * stature, habit.least), 0.95)
    place = view.y_of(scale), x, tall
    return make_dancer(build, look, pose, turn, place, view.pitch, light.way)


def _apart(dancer: Dancer, others: list[Standing], x: float) -> bool:
    """Whether nobody stands where the dancer would stand."""
    return all(
        ((o.figure.x - x) / (0.3 * dancer.figure.scale)) ** 2
        + ((o.figure.y - dancer.figure.y) / (0.08 * dancer.figure.scale)) ** 2
        > 1
        for o in others
        if o.dancer is not None
    )


def _all_seen(standing: list[Standing], inside: float) -> bool:
    """Whether enough is seen of everyone, and the newest is `inside` the picture."""
    newest = standing[-1]
    if newest.plan.sum() < inside * newest.pixels:
        return False
    taken = np.zeros(canvas_shape(PLAN), bool)
    for one in sorted(standing, key=lambda s: -s.figure.y):
        if one.dancer is not None:
            seen = int((one.plan & ~taken).sum())
            if seen < _SEEN * one.pixels or seen < 12:
                return False
        taken |= one.plan
    return True


def _place(rng, dancer: Dancer, habit: Habit, standing) -> list[Standing] | None:
    """All who stand, with the dancer among them, or None: there was no place."""
    shape = silhouette(dancer.figure, PLAN)
    inside = 0.93 if rng.random() < 0.75 else 0.6
    for attempt in range(_PLACES):
        wide = dancer.figure.scale * habit.spread * (1 + attempt / _PLACES)
        columns = round(PLAN * rng.normal(0, wide)) if attempt else 0
        x = dancer.figure.x + columns / PLAN
        if not _apart(dancer, standing, x):
            continue
        figure = dancer.figure._replace(x=x)
        plan, pixels = _on_plan(shape, columns), int(shape.mask.sum())
        newest = Standing(figure, dancer._replace(figure=figure), plan, pixels)
        if _all_seen([*standing, newest], inside):
            return [*standing, newest]
    return None


def gather(
    rng: np.random.Generator,
    view: View,
    light: Light,
    many: int,
    things: list[Standing],
) -> list[Standing] | None:
    """`many` dancers among the things, enough seen of each, or None: too little room"""
    habit, standing = _habit(rng, many), things
    for _ in range(many):
        for _ in range(_TRIES):
            x = habit.middle + rng.normal(0, habit.spread) * view.tall
            candidate = _candidate(rng, view, light, habit, min(max(x, -0.6), 0.6))
            placed = _place(rng, candidate, habit, standing)
            if placed is not None:
                break
        else:
            return None
        standing = placed
    return standing
