"""Things that stand about, some of them nearly as tall and slim as people."""

import numpy as np

from segjax.data._dancers.palette import CLOTHS, LEAVES, METALS, WOODS, pick
from segjax.data._dancers.part import Part, Stripes, make_part


def _v(x: float, y: float, z: float = 0.0) -> np.ndarray:
    return np.array([x, y, z], np.float32)


def _stick(a, b, radius: float, end: float | None = None) -> tuple:
    """A bone from place to place."""
    return _v(*a), _v(*b), radius, radius if end is None else end


def _stand(high: float, radius: float, reach: float) -> list[tuple]:
    """A pole on three feet."""
    ways = np.deg2rad([20, 140, 260])
    ends = [(reach * np.sin(t), 0.015, reach * np.cos(t)) for t in ways]
    feet = [_stick((0, 0.08), end, 0.012, 0.01) for end in ends]
    return [*feet, _stick((0, 0.01), (0, high), radius)]


def coat_stand(rng: np.random.Generator) -> list[Part]:
    """A coat and perhaps a hat on a stand."""
    cloth, high = pick(rng, CLOTHS), rng.uniform(0.72, 0.86)
    body, sleeves = [_stick((-0.08, high), (0.08, high), 0.035)], []
    for k in (-1, 1):
        seam, hem = (k * 0.06, high - 0.05), (k * 0.085, high - 0.45)
        body.append(_stick(seam, hem, 0.06, 0.07))
        cuff = k * 0.14, high - 0.3
        sleeves.append(_stick((k * 0.11, high), cuff, 0.036, 0.034))
    parts = [
        make_part(_stand(high + 0.14, 0.014, 0.16), pick(rng, WOODS)),
        make_part(body, cloth, soft=0.02),
        make_part(sleeves, cloth),
    ]
    if rng.random() < 0.5:
        top = high + 0.13
        brim = _stick((-0.06, top), (0.06, top), 0.014)
        crown = _stick((0, top + 0.02), (0, top + 0.03), 0.05, 0.045)
        parts.append(make_part([brim, crown], pick(rng, CLOTHS)))
    return parts


def post(rng: np.random.Generator) -> list[Part]:
    """A wooden post with arms and a leg, to train at."""
    wood, ways = pick(rng, WOODS), rng.uniform(-0.3, 0.3, 3)
    limbs = [
        _stick((0, y, 0.05), (way, y + 0.02, 0.2), 0.02, 0.012)
        for y, way in zip((0.78, 0.74, 0.55), ways)
    ]
    limbs.append(_stick((0, 0.4, 0.05), (0.05, 0.22, 0.2), 0.022, 0.018))
    limbs.append(_stick((0.05, 0.22, 0.2), (0.06, 0.03, 0.16), 0.018))
    trunk = _stick((0, 0.01), (0, rng.uniform(0.9, 1.05)), 0.07)
    return [make_part([trunk], wood), make_part(limbs, wood * 1.1)]


def bag(rng: np.random.Generator) -> list[Part]:
    """A bag to box at, which hangs from above."""
    skin, low = pick(rng, CLOTHS), rng.uniform(0.25, 0.4)
    chain = _stick((0, low + 0.55), (0, 3), 0.008)
    sack = _stick((0, low + 0.09), (0, low + 0.5), 0.095, 0.09)
    tape = _stick((-0.08, low + 0.4, 0.04), (0.08, low + 0.4, 0.04), 0.02)
    return [
        make_part([chain], pick(rng, METALS)),
        make_part([sack], skin),
        make_part([tape], skin * 0.6),
    ]


def plant(rng: np.random.Generator) -> list[Part]:
    """Leaves in a pot."""
    high, many = rng.uniform(0.2, 0.7), int(rng.integers(5, 10))
    ways, leans = rng.uniform(0, 2 * np.pi, many), rng.uniform(0.05, 0.26, many)
    leaves = []
    for way, out in zip(ways, leans):
        tip = out * np.sin(way), 0.2 + high * rng.uniform(0.6, 1), out * np.cos(way)
        leaves.append(_stick((0, 0.2), tip, 0.012, rng.uniform(0.02, 0.045)))
    tones = pick(rng, LEAVES) * rng.uniform(0.75, 1.2, (many, 1))
    pot = _stick((0, 0.07), (0, 0.17), 0.07, 0.085)
    return [make_part([pot], pick(rng, CLOTHS)), make_part(leaves, tones)]


