"""Who stands where: a flock that huddles or is scattered, and dogs about it."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from segjax.data._canvas import canvas_shape
from segjax.data._noise import bumps
from segjax.data._pasture.canvas import DOG, SHEEP
from segjax.data._pasture.dog import make_dog
from segjax.data._pasture.shapes import Animal, flesh
from segjax.data._pasture.sheep import breeds, make_sheep
from segjax.data._pasture.tile import silhouette
from segjax.data._pasture.view import FOCAL, View

MOST = 12
PLAN = 64  # height of the picture that is planned on, the same for every size
_SEEN, _PIXELS = 0.4, 20  # what must stay to be seen there of an animal
_LEAST = 0.17  # picture heights of the smallest animal's back


class Spot(NamedTuple):
    """A place on the ground, and in the picture."""

    y: float
    x: float
    scale: float
    across: float  # in sheep
    deep: float  # in sheep, from the camera


def _spot(view: View, across: float, deep: float) -> Spot:
    scale = FOCAL / deep
    return Spot(view.y_of(scale), across * scale, scale, across, deep)


def _spots(rng, view: View, count: int, free: Callable[[Spot], bool]) -> list[Spot]:
    """Up to `count` places that are in the picture, apart from each other, and free."""
    near, far = FOCAL / view.scale(0.5), FOCAL / _LEAST
    middle = near + (far - near) * rng.beta(1.0, 2.7)
    huddle = rng.random() < 0.65
    spread = (rng.uniform(0.8, 1.8), rng.uniform(0.6, 1.6)) if huddle else (3.0, 3.0)
    side = rng.uniform(-0.4, 0.4) * middle / FOCAL
    spots: list[Spot] = []
    for _ in range(25 * count):
        deep = middle + spread[1] * rng.standard_normal()
        across = side + spread[0] * rng.standard_normal()
        if not near * 0.97 <= deep <= far:
            continue
        spot = _spot(view, across, deep)
        apart = all(
            ((s.across - across) / 0.95) ** 2 + ((s.deep - deep) / 0.5) ** 2 > 1
            for s in spots
        )
        if apart and abs(spot.x) < 0.62 and free(spot):
            spots.append(spot)
        if len(spots) == count:
            break
    return spots


def _animal(rng, spot: Spot, dog: bool, breed: str, leading: int) -> Animal:
    tall = rng.uniform(0.74, 0.9) if dog else np.exp(rng.normal(0, 0.06))
    if not dog and spot.scale > 0.2 and rng.random() < 0.12:
        tall = rng.uniform(0.62, 0.75)  # a lamb
    parts = make_dog(rng) if dog else make_sheep(rng, breed)
    return Animal(
        kind=DOG if dog else SHEEP,
        y=spot.y,
        x=spot.x,
        scale=float(max(spot.scale * tall, _LEAST)),
        facing=leading if rng.random() < 0.7 else -leading,
        parts=parts,
        flesh=flesh(parts),
        table=bumps(rng),
        grass=float(rng.uniform(0.02, 0.07)),
    )


def _crowd(rng, view: View, free: Callable[[Spot], bool]) -> list[Animal]:
    """Animals from near to far, none yet known to be seen."""
    count = int(np.clip(np.rint(np.exp(rng.normal(1.9, 0.55))), 1, MOST))
    spots = sorted(_spots(rng, view, count, free), key=lambda spot: spot.deep)
    dogs = rng.binomial(len(spots) // 2, 0.3) if len(spots) < 4 else 0
    if len(spots) >= 4 and rng.random() < 0.85:
        dogs = rng.integers(1, round(len(spots) / 4) + 1)
    with_dog = set(rng.permutation(len(spots))[:dogs].tolist())
    flock, leading = breeds(rng), int(rng.choice([-1, 1]))
    return [
        _animal(rng, spot, k in with_dog, str(rng.choice(flock)), leading)
        for k, spot in enumerate(spots)
    ]


def _seen(animals: list[Animal], taken: np.ndarray) -> list[Animal]:
    """Those, from near to far, of which enough is seen behind what is `taken`, a
    bool[h,w] of the plan; they are added to it."""
    kept = []
    for animal in animals:
        tile, mask = silhouette(animal, PLAN)
        box = tile.seen(PLAN)
        where, inside = tile.part(box).where, mask[box]
        if (inside & ~taken[where]).sum() >= max(_SEEN * mask.sum(), _PIXELS):
            taken[where] |= inside
            kept.append(animal)
    return kept


def gather(
    rng: np.random.Generator,
    view: View,
    free: Callable[[Spot], bool],
    behind: Callable[[Animal], bool],
    fence: np.ndarray,
) -> tuple[list[Animal], list[Animal]]:
    """The animals before the fence and those behind it, each from near to far: enough
    is seen of every one, and at least one is a sheep.

    `free` says where one may stand; `fence` is what it hides of the plan, bool[h,w]."""
    while True:
        crowd = _crowd(rng, view, free)
        taken = np.zeros(canvas_shape(PLAN), bool)
        before = _seen([a for a in crowd if not behind(a)], taken)
        taken |= fence
        after = _seen([a for a in crowd if behind(a)], taken)
        if any(animal.kind == SHEEP for animal in before + after):
            return before, after
