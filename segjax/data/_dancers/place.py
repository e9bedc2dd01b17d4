"""Places to dance and fight at: which walls, floors and things go together."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from segjax.data._canvas import canvas_shape, grid
from segjax.data._dancers import floor, indoors, outdoors, props
from segjax.data._dancers.face import Face
from segjax.data._dancers.paint import Light
from segjax.data._dancers.part import Figure, make_figure, rounded
from segjax.data._dancers.view import View
from segjax.data._noise import bumps, noise

_OPEN = (outdoors.houses, outdoors.woods)  # walls that nothing hangs on


class Place(NamedTuple):
    """What there may be."""

    walls: tuple[Callable, ...]
    floors: tuple[Callable, ...]
    things: tuple[Callable, ...]


_STAGE = Place(
    (indoors.curtain, indoors.backdrop),
    (floor.boards, floor.rough),
    (props.lamp, props.crate, props.coat_stand, props.banner, props.seat),
)
_DOJO = Place(
    (indoors.panels, indoors.plaster, indoors.windows),
    (floor.mats, floor.boards),
    (props.post, props.bag, props.coat_stand, props.banner, props.plant),
)
_GYM = Place(
    (indoors.bricks, indoors.rungs, indoors.panels, indoors.windows),
    (floor.boards, floor.mats, floor.rough),
    (props.bag, props.ball, props.seat, props.crate, props.rail),
)
_STREET = Place(
    (outdoors.houses, indoors.bricks, indoors.mural),
    (floor.slabs, floor.rough),
    (props.lamp, props.tree, props.plant, props.crate, props.seat, props.rail),
)
_PARK = Place(
    _OPEN,
    (floor.grass, floor.rough, floor.slabs),
    (props.tree, props.tree, props.lamp, props.ball, props.seat),
)
_STUDIO = Place(
    (indoors.plaster, indoors.windows, indoors.backdrop),
    (floor.boards, floor.rough),
    (props.rail, props.plant, props.lamp, props.coat_stand, props.seat),
)
_USUAL = (_STAGE, _DOJO, _GYM, _STREET, _PARK, _STUDIO)
# Anything goes with anything, too: no wall foretells a floor.
_ANY = Place(*(sum(every, ()) for every in zip(*_USUAL)))
PLACES = (*_USUAL, _ANY)
_BEFORE = (props.crate, props.seat, props.plant, props.rail, props.ball)


def _thing(rng, make: Callable, view: View, light: Light, scale: float) -> Figure:
    parts = make(rng)
    place = view.y_of(scale), rng.uniform(-0.68, 0.68), scale
    core = np.concatenate([rounded(part) for part in parts if not part.small])
    return make_figure(place, parts, core, view.pitch, light.way)


def make_things(
    rng: np.random.Generator, place: Place, view: View, light: Light
) -> list[Figure]:
    """What stands about: most of it behind the dancers, now and then one before."""
    far, found = view.scale(view.wall), []
    for _ in range(int(rng.integers(0, 5))):
        make = place.things[rng.integers(len(place.things))]
        scale = far + (1.05 * view.tall - far) * rng.beta(0.8, 1.6)
        found.append(_thing(rng, make, view, light, scale))
    if rng.random() < 0.25:
        make = _BEFORE[rng.integers(len(_BEFORE))]
        found.append(_thing(rng, make, view, light, view.tall * rng.uniform(1.1, 1.4)))
    return found


def _draw_wall(rng, size: int, view: View, make: Callable, rows: int) -> np.ndarray:
    """The first rows of a picture, f32[h,w,3]: a wall down to its foot."""
    y, x = grid(size)
    scale = view.scale(view.wall)
    foot = (view.wall - y[:rows]) / scale
    at = Face(x / scale, foot, scale * size, 2 / 3 / scale)
    image = make(rng, at)
    if make not in _OPEN:
        indoors.hang_pictures(rng, at, image)
    light = 0.03 * noise(bumps(rng), 2 * at.y[:, 0], 1.5 * at.x[0])
    light += rng.uniform(0, 0.05) * noise(bumps(rng), 30 * y[:rows, 0], 30 * x[0])
    corner = np.exp(-at.y / 0.12) * rng.uniform(0, 0.25)
    return image * (1 + light - corner)[..., None]


def draw_place(
    rng: np.random.Generator, size: int, view: View, place: Place
) -> np.ndarray:
    """The empty place, f32[h,w,3]."""
    wall = place.walls[rng.integers(len(place.walls))]
    ground = place.floors[rng.integers(len(place.floors))]
    image = np.zeros((*canvas_shape(size), 3), np.float32)
    rows = int((grid(size)[0][:, 0] < view.wall).sum())
    wall_rng, floor_rng = rng.spawn(2)
    if rows:
        image[:rows] = _draw_wall(wall_rng, size, view, wall, rows)
    if rows < size:
        image[rows:] = floor.draw_floor(floor_rng, size, view, ground, rows)
    return image.clip(4, 252)
