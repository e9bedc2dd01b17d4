"""What drawn data sets draw by: a canvas whose unit is the picture's height, with its
origin in the middle, so that the same scene comes out at every size. Pictures are 4:3;
fields are f32[h,w]; points are (y, x) pairs."""

from functools import lru_cache

import numpy as np


def canvas_shape(size: int) -> tuple[int, int]:
    """(h, w) of a picture of height `size`."""
    return size, round(size * 4 / 3)


def grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of the pixel centres: y f32[h,1] and x f32[1,w]."""
    h, w = canvas_shape(size)
    y = (np.arange(h, dtype=np.float32) + 0.5 - h / 2) / size
    x = (np.arange(w, dtype=np.float32) + 0.5 - w / 2) / size
    return y[:, None], x[None, :]


def sigmoid(x: np.ndarray) -> np.ndarray:
    """The logistic step, from 0 to 1, without overflow."""
    return 0.5 + 0.5 * np.tanh(0.5 * x)


@lru_cache(maxsize=512)
def _spline(pixels: int, size: int, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Cubic B-spline of `cells` knots per height: of each pixel, the four knots that
    reach it, i64[4,pixels], and their weights, f32[4,pixels]."""
    at = (np.arange(pixels) + 0.5) / size * cells + 1
    knots = np.floor(at).astype(int) + np.arange(-1, 3)[:, None]
    away = np.abs(at - knots)
    near, far = 2 / 3 - away**2 + away**3 / 2, (2 - away).clip(0) ** 3 / 6
    return knots, np.where(away < 1, near, far).astype(np.float32)


def clouds(rng: np.random.Generator, size: int, cells: int) -> np.ndarray:
    """Smooth noise f32[h,w] of about unit variance, with `cells` bumps per height."""
    h, w = canvas_shape(size)
    bumps = rng.standard_normal((cells + 4, cells * 4 // 3 + 5), dtype=np.float32)
    # By taps, not by matrix products: BLAS answers such small ones with threads that
    # cost ten times the work.
    rows, columns = (zip(*_spline(n, size, cells)) for n in (h, w))
    lines = sum(weight[:, None] * bumps[knot] for knot, weight in rows)
    smooth = sum(weight * lines[:, knot] for knot, weight in columns)
    return smooth / 0.48  # the spline keeps 0.48 of the bumps' deviation


def blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur of f32[h,w,3], the edge repeated; `sigma` is in heights."""
    pixels = sigma * len(image)
    reach = int(np.ceil(3 * pixels))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(pixels, 1e-6)) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    h, w = image.shape[:2]
    # the columns, then the rows
    wide = np.pad(image, ((reach, reach), (0, 0), (0, 0)), "edge")
    image = sum(weight * wide[k : k + h] for k, weight in enumerate(weights))
    wide = np.pad(image, ((0, 0), (reach, reach), (0, 0)), "edge")
    return sum(weight * wide[:, k : k + w] for k, weight in enumerate(weights))


def stamp(size: int, points: np.ndarray, radius, soft: float = 0.0) -> np.ndarray:
    """Cover f32[h,w] in [0,1] of discs of `radius` (one or f[n]) at `points` f[n,2].

    `soft` widens the discs' edge; a disc finer than a pixel covers it in part."""
    h, w = canvas_shape(size)
    cover = np.zeros(h * w, np.float32)
    if not len(points):
        return cover.reshape(h, w)
    at = (np.asarray(points) * size + (h / 2 - 0.5, w / 2 - 0.5)).astype(np.float32)
    wide = np.broadcast_to(np.asarray(radius, np.float32) * size, len(at))[:, None]
    reach = int(np.ceil(wide.max() + 0.5 + soft * size / 2))
    step = np.arange(-reach, reach + 1)
    offsets = np.stack(np.meshgrid(step, step, indexing="ij"), -1).reshape(-1, 2)
    cell = np.rint(at).astype(np.int32)[:, None] + offsets.astype(np.int32)
    away = np.hypot(*np.moveaxis(cell - at[:, None], -1, 0))
    ink = ((wide - away) / (1 + soft * size) + 0.5).clip(0, 1) * (2 * wide).clip(0, 1)
    y, x = cell[..., 0], cell[..., 1]
    seen = (ink > 0) & (y >= 0) & (y < h) & (x >= 0) & (x < w)
    np.maximum.at(cover, (y * w + x)[seen], ink[seen])
    return cover.reshape(h, w)


def curves(start, angle, length, bend, twist, steps: int) -> np.ndarray:
    """Points f32[n*steps,2] along n curves: heading angle + bend t + twist t^2."""
    t = np.linspace(0, 1, steps, dtype=np.float32)
    angle, length, bend, twist = (
        np.asarray(v, np.float32)[:, None] for v in (angle, length, bend, twist)
    )
    heading = angle + bend * t + twist * t**2
    stride = (length / steps)[..., None] * np.stack(
        [np.sin(heading), np.cos(heading)], -1
    )
    path = np.asarray(start, np.float32)[:, None] + np.cumsum(stride, 1)
    return path.reshape(-1, 2)


def scatter(rng: np.random.Generator, count: int, reach: float = 1.0) -> np.ndarray:
    """`count` random points f[n,2] over the frame, enlarged by `reach`."""
    return rng.uniform(-0.5, 0.5, (count, 2)) * (reach, reach * 4 / 3)


def mix(image: np.ndarray, colour, amount: np.ndarray) -> np.ndarray:
    """f32[h,w,3] blended towards `colour` by `amount` f32[h,w]."""
    return image + amount[..., None] * (np.asarray(colour, np.float32) - image)


def photograph(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """White balance, exposure, dim corners, blur and grain; gives u8[h,w,3]."""
    y, x = grid(len(image))
    gain = rng.normal(1, 0.015, 3) * np.exp(rng.normal(0.05, 0.06))
    dim = 1 - np.float32(rng.uniform(0, 0.2)) * (y * y + x * x)
    image = blur(
        image * gain.astype(np.float32) * dim[..., None], rng.uniform(8e-4, 3e-3)
    )
    grain = rng.standard_normal(image.shape, np.float32)
    image = image + grain * np.float32(rng.uniform(0.5, 3))
    return image.clip(0, 255).astype(np.uint8)
