"""The lesions of `nevi`: an outline as a field that is positive inside (about the
distance to the border, in heights), and the pigment that fills it."""

import numpy as np

from segjax.data._canvas import clouds, grid, scatter, sigmoid, stamp
from segjax.data._nevi.scene import BLOOD

KINDS = ("typical nevus", "atypical nevus", "melanoma")


def _by_kind(kind: str, typical: float, atypical: float, melanoma: float) -> float:
    return (typical, atypical, melanoma)[KINDS.index(kind)]


def _share(rng: np.random.Generator, kind: str) -> float:
    """Share of the frame to cover: melanomas mostly fill it, nevi rarely."""
    if kind == "melanoma":
        return float(np.clip(rng.normal(0.66, 0.2), 0.15, 0.96))
    return float(np.clip(0.185 * np.exp(0.6 * rng.standard_normal()), 0.035, 0.58))


def _blob(rng, y, x, radius, lobes):
    """Distance-like field of a wavy ellipse; `lobes` is how wavy it is."""
    turn, stretch = rng.uniform(0, np.pi), np.exp(rng.uniform(0, 0.28))
    sin, cos = float(np.sin(turn)), float(np.cos(turn))
    u, v = (y * cos + x * sin) * float(stretch), (x * cos - y * sin) / float(stretch)
    away = np.hypot(u, v) + np.float32(1e-6)
    round_ = (v + np.complex64(1j) * u) / away  # unit vector of the angle
    waves = np.complex64(0)
    for k in range(9, 1, -1):  # Horner: the sum of waves[k] * round_ ** k
        wave = lobes / k * (rng.normal() + 1j * rng.normal())
        waves = (waves + np.complex64(wave)) * round_
    swing = 0.6 * np.tanh((waves * round_).real / 0.6)  # no lobe may reach the middle
    return np.float32(radius) * (1 + swing) - away


def outline(rng: np.random.Generator, size: int, kind: str) -> np.ndarray:
    """Field f32[h,w] of one lesion: > 0 inside, about the distance to its border."""
    y, x = grid(size)
    share = _share(rng, kind)
    spread = _by_kind(kind, 0.06, 0.06, 0.09)
    y, x = y - rng.normal(0, spread), x - rng.normal(0, 1.4 * spread)
    radius = np.sqrt(share * 4 / 3 / np.pi)
    wild = _by_kind(kind, 0.5, 1.0, 1.3) * rng.uniform(0.3, 1.3)
    bend = 0.10 * wild * radius
    y, x = y + bend * clouds(rng, size, 3), x + bend * clouds(rng, size, 3)
    field = _blob(rng, y, x, radius, 0.16 * wild)
    if rng.random() < _by_kind(kind, 0.15, 0.3, 0.45):  # a second part grown on
        dy, dx = radius * rng.uniform(0.5, 1.1) * _direction(rng)
        second = _blob(rng, y - dy, x - dx, radius * rng.uniform(0.4, 0.9), 0.2 * wild)
        field = np.maximum(field, second)
    if rng.random() < _by_kind(kind, 0.05, 0.15, 0.3):  # a notch
        dy, dx = radius * rng.uniform(0.9, 1.2) * _direction(rng)
        bite = _blob(rng, y - dy, x - dx, radius * rng.uniform(0.2, 0.5), 0.2)
        field = np.minimum(field, -bite)
    jag = 0.011 * rng.uniform(0.3, 1.5) * wild
    field = field + jag * clouds(rng, size, 14) + 0.2 * jag * clouds(rng, size, 36)
    return (field - np.quantile(field, 1 - share)).astype(np.float32)


def _direction(rng: np.random.Generator) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi)
    return np.array([np.sin(angle), np.cos(angle)])


def _net(rng, size, cells):
    """Honeycomb f32[h,w] in about [-1,1], negative in the holes, on a warped plane."""
    y, x = grid(size)
    bend = 0.35 / cells
    y, x = y + bend * clouds(rng, size, 10), x + bend * clouds(rng, size, 10)
    turn = rng.uniform(0, np.pi)
    waves = 0
    for third in range(3):
        a = turn + third * 2 * np.pi / 3
        waves = waves + np.cos(2 * np.pi * cells * (y * np.sin(a) + x * np.cos(a)))
    return 0.6 - waves * 0.5


def _stripes(rng, size, cells):
    """Parallel furrows f32[h,w] in [-1,1], slightly bent."""
    y, x = grid(size)
    turn = rng.uniform(0, np.pi)
    line = y * np.sin(turn) + x * np.cos(turn) + 0.4 / cells * clouds(rng, size, 3)
    return np.cos(2 * np.pi * cells * line)


def _texture(rng, size, kind):
    """Factor f32[h,w] around 1 for the pigment's fine structure."""
    grain = rng.uniform(0.02, 0.12) * clouds(rng, size, 40)
    grain = grain + rng.uniform(0.02, 0.15) * clouds(rng, size, 18)
    if rng.random() < 0.45:
        net = _net(rng, size, int(rng.integers(14, 46)))
        where = sigmoid(2 * clouds(rng, size, 4) + rng.uniform(-1, 2))
        grain = grain + rng.uniform(-0.12, 0.25) * net * where
    if rng.random() < 0.07:
        grain = grain + rng.uniform(0.1, 0.3) * _stripes(rng, size, rng.integers(7, 20))
    if rng.random() < 0.4:
        count = int(rng.integers(5, 120))
        radius = rng.uniform(0.003, 0.014) * np.exp(0.3 * rng.standard_normal(count))
        dots = stamp(size, scatter(rng, count), radius, 0.006)
        grain = grain + rng.choice([-0.4, 0.8, 1.5]) * rng.uniform(0.3, 1) * dots
    return 1 + grain


