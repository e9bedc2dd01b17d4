"""Paints animals and their shadows into a picture, and their labels with them."""

from typing import NamedTuple

import numpy as np

from segjax.data._canvas import sigmoid
from segjax.data._noise import noise
from segjax.data._pasture.canvas import Canvas
from segjax.data._pasture.shapes import (
    Animal,
    Part,
    above_grass,
    bounds,
    distance,
    surface,
)
from segjax.data._pasture.tile import Tile, make_tile
from segjax.data._pasture.weather import Weather


class Cover(NamedTuple):
    """What an animal wears, over its tile."""

    lumps: np.ndarray  # f32[h,w], how far wool stands out
    gloss: np.ndarray  # f32[h,w], how much lighter the lumps' sunny side is
    grass: np.ndarray  # f32[1,w], the height up to which blades hide it


def cast_shadow(
    dark: np.ndarray, animal: Animal, flat: float, weather: Weather
) -> None:
    """Darkens `dark` f32[h,w], the light that reaches the ground, around the animal:
    under it, where it hides the sky, and along the ground, where it hides the sun."""
    bones = animal.flesh[animal.flesh[:, 4] > 0.04]
    low, high, _, top = bounds(bones) + np.array([-0.1, 0.1, 0, 0.1])
    run = -weather.sun[0] / weather.sun[1] * animal.facing  # u of the shadow of v = 1
    rise = weather.sun[2] / weather.sun[1] * flat
    rise = np.copysign(max(abs(rise), 0.1), rise)
    sides = min(low, low + run * top), max(high, high + run * top)
    ends = min(-0.25, rise * top), max(0.25, rise * top)
    tile = make_tile(animal, (*sides, *ends), len(dark)).cut(len(dark))
    if tile.empty:
        return
    under = np.exp(-2 * (tile.u / (0.6 * high)) ** 2) * np.exp(-50 * tile.v**2)
    height = tile.v / rise
    away = distance(bones, tile.u - run * height, height)
    sunny = weather.direct * sigmoid(-away / 0.025) * (height > -0.2)
    light = np.minimum(1 - 0.55 * under, 1 - 0.9 * sunny)
    dark[tile.where] = np.minimum(dark[tile.where], light)  # not darker where two meet


def _shade(animal: Animal, weather: Weather, nu, nv) -> np.ndarray:
    """Light f32[h,w] on a surface: the sky's from above, and the sun's."""
    right, up, near = weather.sun
    toward = np.sqrt(np.maximum(1 - nu * nu - nv * nv, 0))
    sun = np.maximum(nu * (right * animal.facing) + nv * up + toward * near, 0)
    direct = weather.direct
    sky = 0.78 + 0.24 * nv + 0.14 * toward
    return ((1 - direct) * 1.14) * sky + direct * (0.42 + 0.95 * sun)


def _colour(part: Part, near, table: np.ndarray, tile: Tile) -> np.ndarray:
    """Colour f32[h,w,3] of a part before the light falls on it."""
    colour = part.colours[0] if near is None else part.colours[near]
    if part.patch is None:
        return colour
    field = noise(table, 2.6 * tile.v[:, 0] + 9, 2.6 * tile.u[0] + 5)
    edge = sigmoid(14 * (field - 0.9 + 2 * part.patched))[..., None]
    return colour + edge * (part.patch - colour)


def _wear(animal: Animal, tile: Tile, weather: Weather) -> Cover:
    rows, columns = 7.5 * tile.v[:, 0], 7.5 * tile.u[0]
    lean = 0.25 * np.sign(weather.sun[0]) * animal.facing
    bulge = np.abs(noise(animal.table, rows, columns))
    behind = np.abs(noise(animal.table, rows + 0.3, columns + lean))
    lumps = 0.05 * np.minimum(bulge, 1.6) - 0.02
    return Cover(lumps, 0.14 * (bulge - behind), above_grass(animal, tile.u))


def _paint_part(
    canvas: Canvas, animal: Animal, part: Part, weather: Weather, tile: Tile, cover
) -> np.ndarray:
    """Paints a part; gives where of its tile it is, bool[h,w]."""
    sharp = animal.scale * len(canvas.image)  # pixels to the unit of u
    away, nu, nv, near = surface(part.bones, tile.u, tile.v)
    light = _shade(animal, weather, nu, nv)
    if part.wool:
        away -= part.wool * cover.lumps
        light *= 1 + part.wool * cover.gloss
    away = np.maximum(away, cover.grass - tile.v)
    coat = _colour(part, near, animal.table, tile) * light[..., None]
    seen = np.minimum(np.maximum(0.5 - away * sharp, 0), 1)
    image = canvas.image[tile.where]
    image += seen[..., None] * (coat - image)
    inside = away < 0
    canvas.semantic[tile.where][inside] = animal.kind
    return inside


def _shadow_on_others(canvas: Canvas, animal: Animal) -> None:
    """Darkens the animals behind this one along its outline, which tells them apart."""
    size = len(canvas.image)
    bones = animal.flesh[animal.flesh[:, 4] > 0.08]
    box = bounds(bones) + 0.12 * np.array([-1, 1, -1, 1])
    tile = make_tile(animal, box, size).cut(size)
    others = canvas.instance[tile.where] > 0
    if not others.any():
        return
    away = np.maximum(distance(bones, tile.u, tile.v + np.float32(0.02)), 0)
    shade = 0.42 * np.exp(away / -0.06) * others
    canvas.image[tile.where] *= 1 - shade[..., None]


def _in_weather(part: Part, weather: Weather, haze: float) -> Part:
    """The part in the day's light: tinted, and paler the more air lies before it."""

    def pale(colour):
        tinted = colour * weather.tint
        return tinted + haze * (0.9 * weather.sky[1] - tinted)

    patch = None if part.patch is None else pale(part.patch)
    return part._replace(colours=pale(part.colours), patch=patch)


def paint_animal(
    canvas: Canvas, animal: Animal, weather: Weather, number: int, haze: float
) -> None:
    """Paints an animal and writes its class and number where it is seen."""
    _shadow_on_others(canvas, animal)
    size = len(canvas.image)
    pixel = 1 / (animal.scale * size)
    reach = bounds(animal.flesh) + (0.06 + pixel) * np.array([-1, 1, -1, 1])
    whole = make_tile(animal, reach, size).cut(size)
    if whole.empty:
        return
    cover = _wear(animal, whole, weather)
    for part in animal.parts:
        tile, box = whole.over(part.box, pixel + 0.06 * part.wool)
        if tile.empty:
            continue
        lit = _in_weather(part, weather, haze)
        here = Cover(cover.lumps[box], cover.gloss[box], cover.grass[:, box[1]])
        inside = _paint_part(canvas, animal, lit, weather, tile, here)
        canvas.instance[tile.where][inside] = number
