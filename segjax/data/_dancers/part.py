"""Parts: tapered bones, or boards, that are painted in one go.

Places are (x, y, z) in space and (u, v, near) as seen: right, up and towards the
viewer, in heights of a grown body, from where a figure stands."""

from typing import NamedTuple

import numpy as np

_LOW = 0.1  # below this, what is over the floor keeps light from it


class Stripes(NamedTuple):
    """Bands across a part."""

    place: np.ndarray  # f[3], where the count begins
    along: np.ndarray  # f[3], from one band to the next
    colour: np.ndarray


class Part(NamedTuple):
    """Bones and the look of what covers them."""

    bones: np.ndarray  # f32[n,8]: one end, the other, both radii
    colours: np.ndarray  # f32[n,3]
    soft: float = 0.0  # how far bones melt into each other
    small: bool = False  # a mark on what lies below, without an outline
    flat: bool = False  # a board with square ends
    stripes: Stripes | None = None


class Figure(NamedTuple):
    """Who or what stands at (y, x) of a picture."""

    y: float
    x: float
    scale: float  # picture heights to one of a body's
    parts: tuple[Part, ...]  # as seen, the farthest first
    boxes: np.ndarray  # f32[parts,4]: least u and v, largest u and v of each
    core: np.ndarray  # f32[n,8], few bones that stand for them all, as seen
    shadow: np.ndarray  # f32[n,8], where the sun throws those on the floor
    touch: np.ndarray  # f32[n,8], those close above the floor, on it


def make_bones(bones) -> np.ndarray:
    """f32[n,8] of bones written (place, place, radius, radius)."""
    return np.array([[*a, *b, r, s] for a, b, r, s in bones], np.float32)


def make_part(bones, colours, **look) -> Part:
    """A part of bones written (place, place, radius, radius), of one colour or of one
    for each bone."""
    rows = make_bones(bones)
    tones = np.array(colours, np.float32).reshape(-1, 3)
    return Part(rows, np.broadcast_to(tones, (len(rows), 3)), **look)


def rounded(part: Part) -> np.ndarray:
    """The bones f32[n,8] of a part, a board's as of a tube of about its outline."""
    bones = part.bones.copy()
    for bone in bones if part.flat else ():
        a, b, half = bone[:3].copy(), bone[3:6].copy(), float(bone[6])
        length = float(np.sqrt((b - a) @ (b - a)))
        if length > 2 * half:
            inset = (half / length) * (b - a)
        else:
            a = b = (a + b) / 2
            half, inset = length / 2, np.array([half - length / 2, 0, 0])
        bone[:] = *(a + inset), *(b - inset), half, half
    return bones


def view_of(pitch: float) -> np.ndarray:
    """f32[3,3] of a camera that looks down by `pitch` radians: a place times this is
    the place as seen."""
    c, s = np.cos(pitch), np.sin(pitch)
    return np.array([[1, 0, 0], [0, c, s], [0, -s, c]], np.float32)


def _see(bones: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """Bones f32[n,8] as seen."""
    ends = bones[:, :6].reshape(-1, 3) @ camera
    return np.concatenate([ends.reshape(-1, 6), bones[:, 6:]], 1)


def _fall(bones: np.ndarray, way: np.ndarray) -> np.ndarray:
    """Bones f32[n,8] moved along a way down to the floor at y = 0."""
    ends = bones[:, :6].reshape(-1, 3)
    floor = ends - ends[:, 1:2] * (way / way[1])
    return np.concatenate([floor.reshape(-1, 6), bones[:, 6:]], 1)


def _see_all(parts: list[Part], camera: np.ndarray):
    """The parts as seen, the farthest first, and their boxes f32[n,4]."""
    bones = _see(np.concatenate([part.bones for part in parts]), camera)
    counts = np.array([len(part.bones) for part in parts])
    ends = counts.cumsum()
    starts = ends - counts
    # bones that melt together stand out
    wide = np.array([part.soft for part in parts]) * np.log(counts)
    wide = bones[:, 6:].max(1) + np.repeat(wide, counts)
    low = np.minimum(bones[:, :2], bones[:, 3:5]) - wide[:, None]
    high = np.maximum(bones[:, :2], bones[:, 3:5]) + wide[:, None]
    low, high = np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)
    near = np.add.reduceat(bones[:, 2] + bones[:, 5], starts) / counts
    seen = []
    for k in (order := near.argsort(kind="stable")):
        part, stripes = parts[k], parts[k].stripes
        if stripes is not None:
            place, along = stripes.place @ camera, stripes.along @ camera
            stripes = Stripes(place, along, stripes.colour)
        part = part._replace(bones=bones[starts[k] : ends[k]], stripes=stripes)
        seen.append(part)
    return tuple(seen), np.concatenate([low, high], 1)[order].astype(np.float32)


def make_figure(
    place, parts: list[Part], core: np.ndarray, pitch: float, sun
) -> Figure:
    """Parts in space as a figure at a place (y, x, scale). `core` f32[n,8] are bones
    that stand for all of them; `sun` is the way to the light."""
    camera = view_of(pitch)
    seen, boxes = _see_all(parts, camera)
    low = core[core[:, [1, 4]].min(1) < _LOW]
    y, x, scale = place
    return Figure(
        y=y,
        x=x,
        scale=scale,
        parts=seen,
        boxes=boxes,
        core=_see(core, camera),
        shadow=_see(_fall(core, sun), camera),
        touch=_see(_fall(low, np.array([0, 1, 0], np.float32)), camera),
    )