def _edge(rng, size, field, kind):
    """Pigment's rise f32[h,w] from 0 to 1 across the border, a faint halo outside.

    A mask's border runs at the foot of the rise, where a quarter of the depth is
    reached, as people draw it; around melanomas they draw it wider."""
    soft = 0.011 * np.exp(rng.normal(0, 0.35))
    ragged = rng.uniform(0, 0.010) * clouds(rng, size, 24)
    ragged = ragged + rng.uniform(0, 0.010) * clouds(rng, size, 11)
    foot = _by_kind(kind, 1.2, 1.2, 1.5)
    edge = sigmoid((field + ragged) / soft - foot)
    faint = 0.08 * rng.random()
    halo = faint * np.exp(np.minimum(field, 0) / rng.uniform(0.02, 0.09))
    return edge + halo * (1 - edge)


def _body(rng, size, field, kind):
    """Depth f32[h,w] around 1 of the pigment inside: its patches, core and gaps."""
    depth = np.clip(field / max(field.max(), 1e-3), 0, 1)
    uneven = _by_kind(kind, 0.2, 0.3, 0.35) * rng.uniform(0.3, 1.5)
    low, mid = clouds(rng, size, 3), clouds(rng, size, 8)
    body = np.exp(uneven * low + 0.6 * uneven * mid)
    body = body * (1 + rng.uniform(-0.6, 1.1) * (depth - 0.4))
    if rng.random() < _by_kind(kind, 0.2, 0.3, 0.4):  # a dark core on a pale plate
        level = rng.uniform(0.15, 0.5) * field.max()
        core = field + 0.08 * rng.uniform(0.3, 1.5) * clouds(rng, size, 4) - level
        plate = rng.uniform(0.35, 0.7)
        body = body * (plate + (1 - plate) * sigmoid(core / rng.uniform(0.008, 0.04)))
    if rng.random() < _by_kind(kind, 0.05, 0.12, 0.45):  # regression: pale yet inside
        gap = clouds(rng, size, 3) - rng.uniform(0.3, 1.5)
        pale = sigmoid(gap * rng.uniform(3, 9))
        body = body * (1 - rng.uniform(0.3, 0.8) * pale)
    return body.clip(0.3)


def pigment(
    rng: np.random.Generator, size: int, field: np.ndarray, kind: str
) -> np.ndarray:
    """Amount of pigment f32[h,w]: 0 on bare skin and around 1 well inside."""
    amount = _edge(rng, size, field, kind) * _body(rng, size, field, kind)
    return (amount * _texture(rng, size, kind).clip(0.1)).astype(np.float32)


def absorption(rng: np.random.Generator, depth: float, kind: str) -> np.ndarray:
    """What pigment takes from red, green and blue, f[3] of mean about 1: light pigment
    is orange brown, deep pigment greyer."""
    grey = np.clip(0.45 + 0.35 * np.log(depth / 0.5) + rng.normal(0, 0.25), -0.1, 1.1)
    brown = np.array([0.26, 0.92, 1.9]) * (1 - grey) + np.array([0.85, 1.0, 1.2]) * grey
    if rng.random() < _by_kind(kind, 0.1, 0.1, 0.2):
        brown = 0.5 * brown + 0.5 * np.array([0.2, 1.45, 1.35])
    return brown * np.exp(rng.normal(0, 0.08, 3))


def stain(rng: np.random.Generator, size: int, image, field, kind: str) -> np.ndarray:
    """The skin f32[h,w,3] with the lesion on it."""
    strength = _by_kind(kind, 0.58, 0.75, 0.95) * np.exp(rng.normal(0, 0.45))
    strength = float(np.clip(strength, 0.4, 2.2))
    layer = strength * pigment(rng, size, field, kind)
    first, second = absorption(rng, strength, kind), absorption(rng, strength, kind)
    blend = sigmoid(2.5 * clouds(rng, size, 4))[..., None]
    taken = layer[..., None] * (first + (second - first) * blend)
    floor = np.array([36, 26, 24], np.float32) * rng.uniform(0.3, 1.3)
    if rng.random() < _by_kind(kind, 0.3, 0.3, 0.1):  # reddened skin around it
        flush = rng.uniform(0.02, 0.1) * np.exp(
            -np.abs(field) / rng.uniform(0.02, 0.12)
        )
        taken = taken + flush[..., None] * BLOOD
    image = floor + (image - floor) * np.exp(-taken.astype(np.float32))
    if rng.random() < _by_kind(kind, 0.06, 0.2, 0.6):  # blue-grey veil
        veil = sigmoid((clouds(rng, size, 3) - rng.uniform(-0.5, 1)) * 4)
        veil = veil * sigmoid(field / 0.02 - 1) * rng.uniform(0.25, 0.75)
        hue = np.array([105, 105, 118]) + rng.normal(0, 14) + rng.normal(0, 7, 3)
        image = image + veil[..., None] * (hue.astype(np.float32) - image)
    return image.astype(np.float32)
