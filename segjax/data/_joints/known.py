"""Skeletons that the number of their joints tells: LSP's, MPII's and COCO's.

Their limbs are trees that a mirror leaves as they are. COCO draws rings; here its trunk
is a limb on either side and its face hangs on the nose.
"""

from typing import NamedTuple

from segjax.data._joints.mirror import mirror_of

_LEGS_AND_ARMS = (
    ("{}_hip", "{}_knee"),
    ("{}_knee", "{}_ankle"),
    ("{}_shoulder", "{}_elbow"),
    ("{}_elbow", "{}_wrist"),
)


class Skeleton(NamedTuple):
    """Joints, the limbs between them, and the joint that each is in a mirror."""

    joints: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...] = ()
    mirror: tuple[int, ...] = ()
    name: str = ""  # whose it is, where it was not told


def _skeleton(name: str, joints: str, *limbs: tuple[str, str]) -> Skeleton:
    """limbs: beside those of legs and arms; {} is either side."""
    names = tuple(joints.split())
    pairs = [
        (names.index(a.format(side)), names.index(b.format(side)))
        for side in ("right", "left")
        for a, b in (*limbs, *_LEGS_AND_ARMS)
    ]
    return Skeleton(names, tuple(dict.fromkeys(pairs)), mirror_of(names), name)


KNOWN = {
    14: _skeleton(
        "LSP",
        "right_ankle right_knee right_hip left_hip left_knee left_ankle right_wrist"
        " right_elbow right_shoulder left_shoulder left_elbow left_wrist neck head_top",
        ("neck", "head_top"),
        ("neck", "{}_shoulder"),
        ("neck", "{}_hip"),
    ),
    16: _skeleton(
        "MPII",
        "right_ankle right_knee right_hip left_hip left_knee left_ankle pelvis thorax"
        " upper_neck head_top right_wrist right_elbow right_shoulder left_shoulder"
        " left_elbow left_wrist",
        ("thorax", "upper_neck"),
        ("upper_neck", "head_top"),
        ("thorax", "pelvis"),
        ("thorax", "{}_shoulder"),
        ("pelvis", "{}_hip"),
    ),
    17: _skeleton(
        "COCO",
        "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder"
        " left_elbow right_elbow left_wrist right_wrist left_hip right_hip left_knee"
        " right_knee left_ankle right_ankle",
        ("nose", "{}_eye"),
        ("{}_eye", "{}_ear"),
        ("nose", "{}_shoulder"),
        ("{}_shoulder", "{}_hip"),
    ),
}
