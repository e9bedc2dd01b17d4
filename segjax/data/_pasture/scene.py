"""A whole pasture, from the empty canvas to the photograph."""

import numpy as np

from segjax.data._canvas import canvas_shape, grid, photograph
from segjax.data._noise import bumps
from segjax.data._pasture.canvas import Canvas, create_canvas
from segjax.data._pasture.fence import (
    Fence,
    fence_mask,
    fence_shadow,
    make_fence,
    paint_fence,
)
from segjax.data._pasture.flock import PLAN, gather
from segjax.data._pasture.land import paint_land
from segjax.data._pasture.paint import cast_shadow, paint_animal
from segjax.data._pasture.pond import Pond, make_pond, paint_pond
from segjax.data._pasture.view import View, make_view
from segjax.data._pasture.weather import Weather, make_weather

_SKYLIT = np.array([0.0, 0.01, 0.05], np.float32)  # a shadow's light is bluer


def _animals(rng, view: View, fence: Fence | None, pond: Pond | None):
    """Animals before the fence and behind it, each from near to far."""
    hidden = np.zeros(canvas_shape(PLAN), bool)
    if fence is not None:
        hidden = fence_mask(fence, view, PLAN)

    def behind(animal):
        return fence is not None and animal.y < fence.foot(animal.x)

    def free(spot):
        x = spot.x + spot.scale * np.array([-0.9, -0.3, 0.3, 0.9])
        if fence is not None:
            gap = (spot.y - fence.foot(x)) / (view.flat(spot.y) * spot.scale)
            if gap.min() < 0.3 and gap.max() > -0.3:  # it would stand in the fence
                return False
        return pond is None or (pond.inside(spot.y, x) < -0.2).all()

    return gather(rng, view, free, behind, hidden)


def _paint_shadows(canvas: Canvas, animals, fence, view: View, weather: Weather):
    dark = np.ones(canvas.semantic.shape, np.float32)
    for animal in animals:
        cast_shadow(dark, animal, view.flat(animal.y), weather)
    if fence is not None:
        fence_shadow(dark, fence, view, weather)
    y, _ = grid(len(dark))
    dark[y[:, 0] < view.horizon] = 1
    canvas.image[:] *= dark[..., None] + (1 - dark[..., None]) * _SKYLIT


def _compact(instance: np.ndarray) -> np.ndarray:
    """Numbers 1..N without gaps: at the smallest sizes an animal may have no pixel."""
    pixels = np.bincount(instance.ravel())
    pixels[0] = 0
    return np.where(pixels > 0, np.cumsum(pixels > 0), 0).astype(np.int32)[instance]


def draw_scene(rng: np.random.Generator, size: int) -> Canvas:
    """Image u8[h,w,3], semantic u8[h,w] and instance i32[h,w] of a pasture."""
    canvas = create_canvas(size)
    weather, view = make_weather(rng), make_view(rng)
    fence = make_fence(rng, view, bumps(rng))
    pond = make_pond(rng, view, fence)
    before, behind = _animals(rng, view, fence, pond)
    animals = before + behind
    paint_land(rng, canvas, view, weather)
    if pond is not None:
        paint_pond(canvas, pond, weather)
    _paint_shadows(canvas, animals, fence, view, weather)

    def paint(numbers):
        for number in numbers:
            haze = 0.5 * weather.haze * np.exp(-view.flat(animals[number - 1].y) / 0.17)
            paint_animal(canvas, animals[number - 1], weather, number, haze)

    paint(range(len(animals), len(before), -1))
    if fence is not None:
        paint_fence(canvas, fence, view, weather)
    paint(range(len(before), 0, -1))
    image = photograph(rng, canvas.image)
    return Canvas(image, canvas.semantic, _compact(canvas.instance))
