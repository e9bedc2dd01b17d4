"""Heads: a face in front, hair or what covers it behind."""

import numpy as np

from segjax.data._dancers.look import Look
from segjax.data._dancers.part import Part, make_part
from segjax.data._dancers.skeleton import Build, Skeleton

_DARK = np.array((38, 28, 26), np.float32)


def _face(body: Skeleton, look: Look, place, s: float) -> list[Part]:
    skin, nape = look.skin, body.at("neck") - 0.01 * body.chest[:, 1]
    skull = (place(0, 0.012, 0.006), place(0, -0.03, 0.014), 0.05 * s, 0.034 * s)
    lips = 0.75 * skin * np.array((1, 0.75, 0.75), np.float32)
    marks = [
        (skin, (0, 0.002, 0.052), (0, -0.014, 0.058), 0.006, 0.01),
        (lips, (-0.013, -0.034, 0.043), (0.013, -0.034, 0.043), 0.006, 0.006),
    ]
    for k in (-1, 1):
        ear, eye = k * 0.05, k * 0.02
        marks.append((skin, (ear, 0, -0.002), (ear, -0.012, -0.002), 0.012, 0.009))
        marks.append((_DARK, (eye, 0.006, 0.046), (eye, 0.006, 0.046), 0.009, 0.009))
    bones = [(place(*a), place(*b), s * ra, s * rb) for _, a, b, ra, rb in marks]
    return [
        make_part([(nape, place(0, -0.02, -0.008), 0.034, 0.03)], skin * 0.93),
        make_part([skull], skin),
        make_part(bones, [mark[0] for mark in marks], small=True),
    ]


def _below(body: Skeleton, look: Look, place, s: float) -> list[tuple]:
    """What of the hair, or of a scarf, hangs down or is tied."""
    left, _, ahead = body.face.T
    neck, nape = body.at("neck"), place(0, -0.01, -0.03)
    hang = -0.078 * body.chest[:, 1] - 0.052 * body.face[:, 1] - 0.039 * ahead
    if look.cut == "long":
        starts = ((k, place(k * 0.026, 0, -0.02)) for k in (-1, 1))
        return [(a, nape + hang + k * 0.03 * left, 0.038 * s, 0.03) for k, a in starts]
    if look.cut == "tail":
        end = nape + hang - 0.035 * ahead
        return [(place(0, 0.02, -0.06), end, 0.02, 0.014)]
    if look.cut == "bun":
        knot = place(0, 0.045, -0.05)
        return [(knot, knot, 0.028 * s, 0.028 * s)]
    if look.cut == "scarf":
        throat = neck + 0.02 * ahead
        return [
            (nape, neck - 0.012 * ahead, 0.05 * s, 0.05),
            (place(0, -0.03, -0.012), throat, 0.046 * s, 0.036),
        ]
    return []


def _hair(body: Skeleton, look: Look, place, s: float) -> list[Part]:
    if look.cut == "shaved":
        stubble = place(0, 0.017, -0.005), place(0, 0, -0.012), 0.051 * s, 0.047 * s
        return [make_part([stubble], 0.5 * look.skin + 0.5 * look.hair)]
    big = 0.012 if look.cut == "curls" else 0.0
    wide, low = (0.05 + big) * s, (0.043 + big) * s
    bones = [
        (place(0, 0.022, -0.012), place(0, -0.012, -0.022), wide, low),
        (place(0, 0.032, 0.004), place(0, 0.034, 0.014), 0.042 * s, 0.038 * s),
        *_below(body, look, place, s),
    ]
    parts = [make_part(bones, look.hair, soft=0.008)]
    if look.cut == "cap":
        visor = place(0, 0.034, 0.03), place(0, 0.026, 0.078), 0.022 * s, 0.012 * s
        parts.append(make_part([visor], look.hair * 0.8))
    return parts


def make_head(body: Skeleton, build: Build, look: Look) -> list[Part]:
    """Neck, face and hair."""
    s = build.head

    def place(out, high, forth):  # from the head's middle, to its left, up and ahead
        return body.head + s * (body.face @ (out, high, forth))

    return [*_hair(body, look, place, s), *_face(body, look, place, s)]
