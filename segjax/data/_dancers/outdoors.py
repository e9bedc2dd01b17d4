"""What stands behind people in the open: houses, woods and the sky."""

import numpy as np

from segjax.data._dancers.face import Face, patch, put
from segjax.data._dancers.palette import BRICKS, CLOTHS, LEAVES, SKIES, pick
from segjax.data._noise import bumps, noise, wave


def _sky(rng, at: Face) -> np.ndarray:
    return at.plain(pick(rng, SKIES)) * (1.08 - 0.06 * at.y)[..., None].clip(0.8)


def _panes(rng, at: Face, x: float, wide: float, high: float) -> np.ndarray:
    """Where the windows of a house at x are, f32[h,w]."""
    size = rng.uniform(0.12, 0.3)
    gap, base = size * rng.uniform(1.6, 2.6), rng.uniform(0.15, 0.6)
    column, row = (at.x - x - 0.5 * gap) / gap, (at.y - base) / (1.5 * gap)
    across = at.line((column - np.rint(column)) * gap, 0.5 * size)
    across = across * (at.x > x + 0.1) * (at.x < x + wide - 0.1)
    up = at.line((row - np.rint(row)) * 1.5 * gap, 0.75 * size)
    return across * up * (at.y > base - 0.4 * gap) * (at.y < high - 0.1)


def houses(rng: np.random.Generator, at: Face) -> np.ndarray:
    """Houses with windows, and the sky above them."""
    image, x = _sky(rng, at), -at.end - rng.uniform(0, 1.5)
    while x < at.end:
        wide, high = rng.uniform(0.8, 2.5), rng.uniform(1.0, 3.5)
        wall = pick(rng, BRICKS if rng.random() < 0.6 else CLOTHS)
        patch(image, at, (x, x + wide, -1, high), wall)
        glass = pick(rng, SKIES) * rng.uniform(0.3, 1)
        put(image, _panes(rng, at, x, wide, high), glass)
        x += wide + rng.uniform(0, 0.3) * (rng.random() < 0.3)
    return image


def woods(rng: np.random.Generator, at: Face) -> np.ndarray:
    """Hedges and woods below the sky."""
    image, table = _sky(rng, at), bumps(rng)
    grain = noise(table, 9 * at.y[:, 0], 9 * at.x[0])
    for high in sorted(rng.uniform(0.2, 2.0, 3).tolist(), reverse=True):
        edge = high * (1 + 0.25 * wave(bumps(rng), at.x[0] * rng.uniform(1, 3)))[None]
        edge = edge + 0.06 * np.abs(wave(table, at.x[0] * 12))[None]
        tree = pick(rng, LEAVES) * (1 + 0.12 * grain)[..., None]
        image += at.step(edge - at.y)[..., None] * (tree - image)
    return image
