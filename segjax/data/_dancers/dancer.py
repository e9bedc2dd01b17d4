"""One dancer, from the skeleton to the figure in the picture."""

from typing import NamedTuple

import numpy as np

from segjax.data._dancers.body import make_body
from segjax.data._dancers.look import Look
from segjax.data._dancers.part import Figure, make_bones, make_figure, view_of
from segjax.data._dancers.skeleton import JOINTS, Build, Pose, Skeleton, pose_body

LIMBS = tuple(
    (JOINTS.index(a), JOINTS.index(b))
    for a, b in (
        ("head_top", "neck"),
        ("neck", "right_shoulder"),
        ("right_shoulder", "right_elbow"),
        ("right_elbow", "right_wrist"),
        ("neck", "left_shoulder"),
        ("left_shoulder", "left_elbow"),
        ("left_elbow", "left_wrist"),
        ("neck", "right_hip"),
        ("right_hip", "right_knee"),
        ("right_knee", "right_ankle"),
        ("neck", "left_hip"),
        ("left_hip", "left_knee"),
        ("left_knee", "left_ankle"),
    )
)
_DEEP = {  # how far a joint lies below what is seen there of the same limb
    "ankle": 0.045,
    "knee": 0.065,
    "hip": 0.11,
    "wrist": 0.045,
    "elbow": 0.05,
    "shoulder": 0.07,
    "neck": 0.07,
    "head_top": 0.08,
}


class Dancer(NamedTuple):
    """A figure that has joints."""

    figure: Figure
    joints: np.ndarray  # f32[14,3], as seen
    deep: np.ndarray  # f32[14], how far a joint may lie below the surface and be seen


def make_build(rng: np.random.Generator) -> tuple[Build, float]:
    """A body, and its height among grown ones, around 1: of a child now and then."""
    child = rng.random() < 0.12
    broad = rng.normal(0, 1)
    build = Build(
        shoulders=0.1 + 0.006 * broad + rng.normal(0, 0.003),
        hips=0.05 - 0.002 * broad + rng.normal(0, 0.002),
        trunk=rng.normal(0.292, 0.006),
        arm=rng.normal(0.17, 0.005),
        thigh=rng.normal(0.242, 0.006) - 0.015 * child,
        shank=rng.normal(0.24, 0.006) - 0.015 * child,
        head=rng.normal(1.04, 0.04) + 0.28 * child,
        girth=float(np.exp(rng.normal(0.02, 0.1))),
    )
    return build, rng.uniform(0.62, 0.8) if child else float(rng.normal(1, 0.04))


def _core(body: Skeleton, look: Look) -> np.ndarray:
    """Limbs, trunk and head, as thick as they look."""
    thick = 0.042 + look.loose
    limbs = [pair for pair in LIMBS if JOINTS.index("neck") not in pair]
    bones = [(*body.joints[list(pair)], thick, 0.8 * thick) for pair in limbs]
    bones.append((body.head, body.head, 0.058, 0.058))
    middle = (body.at("right_hip") + body.at("left_hip")) / 2
    bones.append((middle, body.at("neck") - 0.06 * body.chest[:, 1], 0.09, 0.09))
    if look.skirt:
        knees = (body.at("right_knee") + body.at("left_knee")) / 2
        hem = middle + min(look.skirt, 1.5) * (knees - middle)
        bones.append((middle, hem, 0.1, 0.13))
    ankles = body.at("right_ankle"), body.at("left_ankle")
    bones += [(a, b, 0.03, 0.025) for a, b in zip(ankles, body.toes)]
    return make_bones(bones)


def make_dancer(
    build: Build, look: Look, pose: Pose, turn: float, place, pitch: float, sun
) -> Dancer:
    """A dancer at a place (y, x, scale), turned from the viewer to its left."""
    body = pose_body(build, pose, turn)
    parts = make_body(body, build, look)
    figure = make_figure(place, parts, _core(body, look), pitch, sun)
    names = (joint.removeprefix("right_").removeprefix("left_") for joint in JOINTS)
    deep = np.array([_DEEP[name] for name in names]) * build.girth
    joints = body.joints.astype(np.float32) @ view_of(pitch)
    return Dancer(figure, joints, (deep + 1.5 * look.loose + 0.01).astype(np.float32))
