"""Skeletons: a body and a pose make joints in space.

Lengths are in heights of a grown body. Of places, x points to the picture's right, y up
from the floor and z to the viewer; of a body that faces the viewer, these are its left,
up and ahead. Angles are in degrees."""

from math import cos, radians, sin
from typing import NamedTuple

import numpy as np

JOINTS = (
    "right_ankle",
    "right_knee",
    "right_hip",
    "left_hip",
    "left_knee",
    "left_ankle",
    "right_wrist",
    "right_elbow",
    "right_shoulder",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    "neck",
    "head_top",
)
ANKLE = 0.04  # its height over the sole
_FOOT = 0.1  # from the ankle to the toes
_HAND = 0.055  # from the wrist to the middle of the hand


class Build(NamedTuple):
    """The lengths of one body."""

    shoulders: float  # half their breadth
    hips: float  # half the breadth between the joints
    trunk: float
    arm: float  # the upper one; the lower is a little shorter
    thigh: float
    shank: float
    head: float  # its size, around 1
    girth: float  # how thick it is, around 1


class Plant(NamedTuple):
    """A leg that stands: where its ankle is, as seen from the middle of the hips."""

    ahead: float
    out: float
    toes: float  # how far they turn outwards
    rise: float = 0.0  # height of the heel


class Free(NamedTuple):
    """A leg in the air."""

    lift: float  # of the thigh: 0 hangs, 90 is level
    around: float  # towards where: 0 ahead, 90 outwards, 180 behind
    knee: float  # 0 is straight
    toes: float  # how far knee and toes turn outwards
    point: float  # 0 is a foot at a right angle, 60 one that is pointed


class Arm(NamedTuple):
    """An arm; its elbow bends towards a way given as out, up, ahead."""

    lift: float
    around: float
    elbow: float
    bend: tuple[float, float, float]


class Pose(NamedTuple):
    """What a body does; sides are right, left."""

    height: float  # of the hips, as a share of those that stand
    lean: float  # of the chest, ahead
    tilt: float  # to its right
    twist: float  # of the chest on the hips, to its left
    look: float  # of the head on the chest, to its left
    nod: float
    jump: float
    legs: tuple[Plant | Free, Plant | Free]
    arms: tuple[Arm, Arm]


class Skeleton(NamedTuple):
    """A posed body. Frames are f64[3,3], whose columns are its left, up and ahead."""

    joints: np.ndarray  # f64[14,3]
    pelvis: np.ndarray
    chest: np.ndarray
    face: np.ndarray  # the frame of the head
    waist: np.ndarray  # f64[3]
    head: np.ndarray  # f64[3], its middle
    toes: np.ndarray  # f64[2,3], right and left
    hands: np.ndarray  # f64[2,3]

    def at(self, joint: str) -> np.ndarray:
        """The place f64[3] of a joint."""
        return self.joints[JOINTS.index(joint)]


def _about(axis: int, degrees: float) -> np.ndarray:
    """The rotation about an axis, f64[3,3]."""
    c, s = cos(radians(degrees)), sin(radians(degrees))
    turned = np.eye(3)
    one, two = (axis + 1) % 3, (axis + 2) % 3
    turned[one, one] = turned[two, two] = c
    turned[two, one], turned[one, two] = s, -s
    return turned


def _frame(turn: float, tilt: float, lean: float) -> np.ndarray:
    return _about(1, turn) @ _about(2, tilt) @ _about(0, lean)


def _unit(way: np.ndarray) -> np.ndarray:
    return way / np.sqrt(way @ way)


def _level(side: int, around: float) -> np.ndarray:
    """The level way `around` a body, on its side -1 right or 1 left."""
    return np.array([side * sin(radians(around)), 0, cos(radians(around))])


def _swing(side: int, lift: float, around: float) -> np.ndarray:
    """The way of a limb that is lifted from hanging."""
    down = np.array([0, -cos(radians(lift)), 0])
    return down + sin(radians(lift)) * _level(side, around)


def _bent(along: np.ndarray, towards: np.ndarray, degrees: float) -> np.ndarray:
    """The unit way `along`, bent towards another one."""
    across = towards - (towards @ along) * along
    across = across / max(np.sqrt(across @ across), 1e-3)
    return cos(radians(degrees)) * along + sin(radians(degrees)) * across


def _free_leg(hip, side: int, leg: Free, build: Build, body: np.ndarray):
    """Knee, ankle and toes of a leg in the air."""
    lift, way = radians(leg.lift), _level(side, leg.around)
    front = _level(side, leg.toes)
    share = front @ way
    kneecap = front + share * ((cos(lift) - 1) * way + np.array([0, sin(lift), 0]))
    thigh = _swing(side, leg.lift, leg.around)
    bend = radians(leg.knee)
    shank = cos(bend) * thigh - sin(bend) * kneecap
    shin = cos(bend) * kneecap + sin(bend) * thigh
    foot = cos(radians(leg.point)) * shin + sin(radians(leg.point)) * shank
    knee = hip + build.thigh * body @ thigh
    ankle = knee + build.shank * body @ shank
    return knee, ankle, ankle + _FOOT * body @ foot


