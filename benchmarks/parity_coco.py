"""Average precision of poses, ours and COCO's own code's, on random people.

    pip install pycocotools
    python benchmarks/parity_coco.py [--sets 200]

Each set is three pictures of people, with a crowd or without, and of what might be
called of them, as the tests draw them, but for what docs/scores.md says is taken
otherwise: joints that were not found.
"""

import argparse
import contextlib
import io
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from segjax.tasks._pose_scores import score
from tests.test_pose_scores import (
    JOINTS,
    PICTURES,
    SIDE,
    SIGMAS,
    drawn_calls,
    drawn_people,
    rows_of,
)

OURS = ("ap", "ap50", "ap75", "ap/medium", "ap/large", "ar")  # in COCO's order


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=200)
    flags = parser.parse_args()
    try:
        import pycocotools  # noqa: F401
    except ImportError:
        print("parity_coco: pip install pycocotools", file=sys.stderr)
        return 2
    rng = np.random.default_rng(0)
    differences, undefined = [], 0
    for _ in range(flags.sets):
        pictures = [drawn(rng) for _ in range(PICTURES)]
        ours = score(rows_of(pictures), JOINTS, many=True)
        for name, theirs in zip(OURS, of_coco(pictures)):
            if theirs == -1 and np.isnan(ours[name]):
                undefined += 1
            else:
                differences.append(abs(ours[name] - theirs))
    print(
        f"{flags.sets} sets of {PICTURES} pictures, {', '.join(OURS)}: the largest"
        f" difference of {len(differences)} figures is {max(differences):.2g}; both"
        f" call {undefined} undefined"
    )
    return 0


def drawn(rng) -> tuple[dict, dict]:
    """A picture's people and what is called, with all joints found."""
    example = drawn_people(rng)
    calls = drawn_calls(rng, example)
    calls["keypoints"][..., 2] = (calls["score"] >= 0)[:, None]
    return example, calls


def of_coco(pictures: list[tuple[dict, dict]]) -> list[float]:
    """COCO's figures, -1 for undefined."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    true, called = [], []
    for number, (example, calls) in enumerate(pictures, 1):
        of_picture = {"image_id": number, "category_id": 1}
        true += [of_picture | one for one in true_people(example)]
        called += [
            of_picture | {"keypoints": in_coco(points, True), "score": float(sure)}
            for points, sure in zip(calls["keypoints"], calls["score"])
            if sure >= 0
        ]
    if not called:
        return [0.0 if true else -1.0] * len(OURS)
    truth = COCO()
    truth.dataset = {
        "info": {},
        "images": [
            {"id": k + 1, "width": SIDE, "height": SIDE} for k in range(len(pictures))
        ],
        "annotations": [one | {"id": k} for k, one in enumerate(true, 1)],
        "categories": [{"id": 1, "name": "person"}],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        held = COCOeval(truth, truth.loadRes(called), "keypoints")
        held.params.kpt_oks_sigmas = np.array(SIGMAS)
        held.evaluate()
        held.accumulate()
        held.summarize()
    return held.stats[: len(OURS)].tolist()


def true_people(example: dict):
    """The people of a picture in COCO's words, the crowd last; who has neither joints
    nor pixels is left out."""
    people = [*zip(example["keypoints"], example["area"])]
    crowd = np.zeros((len(JOINTS), 3)), np.sum(example["instance"] < 0)
    for number, (points, area) in [*enumerate(people, 1), (-1, crowd)]:
        y, x = np.nonzero(example["instance"] == number)
        labelled = int((points[:, 2] > 0).sum())
        if area == 0 or not (labelled or len(y)):
            continue
        box = [0, 0, 1, 1]
        if len(y):
            box = [x.min() - 0.5, y.min() - 0.5, np.ptp(x) + 1, np.ptp(y) + 1]
        yield {
            "iscrowd": int(number < 0),
            "area": float(area),
            "bbox": [float(v) for v in box],
            "num_keypoints": labelled,
            "keypoints": in_coco(points),
        }


def in_coco(points: np.ndarray, found: bool = False) -> list[float]:
    """x, y and whether it is labelled, of all joints in a row. f32[j,3]"""
    return [float(v) for y, x, there in points for v in (x, y, 1 if found else there)]


if __name__ == "__main__":
    sys.exit(main())
