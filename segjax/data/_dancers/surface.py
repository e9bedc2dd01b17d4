"""The surface of parts: how far a pixel is from it, where it faces, how near it is."""

from typing import NamedTuple

import numpy as np

from segjax.data._dancers.part import Part, Stripes

_FAR = -99


class Surface(NamedTuple):
    """Of a part over a box of pixels, each f32[h,w]."""

    away: np.ndarray  # distance, negative inside
    nu: np.ndarray  # the way out: right,
    nv: np.ndarray  # up
    out: np.ndarray  # and towards the viewer
    near: np.ndarray  # how near the viewer it is
    bone: np.ndarray | None  # i64, the one that is seen; None of one only


def _reach(bones: np.ndarray, u: np.ndarray, v: np.ndarray, least: float):
    """Of bones no thinner than `least`: distance, the way from the axis as u and v,
    radius, and how far along the axis that is, each f32[n,h,w]."""
    u0, v0, _, u1, v1, _, r0, r1 = bones.T[:, :, None, None]
    r0, r1 = np.maximum(r0, np.float32(least)), np.maximum(r1, np.float32(least))
    du, dv, lu, lv = u - u0, v - v0, u1 - u0, v1 - v0
    share = 1 / (lu * lu + lv * lv + np.float32(1e-6))
    along = du * (lu * share) + dv * (lv * share)
    along = np.minimum(np.maximum(along, 0, out=along), 1, out=along)
    du, dv, radius = du - along * lu, dv - along * lv, r0 + along * (r1 - r0)
    return np.sqrt(du * du + dv * dv) - radius, du, dv, radius, along


def distance(bones: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Distance f32[h,w] to the nearest of bones f32[n,8]."""
    return _reach(bones, u, v, 0)[0].min(0)


def _tubes(bones: np.ndarray, u: np.ndarray, v: np.ndarray, least: float):
    """Of each bone: distance, the way out as u and v, radius, and how near its axis
    is, each f32[n,h,w]."""
    away, du, dv, radius, along = _reach(bones, u, v, least)
    near0, near1 = bones[:, 2, None, None], bones[:, 5, None, None]
    du /= radius
    dv /= radius
    return away, du, dv, radius, near0 + along * (near1 - near0)


def _boards(bones: np.ndarray, u: np.ndarray, v: np.ndarray):
    """As `_tubes`, of boards with square ends that face the viewer."""
    u0, v0, near0, u1, v1, near1, half, _ = bones.T[:, :, None, None]
    lu, lv = u1 - u0, v1 - v0
    length = np.sqrt(lu * lu + lv * lv + np.float32(1e-6))
    lu, lv = lu / length, lv / length
    along = (u - u0) * lu + (v - v0) * lv
    aside = np.abs((u - u0) * lv - (v - v0) * lu) - half
    away = np.maximum(aside, np.abs(along - length / 2) - length / 2)
    flat = np.zeros_like(away)
    return away, flat, flat, flat, near0 + (along / length) * (near1 - near0)


def _melted(part: Part, fields):
    """One surface of bones that go over into each other."""
    first = fields[0].min(0)
    weight = np.exp((first - fields[0]) * np.float32(1 / part.soft))
    total = weight.sum(0)
    weight /= total
    away = first - np.float32(part.soft) * np.log(total)
    return away, *((weight * field).sum(0) for field in fields[1:])


def surface_of(part: Part, u: np.ndarray, v: np.ndarray, least: float) -> Surface:
    """The surface of a part whose bones are no thinner than `least`."""
    bones = part.bones
    fields = _boards(bones, u, v) if part.flat else _tubes(bones, u, v, least)
    bone = None
    if part.soft:
        fields, bone = _melted(part, fields), fields[0].argmin(0)
    away, nu, nv, radius, axis = fields
    out = np.sqrt(np.maximum(1 - nu * nu - nv * nv, 0))
    near = axis + radius * out
    if part.soft:
        return Surface(away, nu, nv, out, near, bone)
    if len(bones) == 1:
        return Surface(away[0], nu[0], nv[0], out[0], near[0], None)
    # of the bones that cover a pixel the nearest to the viewer
    bone = np.where(away < 0, near, _FAR - away).argmax(0)
    at = bone.ravel() * bone.size + np.arange(bone.size)
    away, nu, nv, out, near = (
        field.ravel()[at].reshape(bone.shape) for field in (away, nu, nv, out, near)
    )
    return Surface(away, nu, nv, out, near, bone)


def bands(stripes: Stripes, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Where the stripes are, f32[h,w] in [0,1]."""
    share = stripes.along[:2] / max(float(stripes.along @ stripes.along), 1e-6)
    turn = (u - stripes.place[0]) * share[0] + (v - stripes.place[1]) * share[1]
    return (0.5 + 2 * np.sin(2 * np.pi * turn)).clip(0, 1).astype(np.float32)
