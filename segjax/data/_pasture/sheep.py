"""Sheep: their coats and the ways they stand, graze and lie, as parts facing right."""

from collections.abc import Callable
from math import cos, sin
from typing import NamedTuple

import numpy as np

from segjax.data._pasture.shapes import Part, make_part

_WOOL = {
    "white": (236, 231, 219),
    "cream": (230, 211, 174),
    "grey": (158, 154, 150),
    "black": (62, 56, 54),
}
_DARK, _PALE, _PINK = (46, 42, 42), (224, 211, 194), (208, 160, 146)
_BROWN = (116, 88, 66)


class Coat(NamedTuple):
    """Colours f32[3] of one sheep, and the share of its fleece that is patched."""

    wool: np.ndarray
    face: np.ndarray
    legs: np.ndarray
    nose: np.ndarray
    eyes: np.ndarray
    patch: np.ndarray | None
    patched: float


def make_coat(rng: np.random.Generator, breed: str) -> Coat:
    """A coat as is usual in the breed, now and then another one."""
    if rng.random() < 0.2:
        breed = str(rng.choice(["black", "grey", "spotted", "white"]))
    wool = _WOOL.get(breed, _WOOL["white"])
    dark = breed in ("black", "black-faced") or rng.random() < 0.25
    shade = np.exp(rng.normal(0, 0.05)) * rng.normal(1, 0.012, 3)
    face = np.array(_DARK if dark else _PALE) * rng.uniform(0.85, 1.1)
    return Coat(
        wool=np.array(wool) * shade,
        face=face,
        legs=face * rng.uniform(0.8, 1),
        nose=np.array(_DARK if dark else _PINK),
        eyes=np.array((196, 170, 96) if dark else (28, 24, 24)),
        patch=np.array((_DARK, _BROWN)[rng.integers(2)])
        if breed == "spotted"
        else None,
        patched=rng.uniform(0.25, 0.5),
    )


def breeds(rng: np.random.Generator) -> list[str]:
    """The breeds of one flock: one, or two or three that mix."""
    every = ["white", "black-faced", "cream", "grey", "spotted", "black"]
    odds = [0.32, 0.3, 0.15, 0.08, 0.1, 0.05]
    return list(rng.choice(every, rng.integers(1, 4), p=odds))


def _leg(u, top, swing, radius=0.042):
    knee, foot = u + 0.5 * swing, u + swing
    return [
        (u, top, knee, 0.24, 1.7 * radius, radius),
        (knee, 0.24, foot, 0.02, radius, 0.95 * radius),
    ]


def _fleece(coat: Coat, bones, dim: float = 1.0) -> Part:
    look = {"patch": coat.patch, "patched": coat.patched}
    return make_part(bones, coat.wool, dim, wool=1.0, **look)


def _head(rng, coat: Coat, u, v, down) -> list[Part]:
    """A head in profile whose skull is at (u, v), the muzzle `down` radians below."""
    lift = rng.uniform(-0.05, 0.03)

    def at(forth, out):  # along the muzzle's line, and from it to the brow
        return (
            u + forth * cos(down) + out * sin(down),
            v - forth * sin(down) + out * cos(down),
        )

    ear, eye = at(-0.04, 0.06), at(0.06, 0.035)
    skull = [
        (*ear, *at(-0.13, 0.16), 0.045, 0.02),
        (u, v, *at(0.22, 0), 0.112, 0.068),
        (*at(0.25, -0.015), *at(0.25, 0.01), 0.045, 0.042),
    ]
    tip = at(-0.17, 0.0)
    parts = [
        make_part(skull, [coat.face * 0.75, coat.face, coat.nose]),
        make_part((*eye, *eye, 0.021, 0.021), coat.eyes),
        make_part((*ear, tip[0], tip[1] + lift, 0.048, 0.022), coat.face, 0.9),
    ]
    if rng.random() < 0.6:
        parts.insert(1, _fleece(coat, (*at(-0.03, 0.1), *at(-0.12, 0.09), 0.06, 0.08)))
    return parts


def _fleeces(rng, coat: Coat, long, neck) -> Part:
    """Tail, trunk and neck, of a sheep whose trunk is 2 `long` from joint to joint."""
    end = rng.uniform(0.44, 0.6)
    return _fleece(
        coat,
        [
            (-long - 0.24, 0.76, -long - 0.28, end, 0.06, 0.045),
            (-long, 0.67, long, 0.66, 0.275, 0.265),
            (-long - 0.03, 0.68, -long, 0.6, 0.255, 0.24),
            neck,
        ],
    )


def _legs(rng, coat: Coat, long) -> tuple[Part, Part]:
    """Those of the far and of the near side."""
    swing = rng.uniform(-0.1, 0.1, 4).tolist()
    back, front = -long - 0.07, long + 0.07
    far = _leg(back + 0.13, 0.5, swing[0]) + _leg(front - 0.13, 0.5, swing[1])
    near = _leg(back, 0.5, swing[2]) + _leg(front, 0.5, swing[3])
    return make_part(far, coat.legs, 0.6), make_part(near, coat.legs, 0.85)


