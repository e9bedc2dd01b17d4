"""Pictures of masks: classes in colours over the picture, and where two differ."""

import colorsys

import numpy as np
from PIL import Image, ImageDraw

from segjax.base import VOID, Info
from segjax.ops.sides import side_of

_GAP, _CAPTION = 4, 16  # pixels of a sheet
_GREY = np.array([128, 128, 128], np.uint8)


def palette(info: Info) -> np.ndarray:
    """A colour for each class: the data set's own, or hues spread apart. u8[c,3]"""
    if info.colors:
        return np.array(info.colors, np.uint8)
    count = len(info.classes)
    hues = [
        (k * 0.618 - 0.16) % 1 for k in range(count)
    ]  # golden steps: neighbours differ
    colors = [colorsys.hsv_to_rgb(hue, 0.9, 1.0) for hue in hues]
    colors[0] = (0, 0, 0)
    return np.array(np.array(colors) * 255, np.uint8)


def overlay(image: np.ndarray, semantic: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """The picture with every class but the background tinted and outlined. u8[h,w,3]"""
    table = np.vstack([colors, np.tile(_GREY, (256 - len(colors), 1))])
    tint = table[semantic]
    strength = np.where(semantic == 0, 0.0, 0.35)[..., None]
    strength[_edges(semantic)] = 1.0
    strength[semantic == 0] = 0.0
    mixed = np.asarray(image, np.float32) * (1 - strength) + tint * strength
    return mixed.round().astype(np.uint8)


def difference(
    image: np.ndarray, semantic: np.ndarray, truth: np.ndarray
) -> np.ndarray:
    """The picture in grey; red where class was missed or mistaken, blue where it was
    found in the background. u8[h,w,3]"""
    grey = np.repeat(np.asarray(image).mean(-1, keepdims=True), 3, -1) * 0.6 + 60
    wrong = (semantic != truth) & (truth != VOID)
    grey[wrong & (truth != 0)] = (230, 40, 40)
    grey[wrong & (truth == 0)] = (60, 90, 240)
    return grey.round().astype(np.uint8)


def strip(
    image: np.ndarray,
    semantic: np.ndarray,
    truth: np.ndarray | None,
    colors: np.ndarray,
) -> np.ndarray:
    """Picture and prediction; with the truth: picture, truth, prediction, and where
    they differ, side by side. u8[h,n*w,3]"""
    image = np.asarray(image).round().astype(np.uint8)
    panels = [image, overlay(image, semantic, colors)]
    if truth is not None:
        panels.insert(1, overlay(image, truth, colors))
        panels.append(difference(image, semantic, truth))
    return np.concatenate(panels, axis=1)


def object_strip(
    image: np.ndarray,
    prediction: dict[str, np.ndarray],
    truth: dict[str, np.ndarray] | None,
    info: Info,
    stuff: bool,
) -> np.ndarray:
    """Picture and prediction; with the truth: picture, truth and prediction, each
    object in a colour of its own, outlined in that of its class. stuff: whether classes
    without objects are shown too. u8[h,n*w,3]"""
    image = np.asarray(image).round().astype(np.uint8)
    shown = [prediction] if truth is None else [truth, prediction]
    colors = palette(info)
    tinted = [stuff and name not in info.things for name in info.classes]
    tinted += [False] * (256 - len(tinted))
    drawn = []
    for one in shown:
        semantic, ids = np.asarray(one["semantic"]), np.asarray(one["instance"])
        under = np.where(np.array(tinted)[semantic], semantic, 0).astype(np.uint8)
        outline = colors[np.minimum(semantic, len(colors) - 1)]
        drawn.append(objects(overlay(image, under, colors), ids, outline))
    return np.concatenate([image, *drawn], axis=1)


def objects(image: np.ndarray, ids: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """The picture with each object tinted in a colour of its own and outlined.
    u8[h,w,3], i32[h,w], u8[h,w,3] -> u8[h,w,3]"""
    hue = ids * 0.618 % 1  # golden steps: neighbours in number are far in colour
    wave = np.stack([(hue + turn) % 1 for turn in (0, 2 / 3, 1 / 3)], -1)
    tint = (abs(wave * 6 - 3) - 1).clip(0, 1) * 255
    inside = (ids > 0)[..., None]
    mixed = np.where(inside, (image + tint) / 2, image)
    edge = _edges(ids)[..., None] & inside
    return np.where(edge, outline, mixed).round().astype(np.uint8)


def skeleton_strip(
    image: np.ndarray,
    prediction: dict[str, np.ndarray],
    truth: dict[str, np.ndarray] | None = None,
    *,
    info: Info,
    classes: bool = False,
) -> np.ndarray:
    """Picture and prediction; with the truth: picture, truth and prediction, with the
    skeletons laid over them. classes: whether these are shown too, below.
    u8[h,n*w,3]"""
    image = np.asarray(image).round().astype(np.uint8)
    drawn = []
    for one in [prediction] if truth is None else [truth, prediction]:
        under = image
        if classes:
            under = overlay(image, np.asarray(one["semantic"]), palette(info))
        drawn.append(skeletons(under, np.asarray(one["keypoints"]), info))
    return np.concatenate([image, *drawn], axis=1)


def skeletons(image: np.ndarray, people: np.ndarray, info: Info) -> np.ndarray:
    """The picture with each limb in a colour of its own, warm on the right side of the
    body and cold on the left, and joints as dots. u8[h,w,3], f32[p,j,3] -> u8[h,w,3]"""
    paper = Image.fromarray(image)
    pen = ImageDraw.Draw(paper)
    thick = max(1, round(max(image.shape[:2]) / 100))
    shades = [_shade(name, k) for k, name in enumerate(info.joints)]
    for person in people:
        for a, b in info.limbs:
            if min(person[a, 2], person[b, 2]) > 0:
                ends = [(x, y) for y, x in person[[a, b], :2].tolist()]
                pen.line(ends, shades[b], thick)
        for (y, x, there), shade in zip(person.tolist(), shades):
            if there > 0:
                box = (x - thick, y - thick, x + thick, y + thick)
                pen.ellipse(box, shade)
    return np.asarray(paper)


def _shade(joint: str, number: int) -> tuple[int, ...]:
    start = {"right": 0.95, "left": 0.5}.get(side_of(joint)[0], 0.22)
    hue = (start + 0.05 * (number % 4)) % 1
    return tuple(round(255 * v) for v in colorsys.hsv_to_rgb(hue, 0.85, 1.0))


def sheet(examples: list[dict], info: Info, columns: int = 6) -> np.ndarray:
    """Pictures with their masks and joints laid over them, side by side, named.
    u8[h,w,3]"""
    side, colors = max(e["image"].shape[1] for e in examples) + _GAP, palette(info)
    rows = [examples[k : k + columns] for k in range(0, len(examples), columns)]
    heights = [max(e["image"].shape[0] for e in row) + _CAPTION for row in rows]
    paper = Image.new("RGB", (columns * side, sum(heights)), "white")
    pen = ImageDraw.Draw(paper)
    for y, row in zip(np.cumsum([0, *heights]).tolist(), rows):
        for k, example in enumerate(row):
            drawn = example["image"]
            if "semantic" in info.provides:
                drawn = overlay(drawn, example["semantic"], colors)
            if "keypoints" in info.provides:
                drawn = skeletons(drawn, example["keypoints"], info)
            paper.paste(Image.fromarray(drawn), (k * side, y))
            name = example["name"].encode("ascii", "replace").decode()[-side // 7 :]
            pen.text((k * side + 2, y + drawn.shape[0] + 1), name, "black")
    return np.asarray(paper)


def _edges(labels: np.ndarray) -> np.ndarray:
    """Pixels with a neighbour of another class. bool[h,w]"""
    edge = np.zeros(labels.shape, bool)
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    return edge
