"""The surroundings of `nevi`: skin, spots, hair, gel, ruler, light and camera. Each
function takes a picture f32[h,w,3] in 0..255 and gives it back with one thing more."""

import numpy as np

from segjax.data._canvas import (
    blur,
    canvas_shape,
    clouds,
    curves,
    grid,
    mix,
    scatter,
    sigmoid,
    stamp,
)

MELANIN = np.array([0.4, 0.95, 1.55], np.float32)  # light each takes: red, green, blue
BLOOD = np.array([0.15, 1.4, 1.25], np.float32)


def skin(rng: np.random.Generator, size: int) -> np.ndarray:
    """Bare skin f32[h,w,3]: a tint, mottles and reddish patches."""
    red = np.clip(rng.normal(226, 19), 165, 266)
    green = red * np.clip(rng.normal(0.80, 0.06), 0.64, 0.93)
    blue = green * np.clip(rng.normal(0.86, 0.09), 0.55, 1.06)
    brown = rng.uniform(0.005, 0.04) * clouds(rng, size, 7)
    brown = brown + rng.uniform(0.005, 0.04) * clouds(rng, size, 3)
    brown = brown + rng.uniform(0.003, 0.02) * clouds(rng, size, 22)
    brown = brown + rng.uniform(0.002, 0.03) * clouds(rng, size, 56)
    blood = rng.uniform(0.005, 0.04) * clouds(rng, size, 2)
    blood = blood + rng.uniform(0.005, 0.03) * clouds(rng, size, 12)
    if rng.random() < 0.1:
        patch = sigmoid(4 * (clouds(rng, size, 3) - rng.uniform(0.8, 1.5)))
        blood = blood + rng.uniform(0.03, 0.15) * patch
    taken = brown[..., None] * MELANIN + blood[..., None] * BLOOD
    return np.array([red, green, blue], np.float32) * np.exp(-taken)


def spots(rng: np.random.Generator, size: int, image: np.ndarray) -> np.ndarray:
    """Freckles, pores and now and then a larger neighbour, none of them the lesion."""
    if rng.random() < 0.5:
        count = int(rng.integers(3, 70))
        radius = rng.uniform(0.004, 0.02) * np.exp(0.4 * rng.standard_normal(count))
        cover = stamp(size, scatter(rng, count), radius, 0.012)
        tint = MELANIN if rng.random() < 0.75 else BLOOD
        cover = cover * (1 + 0.4 * clouds(rng, size, 9)).clip(0)
        image = image * np.exp(-rng.uniform(0.04, 0.3) * cover[..., None] * tint)
    if rng.random() < 0.2:
        y, x = grid(size)
        at = scatter(rng, 1)[0]
        at = at * 0.62 / max(np.hypot(*at), 0.1) * rng.uniform(0.7, 1.1)
        wide = rng.uniform(0.02, 0.08)
        away = np.hypot(y - at[0], x - at[1]) + 0.02 * clouds(rng, size, 8)
        cover = sigmoid((wide - away) / 0.015)[..., None]
        image = image * np.exp(-rng.uniform(0.05, 0.2) * cover * MELANIN)
    return image.astype(np.float32)


def hair(rng: np.random.Generator, size: int, image: np.ndarray) -> np.ndarray:
    """Hairs of one person: none, a few, many thin ones, or a thick tangle."""
    style = rng.choice(4, p=[0.28, 0.34, 0.22, 0.16])
    if style == 0:
        return image
    count = int(rng.integers(*((1, 9), (8, 36), (5, 26))[style - 1]))
    width = rng.uniform(*((0.0015, 0.006), (0.001, 0.004), (0.004, 0.010))[style - 1])
    spread = rng.choice([0.2, 0.6, 3.0])
    curl = rng.choice([0.4, 1.5, 5.0], p=[0.45, 0.4, 0.15])
    angle = rng.uniform(0, 2 * np.pi) + spread * rng.standard_normal(count)
    length = rng.uniform(0.2, 1.3, count) * rng.choice([0.25, 1, 1])
    bend, twist = curl * rng.standard_normal(count), curl * rng.standard_normal(count)
    start = scatter(rng, count, 1.2)
    path = curves(start, angle, length, bend, twist, int(1.5 * size))
    cover = stamp(size, path, width / 2) * rng.uniform(0.45, 0.95)
    tone = np.array([62, 42, 32]) * rng.uniform(0.3, 1.4)
    if style < 3 and rng.random() < 0.15:
        tone = np.array([235, 215, 190])  # fair hair, brighter than the skin
    return mix(image, tone, cover)


