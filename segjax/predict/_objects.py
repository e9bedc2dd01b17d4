"""What is written of objects told apart: their numbers as a picture, and a list of them
in COCO's words."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image

from segjax.base import Info
from segjax.ops import rle

COCO = "coco.json"  # of all pictures of a prediction
_OURS = ("id", "class", "joint_scores")  # what COCO's files do not have, or number anew


def id_picture(instance: np.ndarray) -> Image.Image:
    """The number of each pixel's object, 0 for none, in 16 bits. i32[h,w]"""
    return Image.fromarray(np.asarray(instance).astype(np.uint16))


def describe(prediction: dict[str, np.ndarray], info: Info) -> list[dict[str, Any]]:
    """Each object: number, class, score, pixels, box as x, y, width, height, and its
    mask as COCO's compressed run lengths."""
    ids, semantic = prediction["instance"], prediction["semantic"]
    found = []
    for number in range(1, int(ids.max(initial=0)) + 1):
        mask = ids == number
        y, x = np.nonzero(mask)
        kind = int(semantic[y[0], x[0]])
        box = [x.min(), y.min(), x.max() - x.min() + 1, y.max() - y.min() + 1]
        counts = rle.compress(rle.encode(mask))
        found.append(
            {
                "id": number,
                "category_id": kind,
                "class": info.classes[kind],
                "score": float(prediction["score"][number - 1]),
                "area": len(y),
                "bbox": [int(v) for v in box],
                "segmentation": {"size": list(mask.shape), "counts": counts},
            }
        )
    return found


def as_coco(
    pictures: Iterable[dict[str, Any]], categories: list[dict[str, Any]]
) -> dict[str, Any]:
    """The objects or people of all pictures as one file of annotations, numbered anew.

    pictures: what was written of each.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, about in enumerate(pictures, 1):
        h, w = about["size"]
        name = about["source"]["file"]
        images.append({"id": number, "file_name": name, "height": h, "width": w})
        for one in about["objects"]:
            own = {k: v for k, v in one.items() if k not in _OURS}
            own |= {"id": len(annotations) + 1, "image_id": number, "iscrowd": 0}
            annotations.append(own)
    return {"images": images, "categories": categories, "annotations": annotations}


def thing_categories(info: Info) -> list[dict[str, Any]]:
    """The classes that have objects, in COCO's words."""
    return [
        {"id": kind, "name": name}
        for kind, name in enumerate(info.classes)
        if name in info.things
    ]
