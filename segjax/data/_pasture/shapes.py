"""Animals as bones with flesh: tapered capsules, drawn by their distance.

Places on an animal are (u, v): u forwards, v upwards from the ground, in the height of
its back. A pixel's distance to a part is negative inside."""

from typing import NamedTuple

import numpy as np

_FLEECE = 0.02  # how far wool stands out on the whole


class Part(NamedTuple):
    """What is painted in one go: bones and the look of what covers them."""

    bones: np.ndarray  # f32[n,6]: u, v of one end, u, v of the other, both radii
    colours: np.ndarray  # f32[n,3]
    box: np.ndarray  # f32[4]: least and largest u, least and largest v
    wool: float = 0.0  # how lumpy: 0 for skin, about 1 for a sheep's fleece
    patch: np.ndarray | None = None  # f32[3], colour of patches
    patched: float = 0.0  # share of the part that has it


class Animal(NamedTuple):
    """One that stands at (y, x) of a picture."""

    kind: int  # its class
    y: float
    x: float
    scale: float  # picture heights of its back
    facing: int  # 1 right, -1 left
    parts: tuple[Part, ...]  # from back to front
    flesh: np.ndarray  # f32[n,6], the bones of them all
    table: np.ndarray  # of noise
    grass: float  # how deep it stands in it


def make_part(bones, colour, dim: float = 1.0, **look) -> Part:
    """A part of bones that are written (u, v, u, v, radius, radius), of one colour or
    one for each bone; `dim` is less than 1 where little light comes."""
    bones = np.array(bones, np.float32).reshape(-1, 6)
    colours = np.array(colour, np.float32).reshape(-1, 3) * np.float32(dim)
    colours = np.broadcast_to(colours, (len(bones), 3))
    return Part(bones, colours, bounds(bones), **look)


def bounds(bones: np.ndarray) -> np.ndarray:
    """Least and largest u, least and largest v of bones f32[n,6], as f32[4]."""
    ends, radius = bones[:, :4].reshape(-1, 2), bones[:, 4:].reshape(-1, 1)
    low, high = (ends - radius).min(0), (ends + radius).max(0)
    return np.array([low, high]).T.ravel()


def flesh(parts: tuple[Part, ...]) -> np.ndarray:
    """All bones f32[n,6] of the parts, each as thick as with its wool."""
    bones = np.concatenate([part.bones for part in parts])
    wool = np.repeat([p.wool for p in parts], [len(p.bones) for p in parts])
    bones[:, 4:] += _FLEECE * wool[:, None].astype(np.float32)
    return bones


def _reach(bones, u, v):
    """Distance to each bone, offset from its axis, radius there; each f32[n,h,w]."""
    u0, v0, u1, v1, r0, r1 = bones.T[:, :, None, None]
    du, dv, lu, lv = u - u0, v - v0, u1 - u0, v1 - v0
    share = 1 / (lu * lu + lv * lv + np.float32(1e-8))
    along = du * (lu * share) + dv * (lv * share)
    along = np.minimum(np.maximum(along, 0, out=along), 1, out=along)
    du, dv, radius = du - along * lu, dv - along * lv, r0 + along * (r1 - r0)
    return np.sqrt(du * du + dv * dv) - radius, du, dv, radius


def distance(bones: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Distance f32[h,w] to the nearest of the bones f32[n,6]."""
    return _reach(bones, u, v)[0].min(0)


def surface(bones: np.ndarray, u: np.ndarray, v: np.ndarray):
    """Distance, u and v of the way out of the flesh there, each f32[h,w], and which
    bone is nearest, i64[h,w], or None when there is one only."""
    fields = _reach(bones, u, v)
    if len(bones) == 1:
        away, du, dv, radius = (field[0] for field in fields)
        return away, du / radius, dv / radius, None
    near = fields[0].argmin(0)
    at = near.ravel() * near.size + np.arange(near.size)
    away, du, dv, radius = (f.ravel()[at].reshape(near.shape) for f in fields)
    return away, du / radius, dv / radius, near


def above_grass(animal: Animal, u: np.ndarray) -> np.ndarray:
    """The height f32[1,w] up to which blades hide the animal."""
    phase = animal.table[0, 0]
    sway = 27 * u + phase + 2 * np.sin(6 * u + phase)
    blades = np.abs(np.sin(sway)) + np.abs(np.sin(1.7 * sway))
    return animal.grass * (0.3 + 0.7 * blades)
