"""A fence: posts and rails along a straight line over the meadow."""

from typing import NamedTuple

import numpy as np

from segjax.data._canvas import canvas_shape, grid, sigmoid
from segjax.data._noise import noise
from segjax.data._pasture.canvas import FENCE, Canvas
from segjax.data._pasture.view import View
from segjax.data._pasture.weather import Weather

_WOODS = ((136, 104, 74), (112, 94, 78), (168, 160, 148), (214, 210, 202), (92, 70, 52))


class Fence(NamedTuple):
    """Its foot is at y = start + slope * x; lengths are in sheep."""

    start: float
    slope: float
    tall: float
    rails: tuple[float, ...]  # heights
    thick: float  # of rails
    posts: tuple[float, ...]  # x of each, in picture heights
    wood: np.ndarray  # f32[3]
    table: np.ndarray  # of noise

    def foot(self, x):
        """Where it stands at x."""
        return self.start + self.slope * x


def make_fence(rng: np.random.Generator, view: View, table: np.ndarray) -> Fence | None:
    """A fence that runs across the picture, or none."""
    if rng.random() < 0.35:
        return None
    scale = rng.uniform(0.13, 0.13 + 0.4 * (view.scale(0.5) - 0.13))
    slope = rng.uniform(-0.16, 0.16) if rng.random() < 0.7 else rng.uniform(-0.4, 0.4)
    start = view.y_of(scale)
    # Even where it is farthest, its scale is 0.4 of that in the middle.
    slope *= min(1.0, 0.6 * (start - view.horizon) / max(1e-3, abs(0.7 * slope)))
    tall, many = rng.uniform(1.15, 1.5), int(rng.integers(2, 4))
    rails = tuple(tall * (np.arange(many) + 0.75) / (many - 0.05))
    gap = rng.uniform(2.2, 3.6) * view.grow
    depth = start - view.horizon
    # Even steps over the ground: of x over the depth there, which is linear in x.
    steps = gap * (np.arange(-40, 41) + rng.random())
    steps = steps[slope * steps < 0.9]
    x = depth * steps / (1 - slope * steps)
    posts = tuple(float(p) for p in x[np.abs(x) < 0.75])
    wood = np.array(_WOODS[rng.integers(len(_WOODS))]) * rng.uniform(0.85, 1.1)
    thick = rng.uniform(0.13, 0.18)
    return Fence(
        float(start), float(slope), tall, rails, thick, posts, wood.astype("f"), table
    )


def _rows(y: np.ndarray, *edges: np.ndarray) -> slice:
    """The rows of y f32[h,1] from the highest to the lowest of the edges."""
    least, most = min(e.min() for e in edges), max(e.max() for e in edges)
    at = np.flatnonzero((y >= least) & (y <= most))
    return slice(at[0], at[-1] + 1) if at.size else slice(0, 0)


def _box(fence: Fence, view: View, size: int):
    """Rows of a picture that the fence takes up; y and x of their pixels."""
    y, x = grid(size)
    foot = fence.foot(x)
    top = foot - (1.1 * fence.tall + fence.thick) * view.scale(foot)
    rows = _rows(y, foot + 1 / size, top - 1 / size)
    return rows, y[rows], x


def _rails(fence: Fence, view: View, y, x):
    """How deep inside a rail, f32[h,w] in picture heights, and how high on it -1..1."""
    foot = fence.foot(x)
    scale = view.scale(foot)
    above = (foot - y) / scale
    half = fence.thick / 2
    deep = np.full((y.size, x.size), -9, np.float32)
    high = np.zeros_like(deep)
    for rail in fence.rails:
        here = half - np.abs(above - rail)
        high = np.where(here > deep, (above - rail) / half, high)
        deep = np.maximum(deep, here)
    return deep * scale, high


def _posts(fence: Fence, view: View, y, x):
    """How deep inside a post, f32[h,w] in picture heights, and how far across -1..1."""
    deep = np.full((y.size, x.size), -9, np.float32)
    side = np.zeros((1, x.size), np.float32)
    for at in fence.posts:
        foot = fence.foot(at)
        scale = view.scale(foot)
        half = 0.11 * scale
        near = np.flatnonzero(np.abs(x[0] - at) < half + 4 / 3 / x.size)
        if not near.size:
            continue
        cut = slice(near[0], near[-1] + 1)
        wide = half - np.abs(x[:, cut] - at)
        long = np.minimum(foot - y, y - (foot - fence.tall * 1.1 * scale))
        deep[:, cut] = np.maximum(deep[:, cut], np.minimum(wide, long))
        side[:, cut] = (x[:, cut] - at) / half
    return deep, side


def fence_mask(fence: Fence, view: View, size: int) -> np.ndarray:
    """Where the fence is, bool[h,w]."""
    mask = np.zeros(canvas_shape(size), bool)
    rows, y, x = _box(fence, view, size)
    deep = _rails(fence, view, y, x)[0], _posts(fence, view, y, x)[0]
    mask[rows] = np.maximum(*deep) > 0
    return mask


def fence_shadow(dark: np.ndarray, fence: Fence, view: View, weather: Weather) -> None:
    """Darkens `dark` f32[h,w] along the fence's foot, and where it hides the sun."""
    y, x = grid(len(dark))
    foot = fence.foot(x)
    scale = view.scale(foot)
    run = weather.sun[0] / weather.sun[1]
    rise = weather.sun[2] / weather.sun[1] * view.flat(foot)
    rise = np.copysign(np.maximum(np.abs(rise), 0.12), rise)
    reach = 0.2 * scale, -0.2 * scale, -1.2 * fence.tall * rise * scale
    rows = _rows(y, *(foot + r for r in reach))
    y = y[rows]
    under = np.exp(-(((y - foot) / (0.1 * scale)) ** 2))
    above = (foot - y) / (scale * rise)
    away = np.full(above.shape, 9, np.float32)
    for rail in fence.rails:
        away = np.minimum(away, np.abs(above - rail) * np.abs(rise))
    away = away - fence.thick / 2 * np.abs(rise)
    ends = np.maximum(-above, above - fence.tall)
    for at in fence.posts:
        lean = x - at + (run * view.scale(fence.foot(at))) * above
        away = np.minimum(away, np.maximum(np.abs(lean) / scale - 0.11, ends))
    sunny = 0.75 * weather.direct * sigmoid(-away / 0.03)
    dark[rows] = np.minimum(dark[rows], (1 - 0.4 * under) * (1 - sunny))


def paint_fence(canvas: Canvas, fence: Fence, view: View, weather: Weather) -> None:
    """Paints rails, then posts, over what stands behind the fence."""
    size = len(canvas.image)
    rows, y, x = _box(fence, view, size)
    grain = noise(fence.table, y[:, 0] * 70, x[0] * 9)
    lit = (1 - weather.direct) + weather.direct * (0.75 + 0.5 * weather.sun[2])
    rails, high = _rails(fence, view, y, x)
    posts, side = _posts(fence, view, y, x)
    shades = 0.95 + 0.2 * high, 1 + 0.25 * side * weather.sun[0]
    image = canvas.image[rows]
    for deep, shade in zip((rails, posts), shades):
        light = (shade * lit * (1 + 0.07 * grain))[..., None]
        wood = fence.wood * weather.tint * light
        image += (deep * size + 0.5).clip(0, 1)[..., None] * (wood - image)
        canvas.semantic[rows][deep > 0] = FENCE
        canvas.instance[rows][deep > 0] = 0
