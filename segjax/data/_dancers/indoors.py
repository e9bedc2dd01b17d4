"""Walls, curtains and what hangs on them."""

import numpy as np

from segjax.data._canvas import sigmoid
from segjax.data._dancers.face import Face, patch, put
from segjax.data._dancers.palette import BRICKS, CLOTHS, SKIES, SKINS, WOODS, pick
from segjax.data._noise import BUMPS, bumps, noise, wave


def curtain(rng: np.random.Generator, at: Face) -> np.ndarray:
    """A curtain in folds."""
    colour, folds = pick(rng, CLOTHS), rng.uniform(2, 9)
    waves = wave(bumps(rng), at.x[0] * folds)[None]
    light = 0.85 + 0.3 * np.tanh(1.5 * waves) + 0.1 * (at.y / 2 - 0.5)
    return colour * light[..., None]


def plaster(rng: np.random.Generator, at: Face) -> np.ndarray:
    """A painted wall, perhaps of another colour below."""
    image = at.plain(pick(rng, CLOTHS))
    if rng.random() < 0.5:
        put(image, at.step(rng.uniform(0.2, 0.8) - at.y), pick(rng, CLOTHS))
    if rng.random() < 0.6:
        put(image, at.step(rng.uniform(0.03, 0.1) - at.y), pick(rng, WOODS))
    return image


def bricks(rng: np.random.Generator, at: Face) -> np.ndarray:
    """Bricks or large stones."""
    high = rng.uniform(0.05, 0.2)
    row = at.y / high
    column = at.x / (2.3 * high) + 0.5 * (np.floor(row) % 2)
    number = (np.floor(column) + 61 * np.floor(row)).astype(int)
    tone = 0.08 * bumps(rng).ravel()[number % BUMPS**2]
    gap = np.minimum((row % 1) / 0.12, (column % 1) / 0.06).clip(0, 1)
    seen = min(1.0, max(0.0, 0.4 * high * at.fine - 0.6))  # not when too fine
    return pick(rng, BRICKS) * (1 + seen * (tone - 0.2 * (1 - gap)))[..., None]


def panels(rng: np.random.Generator, at: Face) -> np.ndarray:
    """Boards that stand upright, with beams across."""
    column = at.x / rng.uniform(0.1, 0.5)
    tone = 0.07 * bumps(rng).ravel()[np.floor(column).astype(int) % BUMPS]
    gap = 0.3 * (1 - ((column % 1) / 0.08).clip(0, 1))
    image = at.plain(pick(rng, WOODS)) * (1 + tone - gap)[..., None]
    beam = pick(rng, WOODS)
    for y in rng.uniform(0.3, 0.8, 3).cumsum().tolist():
        put(image, at.line(at.y - y, 0.03), beam)
    return image


def rungs(rng: np.random.Generator, at: Face) -> np.ndarray:
    """Bars to climb at, or blinds."""
    image, gap = at.plain(pick(rng, CLOTHS)), rng.uniform(0.07, 0.14)
    bars = at.line(at.y - gap * np.rint(at.y / gap), 0.02)
    for _ in range(int(rng.integers(1, 4))):
        x, wide = at.anywhere(rng), rng.uniform(0.3, 0.7)
        put(image, bars * at.line(at.x - x, wide), pick(rng, WOODS))
        frame = np.maximum(
            at.line(at.x - x - wide, 0.03), at.line(at.x - x + wide, 0.03)
        )
        put(image, frame, pick(rng, WOODS))
    return image


def backdrop(rng: np.random.Generator, at: Face) -> np.ndarray:
    """One colour that goes over into another, lit in the middle."""
    one, two = pick(rng, CLOTHS), pick(rng, CLOTHS)
    share = sigmoid(3 * (at.y - rng.uniform(0, 1.5)))
    pool = np.exp(-((at.x - at.anywhere(rng)) ** 2) - (at.y - 0.8) ** 2)
    return (one + share[..., None] * (two - one)) * (0.75 + 0.35 * pool)[..., None]


def mural(rng: np.random.Generator, at: Face) -> np.ndarray:
    """Blots of several colours, skin's among them."""
    image, grow = at.plain(pick(rng, CLOTHS)), rng.uniform(1.5, 6)
    for _ in range(int(rng.integers(2, 5))):
        field = noise(bumps(rng), grow * at.y[:, 0], grow * at.x[0])
        colour = pick(rng, CLOTHS if rng.random() < 0.7 else SKINS)
        put(image, sigmoid(8 * (field - rng.uniform(0.2, 1))), colour)
    return image


def windows(rng: np.random.Generator, at: Face) -> np.ndarray:
    """Tall windows, or mirrors, in a wall."""
    image, glass, frame = plaster(rng, at), pick(rng, SKIES), pick(rng, CLOTHS)
    wide, gap = rng.uniform(0.3, 0.9), rng.uniform(0.05, 0.5)
    low = rng.uniform(0.05, 0.5)
    x, high = -at.end - rng.uniform(0, 1), low + rng.uniform(0.8, 1.6)
    while x < at.end:
        patch(image, at, (x, x + wide, low, high), frame)
        for half in (x, x + wide / 2):
            pane = half + 0.025, half + wide / 2 - 0.025, low + 0.03, high - 0.03
            patch(image, at, pane, glass)
        x += wide + gap
    return image


def hang_pictures(rng: np.random.Generator, at: Face, image: np.ndarray) -> None:
    """Posters, scrolls and flags on a wall."""
    for _ in range(int(rng.integers(0, 5))):
        x, y = at.anywhere(rng), rng.uniform(0.4, 1.0)
        wide, high = rng.uniform(0.1, 0.5), rng.uniform(0.2, 0.8)
        patch(image, at, (x, x + wide, y, y + high), pick(rng, CLOTHS))
        for _ in range(int(rng.integers(1, 5))):
            a, b, c, d = rng.uniform(0.08, 0.92, 4).tolist()
            sides = x + wide * min(a, b), x + wide * max(a, b)
            ends = y + high * min(c, d), y + high * max(c, d)
            colour = pick(rng, CLOTHS if rng.random() < 0.75 else SKINS)
            patch(image, at, (*sides, *ends), colour)
