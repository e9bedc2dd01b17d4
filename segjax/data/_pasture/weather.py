"""Season and weather: the colours of sky and grass, and where the light comes from."""

from typing import NamedTuple

import numpy as np

_SEASONS = {  # grass near and far, and how many flowers
    "spring": ((112, 158, 68), (162, 194, 118), 1.0),
    "early summer": ((126, 158, 70), (172, 190, 118), 0.7),
    "late summer": ((172, 168, 92), (202, 196, 134), 0.2),
    "autumn": ((148, 146, 72), (182, 172, 108), 0.1),
    "winter": ((144, 164, 112), (186, 196, 160), 0.0),
}
_SKIES = {  # top and foot of the sky, share of direct sun, its colour, and the haze
    "clear": ((72, 132, 206), (182, 214, 236), 0.55, (1.06, 1.02, 0.93), 0.15),
    "fair": ((92, 140, 200), (196, 214, 228), 0.45, (1.04, 1.01, 0.95), 0.2),
    "overcast": ((158, 168, 180), (206, 210, 212), 0.12, (0.97, 0.99, 1.02), 0.35),
    "mist": ((194, 202, 208), (218, 221, 220), 0.08, (1.0, 1.0, 1.0), 0.75),
    "evening": ((104, 124, 178), (250, 198, 140), 0.6, (1.11, 0.97, 0.81), 0.25),
}


class Weather(NamedTuple):
    """Colours are f32[3] in 0..255, tints around 1."""

    sky: np.ndarray  # f32[2,3], top and foot
    grass: np.ndarray  # f32[2,3], near and far
    flowers: float
    clouds: float  # share of the sky
    haze: float  # of what is farthest
    sun: np.ndarray  # f32[3], towards it: right, up, to the viewer
    direct: float  # share of the light that casts shadows
    tint: np.ndarray  # of the light


def _colours(rng, colours, spread):
    one = rng.normal(0, 0.6 * spread, (1, 3)) + rng.normal(0, spread, (2, 1))
    return (np.array(colours) + one).clip(20, 250).astype(np.float32)


def make_weather(rng: np.random.Generator) -> Weather:
    """A day of the year."""
    near, far, flowers = _SEASONS[rng.choice(list(_SEASONS))]
    odds = [0.3, 0.25, 0.2, 0.08, 0.17]
    kind = rng.choice(list(_SKIES), p=odds)
    top, foot, direct, tint, haze = _SKIES[kind]
    high = rng.uniform(0.3, 0.5) if kind == "evening" else rng.uniform(0.7, 1.5)
    side = rng.choice([-1, 1]) * rng.uniform(0.35, 0.9)
    sun = np.array([side, high, rng.uniform(-0.15, 0.8)], np.float32)
    many = rng.uniform(0.75, 1) if kind in ("overcast", "mist") else rng.random() * 0.6
    return Weather(
        sky=_colours(rng, (top, foot), 8),
        grass=_colours(rng, (near, far), 7),
        flowers=flowers * rng.random() * (rng.random() < 0.6),
        clouds=many,
        haze=haze * rng.uniform(0.5, 1.2),
        sun=sun / np.sqrt((sun**2).sum()),
        direct=direct * rng.uniform(0.7, 1.15),
        tint=np.array(tint, np.float32),
    )