def gel(rng: np.random.Generator, size: int, image: np.ndarray) -> np.ndarray:
    """What the oil under the glass leaves: bubbles, glints and scratches."""
    if rng.random() < 0.3:
        count = int(rng.integers(1, 7))
        radius = rng.uniform(0.008, 0.06, count)
        turn = 2 * np.pi * rng.uniform(0.6, 1, count)
        start, angle = scatter(rng, count), rng.uniform(0, 6.3, count)
        ring = curves(start, angle, radius * turn, turn, 0 * turn, size)
        cover = stamp(size, ring, rng.uniform(0.001, 0.004))
        image = mix(image, (250, 240, 235), cover * rng.uniform(0.2, 0.7))
    if rng.random() < 0.5:
        count = int(rng.integers(4, 90))
        centre = scatter(rng, 1, 0.8) if rng.random() < 0.5 else 0
        start = centre + scatter(rng, count, 0.4 if np.ndim(centre) else 1)
        angle = rng.uniform(0, 6.3) + rng.choice([0.3, 2]) * rng.standard_normal(count)
        bend = rng.normal(0, 1, count)
        length = rng.uniform(0.004, 0.07) * rng.uniform(0.3, 1.5, count)
        path = curves(start, angle, length, bend, 0 * bend, 2 + size // 8)
        cover = stamp(size, path, rng.uniform(0.0008, 0.003))
        image = mix(image, (252, 244, 242), cover * rng.uniform(0.2, 0.8))
    return image


def ruler(rng: np.random.Generator, size: int, image: np.ndarray) -> np.ndarray:
    """Now and then the marks of a ruler along one side."""
    if rng.random() > 0.04:
        return image
    gap, count = rng.uniform(0.04, 0.1), 40
    run = (np.arange(count) - count / 2) * gap
    length = np.where(np.arange(count) % 5 == 0, 0.05, 0.03)
    side, flat = rng.choice([-0.47, 0.44]), 0 * run
    upright = rng.random() < 0.5
    start = np.stack([run, flat + side * 4 / 3] if upright else [flat + side, run], -1)
    angle = flat + (0 if upright else np.pi / 2)
    path = curves(start, angle, length, flat, flat, 2 + size // 10)
    return mix(image, (40, 40, 45), 0.8 * stamp(size, path, 0.002))


def light(rng: np.random.Generator, size: int, image: np.ndarray) -> np.ndarray:
    """Uneven light and the dark corners of the round field; some pictures have none."""
    y, x = grid(size)
    slope, bulge = rng.normal(0, 0.09, 2), rng.normal(-0.05, 0.15)
    shade = slope[0] * y + slope[1] * x + bulge * (y * y + x * x - 0.2)
    shade = (shade + 0.02 * clouds(rng, size, 2)).astype(np.float32)
    warm = 1 + rng.uniform(0, 0.8) * np.arange(3, dtype=np.float32)
    image = image * np.exp(shade[..., None] * warm)  # dim light is yellower
    if rng.random() < 0.08:
        return image
    y, x = y - rng.normal(0, 0.012), x - rng.normal(0, 0.015)
    rim = rng.normal(0.705, 0.025) if rng.random() < 0.93 else rng.uniform(0.5, 0.66)
    dark = sigmoid((np.hypot(y, x) - rim) / rng.uniform(0.018, 0.036))
    corner = np.array([62, 51, 47]) * rng.uniform(0.7, 1.25) * rng.normal(1, 0.04, 3)
    return mix(image, corner, dark)


def camera(rng: np.random.Generator, size: int, image: np.ndarray) -> np.ndarray:
    """White balance, exposure, blur and grain; gives u8[h,w,3]."""
    image = image * rng.normal(1, 0.02, 3) * np.exp(rng.normal(0, 0.09))
    image = blur(image.astype(np.float32), rng.uniform(0.0015, 0.005))
    h, w = canvas_shape(size)
    grain = rng.standard_normal((h, w, 1), np.float32) * rng.uniform(0.5, 3.5)
    tinted = rng.standard_normal((h, w, 3), np.float32) * rng.uniform(0.3, 1.5)
    return (image + grain + tinted).clip(0, 255).astype(np.uint8)
