"""A skeleton's flesh and clothes."""

from itertools import pairwise

import numpy as np

from segjax.data._dancers.head import make_head
from segjax.data._dancers.look import Look
from segjax.data._dancers.part import Part, Stripes, make_part
from segjax.data._dancers.skeleton import Build, Skeleton

_SIDES = ("right", "left")
_FOLDS = 4  # of a skirt


def _sleeved(a, b, ra, rb, covered, loose, cloth, skin):
    """The bones of a limb of which a share is covered from a on, by cloth that stands
    off, and their colours."""
    if covered <= 0.02:
        return [(a, b, ra, rb)], [skin]
    if covered >= 0.98:
        return [(a, b, ra + loose, rb + loose)], [cloth]
    hem, radius = a + covered * (b - a), ra + covered * (rb - ra)
    wide = radius + 1.3 * loose + 0.003
    return [(hem, b, radius, rb), (a, hem, ra + loose, wide)], [skin, cloth]


def _leg(body: Skeleton, build: Build, look: Look, side: int) -> list[Part]:
    word, g, loose = _SIDES[side], build.girth, look.loose
    hip, knee, ankle = (body.at(f"{word}_{j}") for j in ("hip", "knee", "ankle"))
    upper, lower = min(1.0, 2 * look.legs), max(0.0, 2 * look.legs - 1)
    thigh = hip, knee, 0.061 * g, 0.043 * g, upper, loose
    shin = knee, ankle, 0.042 * g, 0.026 * g, lower, 1.2 * loose
    return [
        make_part(*_sleeved(*thigh, look.bottom, look.skin)),
        make_part(*_sleeved(*shin, look.bottom, look.skin)),
        _foot(body, look, side, ankle - knee),
    ]


def _foot(body: Skeleton, look: Look, side: int, shin: np.ndarray) -> Part:
    ankle, toes = body.at(f"{_SIDES[side]}_ankle"), body.toes[side]
    along = toes - ankle
    below = shin - (shin @ along) / (along @ along) * along
    heel = ankle - 0.2 * along + 0.018 * below / np.sqrt(below @ below + 1e-6)
    colour = look.skin if look.barefoot else look.shoes
    thick = 0.9 if look.barefoot else 1.1
    bones = [
        (ankle, heel, 0.026 * thick, 0.022 * thick),
        (ankle, toes, 0.026 * thick, 0.016 * thick),
        (heel, toes, 0.018 * thick, 0.015 * thick),
    ]
    return make_part(bones, colour)


def _arm(body: Skeleton, build: Build, look: Look, side: int) -> list[Part]:
    word, g, loose = _SIDES[side], build.girth, look.loose
    joints = ("shoulder", "elbow", "wrist")
    shoulder, elbow, wrist = (body.at(f"{word}_{joint}") for joint in joints)
    upper, lower = min(1.0, 2 * look.sleeves), max(0.0, 2 * look.sleeves - 1)
    above = shoulder, elbow, 0.036 * g, 0.029 * g, upper, loose
    below = elbow, wrist, 0.029 * g, 0.02 * g, lower, 1.3 * loose
    bones, tones = _sleeved(*below, look.top, look.skin)
    bones.append((wrist, body.hands[side], 0.019 * g, 0.024))
    tones.append(look.skin)
    return [make_part(*_sleeved(*above, look.top, look.skin)), make_part(bones, tones)]


def _trunk(body: Skeleton, build: Build, look: Look) -> list[Part]:
    left, up, _ = body.chest.T
    neck, waist, g, loose = body.at("neck"), body.waist, build.girth, look.loose
    middle = (body.at("right_hip") + body.at("left_hip")) / 2
    yoke, reach = neck - 0.035 * up, 0.75 * build.shoulders * left
    shirt = [(yoke - reach, yoke + reach, 0.042, 0.042)]
    hips = []
    for side in (-1, 1):
        across = side * build.shoulders * left
        flank, rib = waist + 0.36 * across, neck - 0.09 * up + 0.5 * across
        seat = middle + side * 0.8 * build.hips * body.pelvis[:, 0]
        shirt.append((rib, flank - 0.02 * up, 0.061 * g + loose, 0.054 * g + loose))
        hips.append((flank, seat, 0.045 * g + loose, 0.064 * g + loose))
    stripes = None
    if look.stripes:
        stripes = Stripes(waist, up / look.stripes, look.trim)
    return [
        make_part(hips, look.bottom, soft=0.02),
        make_part(shirt, look.top, soft=0.02, stripes=stripes),
    ]


