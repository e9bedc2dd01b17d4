"""Moves of martial arts, dance and sports: what legs, arms and trunk do in each.

Every number is drawn from a span; the side that leads is the right or the left one by
chance."""

from typing import NamedTuple

import numpy as np

from segjax.data._dancers.limbs import ARMS, LEGS
from segjax.data._dancers.skeleton import Arm, Free, Plant, Pose

Span = tuple[float, float]


class Move(NamedTuple):
    """What goes together."""

    share: float  # how often it is met
    legs: str
    arms: str  # the names of those that fit
    lean: Span = (-3, 6)
    tilt: Span = (-4, 4)  # away from the side that leads
    twist: Span = (-10, 10)  # the side that leads comes ahead
    look: Span = (-35, 35)  # to the side that leads
    height: Span = (0.97, 1.0)
    jump: Span = (0, 0)


_UP = "raised one_raised aside crown"
MOVES = {
    "stand": Move(7, "stand", "down hips crossed hoop flexed ahead " + _UP),
    "cheer": Move(4, "apart", "diagonal flexed " + _UP, lean=(-8, 5)),
    "disco": Move(
        6, "apart", "diagonal hip_and_up egypt one_raised", (-8, 8), tilt=(-14, 14)
    ),
    "stride": Move(8, "stride", "swing down", lean=(0, 10), twist=(-14, -2)),
    "run": Move(6, "run", "pump swing", (5, 22), twist=(-18, -4), height=(0.95, 1)),
    "sprint": Move(4, "sprint", "pump", (6, 22), twist=(-18, -4), jump=(0.02, 0.1)),
    "box": Move(6, "stride", "guard jab", (2, 14), twist=(5, 35), height=(0.88, 0.97)),
    "punch": Move(6, "lunge", "punch block jab", twist=(0, 30), height=(0.72, 0.9)),
    "lunge": Move(5, "lunge", "diagonal bow " + _UP, (-10, 12), height=(0.62, 0.9)),
    "side_lunge": Move(
        5,
        "side_lunge",
        "aside one_raised diagonal block hip_and_up",
        lean=(0, 18),
        tilt=(-12, 8),
        height=(0.55, 0.85),
    ),
    "horse": Move(
        5, "horse", "guard hips ahead aside flexed bow punch", height=(0.62, 0.85)
    ),
    "kick_ahead": Move(
        6, "kick_ahead", "guard aside swing punch", lean=(-25, 2), tilt=(-5, 10)
    ),
    "kick_aside": Move(
        6, "kick_aside", "guard aside diagonal", tilt=(12, 48), look=(10, 60)
    ),
    "arabesque": Move(5, "kick_behind", "one_raised aside ahead", lean=(20, 60)),
    "crane": Move(5, "chamber", "guard hips " + _UP, lean=(-8, 6)),
    "pirouette": Move(5, "turning", "hoop " + _UP, lean=(-4, 3)),
    "attitude": Move(4, "attitude", "crown " + _UP, (-6, 18), tilt=(-5, 12)),
    "leap": Move(4, "leap", "swing " + _UP, lean=(-8, 12), jump=(0.06, 0.22)),
    "star": Move(3, "star", "raised aside diagonal", (-10, 8), jump=(0.04, 0.2)),
    "tuck": Move(3, "tuck", "ahead raised aside flexed", (0, 25), jump=(0.05, 0.2)),
    "kneel": Move(4, "kneel", "ahead down bow " + _UP, height=(0.53, 0.57)),
    "squat": Move(3, "squat", "ahead guard hoop aside", (10, 35), height=(0.42, 0.7)),
    "throw": Move(
        5, "stride", "throw", (-14, 14), (-6, 16), (-40, 10), height=(0.9, 0.98)
    ),
    "crossed": Move(4, "crossed", "hips diagonal " + _UP),
    "bow": Move(2, "stand", "down aside", lean=(35, 75)),
    "bend": Move(3, "apart", "one_raised hip_and_up raised", tilt=(-38, -15)),
}


def choose_move(rng: np.random.Generator) -> str:
    """The name of a move."""
    odds = np.array([move.share for move in MOVES.values()])
    return list(MOVES)[rng.choice(len(odds), p=odds / odds.sum())]


def _leg(rng: np.random.Generator, kind, *spans: Span) -> Plant | Free:
    return kind(*(rng.uniform(*span) for span in spans))


def _arm(rng: np.random.Generator, *spans) -> Arm:
    lift, around, elbow = (rng.uniform(*span) for span in spans[:3])
    out, up, ahead = (float(way) for way in spans[3] + rng.normal(0, 0.12, 3))
    return Arm(lift, around, elbow, (out, up, ahead))


def make_pose(rng: np.random.Generator, name: str) -> Pose:
    """One of the ways that a move is done."""
    move = MOVES[name]
    left = bool(rng.integers(2))  # the left side leads
    sign = 1 if left else -1
    fitting = move.arms.split()
    legs = [_leg(rng, *leg) for leg in LEGS[move.legs]]
    arms = [_arm(rng, *arm) for arm in ARMS[fitting[rng.integers(len(fitting))]]]
    crossed = rng.random() < 0.25  # the arm leads that is not of the leg's side
    return Pose(
        height=rng.uniform(*move.height),
        lean=rng.uniform(*move.lean),
        tilt=sign * rng.uniform(*move.tilt),
        twist=-sign * rng.uniform(*move.twist),
        look=sign * rng.uniform(*move.look),
        nod=rng.uniform(-12, 18),
        jump=rng.uniform(*move.jump),
        legs=(legs[left], legs[not left]),
        arms=(arms[left ^ crossed], arms[not left ^ crossed]),
    )
