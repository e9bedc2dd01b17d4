"""What is written of skeletons: in COCO's words, and as OpenPose lays them out."""

from typing import Any

import numpy as np

from segjax.base import Info

_UNSEEN = (
    *(f"{part}_keypoints_2d" for part in ("face", "hand_left", "hand_right")),
    *(f"{part}_keypoints_3d" for part in ("pose", "face", "hand_left", "hand_right")),
)  # of OpenPose's lists
_SEEN = 2  # COCO's word for a joint that is there; nobody says whether it is hidden


def describe_people(
    prediction: dict[str, np.ndarray], info: Info
) -> list[dict[str, Any]]:
    """Each person: score, box as x, y, width, height, its area as COCO's own reader
    takes that of results, joints as x, y, found or not, and how sure each is."""
    found: list[dict[str, Any]] = []
    for points, score in zip(prediction["keypoints"], prediction["score"]):
        if score < 0:
            continue
        there = points[:, 2] > 0
        y, x = points[there, :2].T if there.any() else np.zeros((2, 1))
        joints = [
            [float(x), float(y), _SEEN] if sure > 0 else [0.0, 0.0, 0]
            for y, x, sure in points.tolist()
        ]
        box = [x.min(), y.min(), np.ptp(x), np.ptp(y)]
        found.append(
            {
                "id": len(found) + 1,
                "category_id": 1,
                "class": info.things[0] if info.things else "person",
                "score": float(score),
                "area": round(float(box[2] * box[3]), 2),
                "bbox": [round(float(v), 2) for v in box],
                "num_keypoints": int(there.sum()),
                "keypoints": [round(v, 2) for joint in joints for v in joint],
                "joint_scores": [round(v, 4) for v in points[:, 2].tolist()],
            }
        )
    return found


def as_openpose(people: list[dict[str, Any]]) -> dict[str, Any]:
    """The people of a picture in the layout that OpenPose's --write_json gives, with
    the joints in the data set's own order."""
    return {
        "version": 1.3,
        "people": [
            {
                "person_id": [-1],
                "pose_keypoints_2d": [
                    value
                    for x, y, sure in zip(
                        one["keypoints"][::3],
                        one["keypoints"][1::3],
                        one["joint_scores"],
                    )
                    for value in (x, y, sure)
                ],
                **{name: [] for name in _UNSEEN},
            }
            for one in people
        ],
    }


def people_category(info: Info) -> list[dict[str, Any]]:
    """What COCO's file says of joints and limbs, counted from 1."""
    return [
        {
            "id": 1,
            "name": info.things[0] if info.things else "person",
            "keypoints": list(info.joints),
            "skeleton": [[a + 1, b + 1] for a, b in info.limbs],
        }
    ]