def _front(body: Skeleton, build: Build, look: Look) -> list[Part]:
    """What tells a shirt's front from its back, and a belt around both."""
    left, up, ahead = body.chest.T
    deep = 0.061 * build.girth + look.loose
    high = body.at("neck") - 0.03 * up + 0.047 * ahead
    mid = body.at("neck") - 0.1 * up + (deep + 0.007) * ahead
    low, wing = body.waist + deep * ahead, 0.04 * left
    trim, skin = look.trim, look.skin
    marks: list[tuple] = []
    if look.front == "lapels":
        marks = [
            (trim, high - wing, mid + 0.01 * left, 0.01, 0.01),
            (trim, high + wing, mid - 0.01 * left, 0.01, 0.01),
            (trim, mid, low - 0.02 * left, 0.01, 0.008),
        ]
    elif look.front == "buttons":
        marks = [
            (trim, mid + 0.03 * up, low, 0.008, 0.008),
            (skin, high, mid + 0.04 * up, 0.016, 0.01),
        ]
    else:
        notch = high - 0.045 * up
        marks = [(skin, high + k * 0.6 * wing, notch, 0.014, 0.012) for k in (-1, 1)]
    if look.front == "print":
        at = mid - 0.02 * up
        marks.append((trim, at - 0.03 * left, at + 0.03 * left, 0.022, 0.022))
    bones, tones = [mark[1:] for mark in marks], [mark[0] for mark in marks]
    belt = [_belt(body, build, look)] if look.belt else []
    return [make_part(bones, tones, small=True), *belt]


def _belt(body: Skeleton, build: Build, look: Look) -> Part:
    left, up, ahead = body.chest.T
    place, g = body.waist - 0.03 * up, build.girth
    wide, deep = 0.36 * build.shoulders + 0.052 * g, 0.058 * g + look.loose
    turns = np.linspace(0, 2 * np.pi, 9)
    ring = [
        place + (wide + look.loose) * np.sin(t) * left + deep * np.cos(t) * ahead
        for t in turns
    ]
    bones = [(a, b, 0.013, 0.013) for a, b in pairwise(ring)]
    knot = place + (deep + 0.01) * ahead
    for side in (-1, 1):
        end = knot + side * 0.03 * left - 0.08 * up
        bones.append((knot, end, 0.011, 0.008))
    return make_part(bones, look.trim, small=True)


def _skirt(body: Skeleton, build: Build, look: Look) -> list[Part]:
    """Cloth around both thighs, which follows them: a fan of folds."""
    left, _, ahead = body.pelvis.T
    g, hems, hips = build.girth, [], []
    for side, word in zip((-1, 1), _SIDES):
        hip, knee = body.at(f"{word}_hip"), body.at(f"{word}_knee")
        along = (knee - hip) / build.thigh
        way = along + 0.4 * side * left + np.array([0, -0.4, 0])
        hems.append(hip + look.skirt * build.thigh * way / np.sqrt(way @ way))
        hips.append(hip + 0.02 * side * left)
    bones = []
    for k in range(_FOLDS):
        share = k / (_FOLDS - 1)
        top = body.waist + (share - 0.5) * 0.9 * build.shoulders * left
        middle = hips[0] + share * (hips[1] - hips[0])
        hem = hems[0] + share * (hems[1] - hems[0])
        bones.append((top, middle, 0.045 * g, 0.068 * g))
        for forth in (-1, 1):
            round_ = 0.5 + 0.5 * np.sin(np.pi * share)
            out = forth * (0.02 + 0.05 * look.skirt) * round_ * ahead
            bones.append((middle, hem + out, 0.066 * g, 0.045))
    return [make_part(bones, look.bottom, soft=0.025)]


def make_body(body: Skeleton, build: Build, look: Look) -> list[Part]:
    """All its parts in space."""
    parts = [*_trunk(body, build, look), *_front(body, build, look)]
    for side in (0, 1):
        parts += _leg(body, build, look, side)
        parts += _arm(body, build, look, side)
    if look.skirt:
        parts += _skirt(body, build, look)
    return parts + make_head(body, build, look)
