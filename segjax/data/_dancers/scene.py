"""A whole picture of dancers, from the empty place to the photograph."""

from typing import NamedTuple

import numpy as np

from segjax.data._canvas import canvas_shape, grid, photograph
from segjax.data._dancers.dancer import Dancer
from segjax.data._dancers.paint import (
    Layer,
    Light,
    cast_shadow,
    make_light,
    paint_figure,
)
from segjax.data._dancers.place import PLACES, Place, draw_place, make_things
from segjax.data._dancers.troupe import Standing, gather, stand
from segjax.data._dancers.view import View, make_view


class Plan(NamedTuple):
    """Who and what is where; the same for every size."""

    place: Place
    light: Light
    view: View
    standing: list[Standing]  # the farthest first


class Scene(NamedTuple):
    """A picture and its labels."""

    image: np.ndarray  # u8[h,w,3]
    instance: np.ndarray  # i32[h,w]
    keypoints: np.ndarray  # f32[n,14,3]


def plan_scene(rng: np.random.Generator, people: int) -> Plan:
    """1 to `people` dancers somewhere, as large as there is room for."""
    many = int(rng.integers(1, people + 1))
    place, light = PLACES[rng.integers(len(PLACES))], make_light(rng)
    tall = rng.uniform(0.45, 0.95) * many**-0.25
    while True:
        view = make_view(rng, tall)
        things = [stand(thing) for thing in make_things(rng, place, view, light)]
        standing = gather(rng, view, light, many, things)
        if standing is not None:
            standing.sort(key=lambda one: one.figure.y)
            return Plan(place, light, view, standing)
        tall = max(0.97 * tall, 0.45) if many == 1 else 0.95 * tall


def _points(dancer: Dancer, size: int) -> np.ndarray:
    """Its joints in the picture, f32[14,2] as y, x in pixels."""
    h, w = canvas_shape(size)
    figure = dancer.figure
    x = (figure.x + figure.scale * dancer.joints[:, 0]) * size + w / 2 - 0.5
    y = (figure.y - figure.scale * dancer.joints[:, 1]) * size + h / 2 - 0.5
    return np.stack([y, x], -1).astype(np.float32)


def _keypoints(dancer: Dancer, layer: Layer, shape: tuple[int, ...]) -> np.ndarray:
    """Joints f32[14,3] as y, x, visible: 2 unless the dancer's own body is before the
    joint, then 1; 0 out of the picture."""
    h, w = shape
    points = _points(dancer, h)
    row, column = np.rint(points).astype(int).T
    inside = (row >= 0) & (row < h) & (column >= 0) & (column < w)
    row, column = row[inside] - layer.top, column[inside] - layer.left
    keypoints = np.zeros((len(points), 3), np.float32)
    buried = layer.near[row, column] - dancer.joints[inside, 2] > dancer.deep[inside]
    keypoints[inside, :2] = points[inside]
    keypoints[inside, 2] = np.where(buried | ~layer.mask[row, column], 1, 2)
    return keypoints


def _hide(keypoints: np.ndarray, number: int, instance: np.ndarray) -> np.ndarray:
    """The keypoints, of which those are hidden that lie behind someone or something."""
    row, column = np.rint(keypoints[:, :2]).astype(int).T
    behind = (keypoints[:, 2] == 2) & (instance[row, column] != number)
    keypoints[behind, 2] = 1
    return keypoints


def _paint_all(image: np.ndarray, standing: list[Standing], light: Light):
    """Paints all from far to near; gives instance i32[h,w], numbered from the nearest,
    and keypoints f32[n,14,3]."""
    instance = np.zeros(image.shape[:2], np.int32)
    left, found = sum(one.dancer is not None for one in standing), []
    for one in standing:
        layer = paint_figure(image, one.figure, light)
        number = 0
        if one.dancer is not None:
            found.append(_keypoints(one.dancer, layer, instance.shape))
            number, left = left, left - 1
        instance[layer.where][layer.mask] = number
    found = [_hide(points, k + 1, instance) for k, points in enumerate(found[::-1])]
    return instance, np.array(found)


def _without_gaps(instance: np.ndarray, keypoints: np.ndarray):
    """Numbers 1..n and their rows: at the smallest sizes someone may have no pixel."""
    kept = np.bincount(instance.ravel(), minlength=len(keypoints) + 1)[1:] > 0
    numbers = np.append(0, np.where(kept, kept.cumsum(), 0)).astype(np.int32)
    return numbers[instance], keypoints[kept]


def draw_scene(rng: np.random.Generator, size: int, people: int) -> Scene:
    """A picture of 1 to `people` dancers, numbered from the nearest."""
    plan_rng, place_rng, camera_rng = rng.spawn(3)
    place, light, view, standing = plan_scene(plan_rng, people)
    image = draw_place(place_rng, size, view, place)
    dark = np.ones(image.shape[:2], np.float32)
    for one in standing:
        cast_shadow(dark, one.figure, light)
    dark[grid(size)[0][:, 0] < view.wall] = 1
    image *= dark[..., None]
    labels = _without_gaps(*_paint_all(image, standing, light))
    return Scene(photograph(camera_rng, image), *labels)
