"""Paints figures: part by part into a picture, with how near each pixel lies."""

from math import floor
from typing import NamedTuple

import numpy as np

from segjax.data._canvas import canvas_shape
from segjax.data._dancers.part import Figure, Part
from segjax.data._dancers.surface import Surface, bands, distance, surface_of

_MEET = 45  # one over the depth in which surfaces go over into each other


class Light(NamedTuple):
    """What falls on all figures of a picture."""

    way: np.ndarray  # f32[3], towards it: right, up, near
    direct: float  # its share; the rest comes from everywhere
    tint: np.ndarray  # f32[3]
    ink: float  # how dark outlines are


class Layer(NamedTuple):
    """The pixels around a figure."""

    top: int
    left: int
    u: np.ndarray  # f32[1,w]
    v: np.ndarray  # f32[h,1]
    near: np.ndarray  # f32[h,w], of the surface that is seen there
    mask: np.ndarray  # bool[h,w], where the figure is

    @property
    def where(self) -> tuple[slice, slice]:
        """Its slices of the picture."""
        h, w = self.mask.shape
        return slice(self.top, self.top + h), slice(self.left, self.left + w)


def make_light(rng: np.random.Generator) -> Light:
    """Light from above, from one side more than from the other."""
    way = np.array([rng.uniform(-0.8, 0.8), 1, rng.uniform(0.1, 1)], np.float32)
    return Light(
        way=way / np.sqrt(way @ way),
        direct=rng.uniform(0.25, 0.65),
        tint=rng.normal(1, 0.035, 3).astype(np.float32),
        ink=rng.uniform(0.05, 0.6),
    )


def make_layer(figure: Figure, size: int, box: np.ndarray, whole=False) -> Layer:
    """The pixels over a box f32[4] of least u and v, largest u and v: those in the
    picture, or all of them."""
    h, w = canvas_shape(size)
    low_u, low_v, high_u, high_v = (float(edge) * figure.scale for edge in box)
    left = floor((figure.x + low_u) * size + w / 2) - 1
    right = floor((figure.x + high_u) * size + w / 2) + 2
    top = floor((figure.y - high_v) * size + h / 2) - 1
    foot = floor((figure.y - low_v) * size + h / 2) + 2
    if not whole:
        left, right = min(max(left, 0), w), min(max(right, 0), w)
        top, foot = min(max(top, 0), h), min(max(foot, 0), h)
    columns, rows = np.arange(left, right), np.arange(top, foot)
    u = ((columns + 0.5 - w / 2) / size - figure.x) / figure.scale
    v = (figure.y - (rows + 0.5 - h / 2) / size) / figure.scale
    return Layer(
        top=top,
        left=left,
        u=u.astype(np.float32)[None],
        v=v.astype(np.float32)[:, None],
        near=np.full((v.size, u.size), -99, np.float32),
        mask=np.zeros((v.size, u.size), bool),
    )


def _part_boxes(figure: Figure, layer: Layer, margin: float):
    """Of each part, the rows and columns of the layer that it reaches, i64[n,4]."""
    low_u, low_v, high_u, high_v = figure.boxes.T
    columns = layer.u[0].searchsorted((low_u - margin, high_u + margin))
    rows = (-layer.v[:, 0]).searchsorted((-high_v - margin, -low_v + margin))
    return np.concatenate([rows, columns]).T.tolist()


def _shade(light: Light, found: Surface, ahead: np.ndarray, ink: float, sharp: float):
    """How light a surface is, f32[h,w]; `ahead`: of what lies behind it."""
    right, up, toward = light.way
    sun = np.maximum(found.nu * right + found.nv * up + found.out * toward, 0)
    every = 0.85 + 0.2 * found.nv
    shade = (1 - light.direct) * every + light.direct * (0.4 + 0.85 * sun)
    if ink:
        rim = np.minimum(np.maximum(1 + found.away * np.float32(0.6 * sharp), 0), 1)
        # none where a bone goes over into the next
        step = np.maximum(np.minimum(25 * ahead - 0.5, 1), 0)
        shade *= 1 - ink * rim * step
    return shade


def _paint_part(image, layer: Layer, part: Part, box, light: Light, sharp: float):
    """Paints a part over a box of slices; sharp: pixels to a height of the body."""
    u, v, near = layer.u[:, box[1]], layer.v[box[0]], layer.near[box]
    found = surface_of(part, u, v, (0.4 if part.small else 0.75) / sharp)
    ahead = found.near - near
    cover = np.minimum(np.maximum(0.5 - found.away * np.float32(sharp), 0), 1)
    # surfaces that meet go over into each other
    cover *= np.minimum(np.maximum(ahead * np.float32(_MEET) + 0.5, 0), 1)
    shade = _shade(light, found, ahead, 0 if part.small else light.ink, sharp)
    colour = part.colours[0] if found.bone is None else part.colours[found.bone]
    if part.stripes is not None:
        amount = bands(part.stripes, u, v)[..., None]
        colour = colour + amount * (part.stripes.colour - colour)
    pixels = image[layer.where][box]
    pixels += cover[..., None] * (colour * light.tint * shade[..., None] - pixels)
    np.copyto(near, found.near, where=cover > 0.5)
    layer.mask[box] |= found.away < 0


def paint_figure(image: np.ndarray, figure: Figure, light: Light) -> Layer:
    """Paints a figure into f32[h,w,3]; gives where it is and how near."""
    size = len(image)
    sharp = figure.scale * size
    box = np.concatenate([figure.boxes[:, :2].min(0), figure.boxes[:, 2:].max(0)])
    layer = make_layer(figure, size, box)
    for part, (top, foot, left, right) in zip(
        figure.parts, _part_boxes(figure, layer, 1 / sharp)
    ):
        if top < foot and left < right:
            where = slice(top, foot), slice(left, right)
            _paint_part(image, layer, part, where, light, sharp)
    return layer


def _box_of(bones: np.ndarray, margin: float) -> np.ndarray:
    low = np.minimum(bones[:, :2], bones[:, 3:5]).min(0) - margin
    high = np.maximum(bones[:, :2], bones[:, 3:5]).max(0) + margin
    return np.concatenate([low, high])


def silhouette(figure: Figure, size: int) -> Layer:
    """Where about the whole figure is, by its core, also beyond the picture."""
    box = _box_of(figure.core, figure.core[:, 6:].max())
    layer = make_layer(figure, size, box, whole=True)
    return layer._replace(mask=distance(figure.core, layer.u, layer.v) < 0)


def cast_shadow(dark: np.ndarray, figure: Figure, light: Light) -> None:
    """Darkens `dark` f32[h,w], the light that reaches the floor: where the figure hides
    the sun, and close below it."""
    for bones, much, soft in (
        (figure.shadow, 0.8 * light.direct, 0.05),
        (figure.touch, 0.45, 0.09),
    ):
        if not len(bones):
            continue
        layer = make_layer(figure, len(dark), _box_of(bones, bones[:, 6:].max() + soft))
        if layer.mask.size:
            away = distance(bones, layer.u, layer.v)
            share = np.minimum(np.maximum(0.5 - away / np.float32(2 * soft), 0), 1)
            left = 1 - np.float32(much) * share * share * (3 - 2 * share)
            dark[layer.where] = np.minimum(dark[layer.where], left)
