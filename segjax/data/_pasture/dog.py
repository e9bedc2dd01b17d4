"""Dogs: slim, long of leg, pointed at ear and muzzle; as parts facing right."""

from collections.abc import Callable
from math import cos, sin
from typing import NamedTuple

import numpy as np

from segjax.data._pasture.shapes import Part, make_part

_COATS = (  # back, chest and muzzle, socks and tip of the tail
    ((46, 42, 44), (238, 234, 226), (238, 234, 226)),
    ((46, 42, 44), (238, 234, 226), (202, 134, 72)),
    ((134, 84, 50), (150, 98, 62), (118, 74, 44)),
    ((144, 90, 52), (240, 232, 216), (240, 232, 216)),
    ((98, 62, 40), (190, 138, 86), (190, 138, 86)),
    ((194, 142, 84), (210, 164, 108), (182, 130, 76)),
)
_NOSE, _EYE = np.array((30, 26, 26)), np.array((20, 16, 14))
_FUR = 0.3  # as lumpy as wool is 1


class Coat(NamedTuple):
    """Colours f32[3] of one dog."""

    back: np.ndarray
    chest: np.ndarray
    socks: np.ndarray


def make_coat(rng: np.random.Generator) -> Coat:
    """Black, brown or tan, mostly with a paler chest."""
    shade = np.exp(rng.normal(0, 0.07))
    return Coat(*np.array(_COATS[rng.integers(len(_COATS))]) * shade)


def _head(rng, coat: Coat, u, v) -> list[Part]:
    """A head in profile whose skull is at (u, v)."""
    lean = rng.uniform(-0.07, 0.01)
    tip_u, tip_v = u + 0.27, v - 0.05 - rng.uniform(-0.02, 0.07)
    skull = [
        (u + 0.03, v + 0.07, u + 0.03 + lean, v + 0.23, 0.05, 0.012),
        (u, v, u + 0.05, v - 0.01, 0.115, 0.1),
        (u + 0.09, v - 0.03, tip_u, tip_v, 0.078, 0.042),
        (tip_u + 0.015, tip_v, tip_u + 0.02, tip_v + 0.015, 0.034, 0.034),
    ]
    ear = (u - 0.05, v + 0.06, u - 0.06 + lean, v + 0.24, 0.062, 0.012)
    eye = (u + 0.085, v + 0.03, u + 0.085, v + 0.03, 0.02, 0.02)
    colours = [coat.back * 0.7, coat.back, coat.chest, _NOSE]
    return [
        make_part(skull, colours),
        make_part([eye, ear], [_EYE, coat.back * 0.92]),
    ]


def _foreleg(u, top, swing):
    """Three bones; the last two wear socks."""
    knee, foot = u + 0.6 * swing, u + swing
    return [
        (u, top, knee, 0.32, 0.078, 0.05),
        (knee, 0.32, foot, 0.03, 0.05, 0.04),
        (foot, 0.03, foot + 0.05, 0.02, 0.04, 0.035),
    ]


def _hindleg(u, top, swing):
    """Four bones; the last two wear socks."""
    knee, hock, foot = u + 0.05 + 0.5 * swing, u - 0.1 + 0.8 * swing, u - 0.06 + swing
    return [
        (u, top, knee, 0.42, 0.13, 0.075),
        (knee, 0.42, hock, 0.24, 0.065, 0.045),
        (hock, 0.24, foot, 0.03, 0.042, 0.04),
        (foot, 0.03, foot + 0.05, 0.02, 0.04, 0.035),
    ]


def _legs(coat: Coat, fore, hind, swing, dim) -> Part:
    """A foreleg and a hind leg of one side, at u `fore` and `hind`."""
    bones = _foreleg(fore, 0.6, swing) + _hindleg(hind, 0.67, -swing)
    colours = [coat.back, *[coat.socks] * 2, *[coat.back] * 2, *[coat.socks] * 2]
    return make_part(bones, colours, dim)


def _tail(coat: Coat, u, v, angles) -> Part:
    """From (u, v) in bones that point at the angles, the last of the socks' colour."""
    bones, radius = [], 0.05
    for angle in angles:
        to_u, to_v = u - 0.17 * cos(angle), v + 0.17 * sin(angle)
        bones.append((u, v, to_u, to_v, radius, radius * 0.9))
        u, v, radius = to_u, to_v, radius * 0.9
    colours = [coat.back] * (len(bones) - 1) + [coat.socks]
    return make_part(bones, colours, wool=_FUR)


def _trotting(rng, coat: Coat, stride) -> list[Part]:
    swing = stride * rng.uniform(0.4, 1) * (-1, 1)[rng.integers(2)]
    rise = rng.uniform(-0.8, 0.9)
    u, v = rng.uniform(0.46, 0.54), rng.uniform(0.93, 1.1)
    body = [
        (0.24, 0.68, -0.06, 0.71, 0.195, 0.15),
        (-0.06, 0.71, -0.36, 0.72, 0.15, 0.145),
        (0.28, 0.78, u - 0.04, v - 0.03, 0.13, 0.1),
        (0.37, 0.62, u - 0.05, v - 0.16, 0.1, 0.1),
    ]
    return [
        _legs(coat, 0.2, -0.32, -swing, 0.6),
        _tail(coat, -0.44, 0.76, (rise - 0.5, rise, rise + 0.5)),
        make_part(body, [coat.back] * 3 + [coat.chest], wool=_FUR),
        _legs(coat, 0.28, -0.38, swing, 0.96),
        *_head(rng, coat, u, v),
    ]


def standing(rng: np.random.Generator, coat: Coat) -> list[Part]:
    """On four legs, or at a walk."""
    return _trotting(rng, coat, 0.12)


def running(rng: np.random.Generator, coat: Coat) -> list[Part]:
    """With a long stride."""
    return _trotting(rng, coat, 0.36)


def sitting(rng: np.random.Generator, coat: Coat) -> list[Part]:
    """Upright on its haunches."""
    u, v = rng.uniform(0.24, 0.3), rng.uniform(1.1, 1.2)
    body = [
        (-0.16, 0.28, 0.14, 0.76, 0.22, 0.16),
        (0.13, 0.85, u - 0.03, v - 0.03, 0.13, 0.1),
        (0.24, 0.6, 0.2, 0.88, 0.1, 0.11),
    ]
    haunch = [
        (-0.2, 0.24, 0.02, 0.16, 0.2, 0.13),
        (0.0, 0.06, 0.12, 0.04, 0.05, 0.045),
        *_foreleg(0.2, 0.58, 0.02),
    ]
    colours = [coat.back, coat.socks, coat.back, coat.socks, coat.socks]
    return [
        make_part(_foreleg(0.27, 0.6, 0.02), [coat.back, coat.socks, coat.socks], 0.6),
        _tail(coat, -0.3, 0.1, (0.0, 0.1, 0.5)),
        make_part(body, [coat.back, coat.back, coat.chest], wool=_FUR),
        make_part(haunch, colours, 0.96),
        *_head(rng, coat, u, v),
    ]


_POSES: tuple[tuple[Callable, float], ...] = (
    (standing, 0.5),
    (running, 0.25),
    (sitting, 0.25),
)


def make_dog(rng: np.random.Generator) -> tuple[Part, ...]:
    """A dog in a way of its own."""
    pose = _POSES[rng.choice(len(_POSES), p=[share for _, share in _POSES])][0]
    return tuple(pose(rng, make_coat(rng)))