def _planted_leg(hip, middle, side: int, leg: Plant, build: Build, body: np.ndarray):
    """Knee, ankle and toes of a leg that stands."""
    ankle = middle + body @ np.array([side * leg.out, 0, leg.ahead])
    ankle[1] = ANKLE + leg.rise
    way = ankle - hip
    reach = np.sqrt(way @ way)
    span = min(reach, 0.998 * (build.thigh + build.shank))
    front = body @ _level(side, leg.toes)
    share = (build.thigh**2 + span**2 - build.shank**2) / (2 * build.thigh * span)
    angle = np.degrees(np.arccos(np.clip(share, -1, 1)))
    knee = hip + build.thigh * _bent(way / reach, front, angle)
    dip = max(leg.rise - 0.005, 0) / _FOOT
    foot = np.sqrt(max(1 - dip * dip, 0)) * front - np.array([0, dip, 0])
    toes = ankle + _FOOT * foot
    toes[1] = max(toes[1] - 0.022, 0.014)
    return knee, ankle, toes


def _height(pose: Pose, build: Build, body: np.ndarray, pelvis: np.ndarray) -> float:
    """How high the hips are: as high as posed, or as the legs that stand can reach."""
    span = 0.985 * (build.thigh + build.shank)
    height = pose.height * (build.thigh + build.shank + ANKLE)
    for side, leg in zip((-1, 1), pose.legs):
        if isinstance(leg, Plant):
            hip = side * build.hips * pelvis[:, 0]
            x, _, z = body @ np.array([side * leg.out, 0, leg.ahead]) - hip
            rise = np.sqrt(max(span**2 - x * x - z * z, 0.01))
            height = min(height, rise + ANKLE + leg.rise - hip[1])
    return height


def _legs(pose: Pose, build: Build, body: np.ndarray, pelvis: np.ndarray):
    """Hips, knees, ankles and toes, each f64[2,3], and the middle of the hips."""
    middle = np.array([0, _height(pose, build, body, pelvis), 0])
    found = []
    for side, leg in zip((-1, 1), pose.legs):
        hip = middle + side * build.hips * pelvis[:, 0]
        if isinstance(leg, Plant):
            rest = _planted_leg(hip, middle, side, leg, build, body)
        else:
            rest = _free_leg(hip, side, leg, build, body)
        found.append((hip, *rest))
    hips, knees, ankles, toes = (np.array(pair) for pair in zip(*found))
    return hips, knees, ankles, toes, middle


def _arms(pose: Pose, build: Build, chest: np.ndarray, neck: np.ndarray):
    """Shoulders, elbows, wrists and hands, each f64[2,3]."""
    found = []
    for side, arm in zip((-1, 1), pose.arms):
        raised = 0.03 * sin(radians(max(arm.lift - 60, 0) / 1.4))
        shoulder = neck + chest @ np.array([side * build.shoulders, raised - 0.02, 0])
        upper = _swing(side, arm.lift, arm.around)
        out, up, ahead = arm.bend
        fore = _bent(upper, _unit(np.array([side * out, up, ahead])), arm.elbow)
        elbow = shoulder + build.arm * chest @ upper
        wrist = elbow + 0.87 * build.arm * chest @ fore
        found.append((shoulder, elbow, wrist, wrist + _HAND * chest @ fore))
    return tuple(np.array(pair) for pair in zip(*found))


def pose_body(build: Build, pose: Pose, turn: float) -> Skeleton:
    """The body in a pose, turned from the viewer to its left, its soles at y = 0."""
    body = _about(1, turn)
    pelvis = _frame(turn, 0.5 * pose.tilt, 0.35 * pose.lean)
    chest = _frame(turn + pose.twist, pose.tilt, pose.lean)
    gaze = turn + pose.twist + pose.look
    face = _frame(gaze, 0.5 * pose.tilt, 0.4 * pose.lean + pose.nod)
    hips, knees, ankles, toes, middle = _legs(pose, build, body, pelvis)
    waist = middle + 0.4 * build.trunk * _unit(pelvis[:, 1] + chest[:, 1])
    neck = waist + 0.6 * build.trunk * chest[:, 1]
    shoulders, elbows, wrists, hands = _arms(pose, build, chest, neck)
    upright = _unit(face[:, 1] + 0.5 * chest[:, 1])
    head = neck + (0.05 + 0.055 * build.head) * upright + 0.012 * face[:, 2]
    top = head + 0.06 * build.head * face[:, 1]
    right = ankles[0], knees[0], hips[0]
    arms = wrists[0], elbows[0], shoulders[0], shoulders[1], elbows[1], wrists[1]
    joints = np.array([*right, hips[1], knees[1], ankles[1], *arms, neck, top])
    lowest = min((ankles[:, 1] - ANKLE).min(), toes[:, 1].min() - 0.014)
    lowest = min(lowest, knees[:, 1].min() - 0.04, hands[:, 1].min() - 0.02)
    standing = any(isinstance(leg, Plant) for leg in pose.legs)
    lift = np.array([0, max(0, -lowest) if standing else pose.jump - lowest, 0])
    return Skeleton(
        joints + lift,
        pelvis,
        chest,
        face,
        waist + lift,
        head + lift,
        toes + lift,
        hands + lift,
    )