def lamp(rng: np.random.Generator) -> list[Part]:
    """A lamp, or a microphone, on a pole."""
    high, top = rng.uniform(0.75, 1.6), rng.uniform(0.03, 0.07)
    glow = (250, 240, 200) if rng.random() < 0.6 else pick(rng, METALS)
    pole = _stand(high, rng.uniform(0.008, 0.03), 0.14)
    bulb = _stick((0, high), (0.02, high + 0.03), top, 0.8 * top)
    return [make_part(pole, pick(rng, METALS)), make_part([bulb], glow)]


def rail(rng: np.random.Generator) -> list[Part]:
    """A barre to hold on to, or a railing."""
    half, high = rng.uniform(0.4, 1.2), rng.uniform(0.4, 0.58)
    heights = (high,) if rng.random() < 0.5 else (high, 0.6 * high)
    bones = [_stick((-half, y), (half, y), 0.017) for y in heights]
    bones += [_stick((x, 0.02), (x, high), 0.015) for x in (-half, half)]
    return [make_part(bones, pick(rng, WOODS if rng.random() < 0.5 else METALS))]


def _board(x0, x1, y0, y1, z, colour, **look) -> Part:
    middle, half = (x0 + x1) / 2, (x1 - x0) / 2
    ends = _stick((middle, y0, z), (middle, y1, z), half)
    return make_part([ends], colour, flat=True, **look)


def crate(rng: np.random.Generator) -> list[Part]:
    """A box or a loudspeaker."""
    colour, deep = pick(rng, CLOTHS), rng.uniform(0.1, 0.25)
    half, high = rng.uniform(0.1, 0.3), rng.uniform(0.15, 0.6)
    top = make_part(
        [_stick((0, high, deep), (0, high, -deep), half)], colour * 1.15, flat=True
    )
    if rng.random() < 0.4:
        cones = []
        for y, size in ((0.3 * high, 0.55), (0.72 * high, 0.33)):
            cones.append(
                _stick((0, y, deep), (0, y, deep), size * min(half, 0.45 * high))
            )
        front = _board(-half, half, 0.0, high, deep, colour)
        return [top, front, make_part(cones, colour * 0.45, small=True)]
    band = Stripes(_v(0, 0), _v(0, high / rng.integers(1, 5)), colour * 0.8)
    return [top, _board(-half, half, 0.0, high, deep, colour, stripes=band)]


def banner(rng: np.random.Generator) -> list[Part]:
    """A banner that stands on the floor."""
    half, high = rng.uniform(0.1, 0.2), rng.uniform(0.7, 1.15)
    gap, start = rng.uniform(0.15, 0.5), rng.random()
    band = Stripes(_v(0, start), _v(0, gap), pick(rng, CLOTHS))
    cloth = _board(-half, half, 0.05, high, 0.0, pick(rng, CLOTHS), stripes=band)
    foot = _stick((-half, 0.03), (half, 0.03), 0.02)
    return [make_part([foot], pick(rng, METALS)), cloth]


def seat(rng: np.random.Generator) -> list[Part]:
    """A stool or a bench."""
    half, high = rng.uniform(0.1, 0.45), rng.uniform(0.2, 0.3)
    top = _stick((-half, high, 0.02), (half, high, 0.02), 0.026)
    legs = [
        _stick((0.9 * x, 0.02, z), (0.8 * x, high, z), 0.013)
        for x in (-half, half)
        for z in (-0.07, 0.07)
    ]
    return [make_part([top], pick(rng, CLOTHS)), make_part(legs, pick(rng, METALS))]


def ball(rng: np.random.Generator) -> list[Part]:
    """A ball on the floor."""
    radius, colour = rng.uniform(0.04, 0.16), pick(rng, CLOTHS)
    way = rng.normal(0, radius, 3).astype(np.float32)
    band = Stripes(_v(0, 0), way, pick(rng, CLOTHS))
    place = 0, radius
    return [make_part([_stick(place, place, radius)], colour, stripes=band)]


def tree(rng: np.random.Generator) -> list[Part]:
    """A trunk and its crown."""
    thick, high = rng.uniform(0.04, 0.12), rng.uniform(1.0, 1.8)
    trunk = _stick((0, 0), (rng.normal(0, 0.05), high), thick, 0.8 * thick)
    crown = []
    for x, y, z in rng.normal(0, (0.2, 0.2, 0.1), (6, 3)):
        place = x, high + y, z
        crown.append(_stick(place, place, rng.uniform(0.15, 0.32)))
    return [
        make_part([trunk], pick(rng, WOODS) * 0.8),
        make_part(crown, pick(rng, LEAVES), soft=0.03),
    ]
