"""Sky, hills and grass: the land that all else stands on."""

import numpy as np

from segjax.data._canvas import grid, sigmoid
from segjax.data._noise import bumps, noise, wave
from segjax.data._pasture.canvas import GRASS, SKY, Canvas
from segjax.data._pasture.view import View
from segjax.data._pasture.weather import Weather

_FLOWERS = ((246, 243, 236), (242, 216, 70), (198, 152, 216))
_RIDGES = 3


def _ground(rng, y, x, view: View, weather: Weather) -> np.ndarray:
    """Grass f32[h,w,3]: greens that change slowly, and tufts, finer far away."""
    far = (1 - (y - view.horizon) / (0.5 - view.horizon)).clip(0, 1)
    one, two, three = bumps(rng), bumps(rng), bumps(rng)
    near, away = weather.grass
    rows, columns = y[:, 0], x[0]
    slow = 0.6 * noise(one, rows * 8, columns * 2)
    slow = slow + 0.4 * noise(two, rows * 18, columns * 5)
    dry = np.array([0.075, 0.02, -0.05], np.float32) * np.float32(rng.uniform(0.2, 1.1))
    light = 0.03 * noise(two, rows * 22, columns * 5)
    light = light + 0.05 * far * noise(three, rows * 110, columns * 36)
    light = light + 0.06 * (1 - far) * noise(three, rows * 30, columns * 44)
    light = light + 0.07 * (1 - far) * noise(one, rows * 64, columns * 130)
    colour = near + (far**1.5)[..., None] * (away - near)
    ground = colour * (1 + slow[..., None] * dry + light[..., None])
    ground = ground * weather.tint**0.6
    haze = weather.haze * np.exp((view.horizon - y).clip(None, 0) / 0.12)
    return ground + haze[..., None] * (weather.sky[1] - ground)


def _flowers(rng, image: np.ndarray, view: View, weather: Weather) -> None:
    """Small flowers in drifts, finer far away."""
    table, place = bumps(rng), rng.random((700, 2))
    hue = np.array(_FLOWERS[rng.integers(len(_FLOWERS))])
    h, w = image.shape[:2]
    place = place[: int(700 * weather.flowers)]
    y = view.horizon + (0.5 - view.horizon) * (0.15 + 0.85 * place[:, 0])
    row, column = ((y + 0.5) * h).astype(int), (place[:, 1] * w).astype(int)
    drift = table[(place[:, 0] * 9).astype(int), (place[:, 1] * 12).astype(int)]
    seen = (row >= 0) & (row < h) & (drift > 0)
    cover = np.minimum(1, 2.4 * (view.scale(y) * 0.055) ** 2 * h * h)[seen, None]
    row, column = row[seen], column[seen]
    image[row, column] += cover * (hue - image[row, column])


def _sky(rng, y, x, view: View, weather: Weather) -> np.ndarray:
    """Sky f32[h,w,3] down to the horizon, with clouds that flatten towards it."""
    high = ((view.horizon - y) / 0.45).clip(0, 1)
    top, foot = weather.sky
    colour = foot + (high**0.8)[..., None] * (top - foot)
    one, two = bumps(rng), bumps(rng)
    up = 1.6 * np.log(0.06 + (view.horizon - y[:, 0]).clip(0)) + 9
    field = noise(one, 3 * up, 3 * x[0]) + 0.5 * noise(two, 6 * up, 7 * x[0])
    field = field + 0.2 * noise(two, 14 * up, 17 * x[0])
    cover = sigmoid(3.5 * (field + 2.6 * (weather.clouds - 0.5) - 0.4))
    white = foot + 0.75 * (np.array([255, 252, 248], np.float32) - foot)
    shadow = np.tanh(field - noise(one, 3 * up - 0.3, 3 * x[0]))
    lit = 0.95 + 0.05 * shadow
    return colour + (0.85 * cover)[..., None] * (white * lit[..., None] - colour)


def _hills(rng, y, x, view: View, weather: Weather, image: np.ndarray) -> np.ndarray:
    """Paints ridges above the horizon, the farther the bluer, some of them wooded;
    gives where the sky is still seen, bool[h,w]."""
    table = bumps(rng)
    green = weather.grass[1]
    woods = green * np.array([0.54, 0.66, 0.62], np.float32)
    tops = np.sort(rng.uniform(0.0, 0.11, _RIDGES))[::-1]
    wooded = rng.random(_RIDGES) < (0.5, 0.6, 0.45)
    open_ = np.ones(image.shape[:2], bool)
    grain = noise(table, y[:, 0] * 40, x[0] * 32)
    for k, (top, wood) in enumerate(zip(tops, wooded)):
        ridge = top * (1 + 0.8 * wave(table[k:], x[0] * (2.2 + k) + 7 * k))
        if wood:
            crowns = 0.35 * np.abs(wave(table[k + 4 :], x[0] * 26))
            crowns = crowns + 0.5 * np.abs(wave(table[k + 8 :], x[0] * 11))
            ridge = ridge + 0.026 * crowns + 0.006
        below = y - (view.horizon - ridge.clip(-0.004)).astype(np.float32)
        far = min((0.75, 0.5, 0.22)[k] * (0.45 + 0.75 * weather.haze), 0.92)
        colour = woods if wood else green
        colour = colour + far * (weather.sky[1] * 0.94 - colour)
        slope = 0.6 * (below - 0.05).clip(-0.1, 0.1)
        light = 1 + (0.07 if wood else 0.02) * grain + slope
        cover = (below * (1 / (y[1, 0] - y[0, 0])) + 0.5).clip(0, 1)
        image += cover[..., None] * (colour * light[..., None] - image)
        open_ &= below < 0
    return open_


def paint_land(
    rng: np.random.Generator, canvas: Canvas, view: View, weather: Weather
) -> None:
    """Paints sky, hills and grass, and writes their labels."""
    size = len(canvas.image)
    y, x = grid(size)
    above = int((y[:, 0] < view.horizon).sum())
    sky_rng, hills_rng, ground_rng, flowers_rng = rng.spawn(4)
    canvas.semantic[:] = GRASS
    canvas.image[above:] = _ground(ground_rng, y[above:], x, view, weather)
    if above > 1:
        up = y[:above]
        sky = _sky(sky_rng, up, x, view, weather)
        open_ = _hills(hills_rng, up, x, view, weather, sky)
        canvas.image[:above] = sky
        canvas.semantic[:above][open_ & (up < view.horizon)] = SKY
    _flowers(flowers_rng, canvas.image, view, weather)
