"""A small COCO to be written, in its three forms: what the tests of it share."""

import io
import json

import numpy as np
from PIL import Image

from segjax import data
from segjax.__main__ import main
from segjax.ops import rle

KINDS = [  # as COCO has them: neither contiguous nor in order
    {"id": 92, "name": "sky", "isthing": 0, "color": [70, 130, 180]},
    {"id": 1, "name": "person", "isthing": 1, "color": [220, 20, 60]},
    {"id": 7, "name": "car", "isthing": 1, "color": [0, 0, 142]},
]
PERSON, CAR, SKY = 0, 1, 2  # their classes
CORNERS = {  # of a person: joints, limbs
    "id": 1,
    "name": "person",
    "keypoints": ["nose", "left_hand", "right_hand"],
    "skeleton": [[1, 2], [1, 3]],
}
# ids that need one, two and three bytes: 300 = 44 + 1 * 256,
# 70000 = 112 + 17 * 256 + 1 * 65536
RGB = {0: (0, 0, 0), 9: (9, 0, 0), 300: (44, 1, 0), 70000: (112, 17, 1)}
IDS = np.array(
    [
        [300, 300, 0, 0, 9, 9],
        [300, 300, 0, 0, 9, 9],
        [70000, 70000, 70000, 0, 8, 8],
        [70000, 70000, 70000, 0, 8, 8],
    ]
)
RGB[8] = (8, 0, 0)
SEGMENTS = [
    {"id": 9, "category_id": 7, "iscrowd": 0},
    {"id": 70000, "category_id": 92, "iscrowd": 0},
    {"id": 300, "category_id": 7, "iscrowd": 0},
    {"id": 8, "category_id": 1, "iscrowd": 1},
]


def picture_of(key):
    return np.random.default_rng(key).integers(0, 256, (4, 6, 3), np.uint8)


def entry(key, **more):
    return {"id": key, "file_name": f"{key:012d}.jpg", "height": 4, "width": 6} | more


def write_pictures(root, keys, folder="train2017"):
    (root / folder).mkdir(parents=True, exist_ok=True)
    for key in keys:
        Image.fromarray(picture_of(key)).save(root / folder / f"{key:012d}.jpg")


def write_json(root, name, content):
    path = root / "annotations" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def write_panoptic(root, keys, split="train2017"):
    write_pictures(root, keys, split)
    folder = root / "annotations" / f"panoptic_{split}"
    folder.mkdir(parents=True)
    rgb = np.array([[RGB[v] for v in row] for row in IDS.tolist()], np.uint8)
    marks = []
    for key in keys:
        name = f"{key:012d}.png"
        Image.fromarray(rgb).save(folder / name)
        marks.append({"image_id": key, "file_name": name, "segments_info": SEGMENTS})
    content = {"images": [entry(k) for k in keys], "annotations": marks}
    write_json(root, f"panoptic_{split}", content | {"categories": KINDS})


def box(x, y, right, bottom):
    return [[x, y, right, y, right, bottom, x, bottom]]


def mark(key, image, category, segmentation, **more):
    what = {"id": key, "image_id": image, "category_id": category}
    return what | {"segmentation": segmentation, "iscrowd": 0} | more


def objects(image):
    """A car, a person before it, one who is behind that car and smaller still; a crowd
    of cars that the first car stands in."""
    crowd = np.zeros((4, 6), bool)
    crowd[3] = True
    runs = {"size": [4, 6], "counts": rle.encode(crowd)}
    return [
        mark(10 * image + 1, image, 7, box(0, 1, 4, 4)),
        mark(10 * image + 2, image, 1, box(1, 0, 2, 3)),
        mark(10 * image + 3, image, 7, runs, iscrowd=1),
        mark(10 * image + 4, image, 1, box(4.6, 0.6, 5.4, 1.4)),  # no centre inside
    ]


def write_objects(root, keys, name="instances_train2017", folder="train2017"):
    write_pictures(root, keys, folder)
    content = {
        "images": [entry(key) for key in keys],
        "annotations": [one for key in keys for one in objects(key)],
        "categories": KINDS[1:],
    }
    write_json(root, name, content)


def people(image):
    small, large = [5, 1, 2, 4, 0, 1, 0, 0, 0], [1, 2, 2, 0, 0, 0, 3, 3, 1]
    return [
        mark(1, image, 1, box(0, 0, 3, 4), keypoints=large, area=11.5),
        mark(2, image, 1, box(0, 0, 6, 1), iscrowd=1, keypoints=[0] * 9),
        mark(3, image, 1, box(0.6, 0.6, 0.9, 0.9), keypoints=[0] * 9, area=0.1),
        mark(4, image, 1, box(4, 0, 6, 2), keypoints=small),
    ]


def write_people(root, keys, name="person_keypoints_val2017"):
    write_pictures(root, keys, "val2017")
    marks = [one for key in keys for one in people(key)]
    content = {"images": [entry(k) for k in keys], "annotations": marks}
    write_json(root, name, content | {"categories": [CORNERS]})


def prepare(root, to, *more):
    return main(["prepare", "coco", f"--from={root}", f"--to={to}", *more])


def all_rows(to, **config):
    for fold in range(5):
        rows = data.open_split("coco", "test", dir=str(to), fold=fold, **config)
        yield from (rows[i] for i in range(len(rows)))


def of_jpeg(key):
    file = io.BytesIO()
    Image.fromarray(picture_of(key)).save(file, "JPEG")
    return np.asarray(Image.open(file))