def standing(rng: np.random.Generator, coat: Coat) -> list[Part]:
    """From the side, the head up."""
    long = rng.uniform(0.19, 0.31)
    far, near = _legs(rng, coat, long)
    u, v = long + rng.uniform(0.3, 0.36), rng.uniform(0.93, 1.08)
    neck = (long + 0.08, 0.72, u - 0.04, v - 0.05, 0.21, 0.12)
    head = _head(rng, coat, u, v, rng.uniform(0.25, 0.75))
    return [far, near, _fleeces(rng, coat, long, neck), *head]


def grazing(rng: np.random.Generator, coat: Coat) -> list[Part]:
    """From the side, the muzzle in the grass."""
    long = rng.uniform(0.19, 0.31)
    far, near = _legs(rng, coat, long)
    u, v = long + rng.uniform(0.34, 0.42), rng.uniform(0.28, 0.36)
    neck = (long + 0.1, 0.66, u - 0.05, v + 0.1, 0.2, 0.115)
    head = _head(rng, coat, u, v, rng.uniform(0.85, 1.25))
    return [far, near, _fleeces(rng, coat, long, neck), *head]


def lying(rng: np.random.Generator, coat: Coat) -> list[Part]:
    """From the side, the legs folded under it."""
    long = rng.uniform(0.22, 0.33)
    u, v = long + rng.uniform(0.28, 0.34), rng.uniform(0.6, 0.74)
    bones = [
        (-long, 0.3, long, 0.3, 0.275, 0.26),
        (long + 0.06, 0.38, u - 0.04, v - 0.05, 0.22, 0.12),
    ]
    shin = (long, 0.09, long + 0.3, 0.07, 0.065, 0.05)
    head = _head(rng, coat, u, v, rng.uniform(0.2, 0.6))
    return [_fleece(coat, bones), make_part(shin, coat.legs, 0.85), *head]


def _round(coat: Coat) -> list[Part]:
    """Legs and trunk of one that stands along the line of sight."""
    far = _leg(-0.13, 0.5, 0.0) + _leg(0.13, 0.5, 0.0)
    near = _leg(-0.19, 0.5, 0.01) + _leg(0.19, 0.5, -0.01)
    legs = make_part(far, coat.legs, 0.55), make_part(near, coat.legs, 0.85)
    return [*legs, _fleece(coat, (0, 0.7, 0, 0.6, 0.28, 0.295))]


def _both(u, v, to_u, to_v, radius, end):
    """A bone and its mirror image about the middle."""
    return [(k * u, v, k * to_u, to_v, radius, end) for k in (-1, 1)]


def coming(rng: np.random.Generator, coat: Coat) -> list[Part]:
    """From the front, the face before the fleece."""
    v = rng.uniform(0.82, 0.98)
    face = [
        *_both(0.09, v + 0.03, 0.25, v - 0.03, 0.05, 0.025),
        (0, v, 0, v - 0.18, 0.12, 0.078),
        (0, v - 0.22, 0, v - 0.23, 0.045, 0.035),
    ]
    return [
        *_round(coat),
        make_part(face, [0.85 * coat.face] * 2 + [coat.face, coat.nose]),
        make_part(_both(0.07, v - 0.02, 0.07, v - 0.02, 0.021, 0.021), coat.eyes),
        _fleece(coat, (-0.03, v + 0.11, 0.03, v + 0.11, 0.075, 0.075)),
    ]


def going(rng: np.random.Generator, coat: Coat) -> list[Part]:
    """From behind, mostly with the head above the back."""
    parts = _round(coat)
    if rng.random() < 0.6:
        ears = _both(0.08, 1.0, 0.22, 0.97, 0.045, 0.025)
        skull = (0, 0.96, 0, 0.98, 0.12, 0.12)
        colours = [coat.face * 0.85] * 2 + [coat.wool * 0.88]
        parts.insert(2, make_part([*ears, skull], colours))
    tail = (0, 0.78, 0.01, rng.uniform(0.42, 0.6), 0.07, 0.055)
    return [*parts, _fleece(coat, tail, 0.86)]


_POSES: tuple[tuple[Callable, float], ...] = (
    (standing, 0.36),
    (grazing, 0.32),
    (lying, 0.1),
    (coming, 0.14),
    (going, 0.08),
)


def make_sheep(rng: np.random.Generator, breed: str) -> tuple[Part, ...]:
    """A sheep of the breed in a way of its own."""
    odds = [share for _, share in _POSES]
    pose = _POSES[rng.choice(len(_POSES), p=odds)][0]
    return tuple(pose(rng, make_coat(rng, breed)))
