"""Dancers: people who dance, fight and play, drawn by the project itself, each told
from the others, with a silhouette and key points.

Nothing is read from disk. A body of bones takes a pose of martial arts, dance or sports
in space, is turned before a camera, and wears flesh, hair and clothes, of which the
nearest surface is painted: an arm may hide the chest, and face, hair and shirt front
tell left from right. Around are a stage, a dojo, a street and more, with things as tall
and slim as people. Of everyone who is drawn, about a third or more is seen."""

from functools import partial

import numpy as np

from segjax.base import Info, check_range
from segjax.data._dancers.dancer import LIMBS
from segjax.data._dancers.scene import draw_scene
from segjax.data._dancers.skeleton import JOINTS
from segjax.data._drawn import Drawn
from segjax.data._folds import rows_of
from segjax.data._joints.mirror import mirror_of

MOST = 12  # people that there is room for


def make_info(*, people: int = 1, **config) -> Info:
    """Classes, joints and colours of the set, and how many people a picture shows."""
    check_range("data.people", people, 1, MOST)
    return Info(
        classes=("background", "person"),
        things=("person",),
        joints=JOINTS,
        limbs=LIMBS,
        mirror=mirror_of(JOINTS),
        people=people,
        colors=((0, 0, 0), (0, 200, 80)),
        provides=("image", "semantic", "instance", "keypoints", "area"),
    )


def draw(seed: int, index: int, size: int, people: int = 1) -> dict:
    """Picture `index` of set `seed`, with 1 to `people` dancers: image u8[h,w,3],
    semantic u8[h,w] and instance i32[h,w], with height `size` and width 4/3 of it,
    keypoints f32[n,14,3] as y, x, visible, area f32[n] in pixels, and its name. Dancers
    are numbered from the nearest; row i of `keypoints` is of instance i + 1."""
    scene = draw_scene(np.random.default_rng([seed, index]), size, people)
    pixels = np.bincount(scene.instance.ravel(), minlength=1)[1:]
    return {
        "image": scene.image,
        "semantic": (scene.instance > 0).astype(np.uint8),
        "instance": scene.instance,
        "keypoints": scene.keypoints,
        "area": pixels.astype(np.float32),
        "name": f"dancers-{index:05d}",
    }


def open_split(
    split: str,
    *,
    size: int = 128,
    fold: int = 0,
    pictures: int = 1000,
    seed: int = 0,
    people: int = 1,
) -> Drawn:
    """Rows of "train", "val" or "test" of a set of `pictures`, of height `size`.

    people: how many there are at most in a picture; as many as any number below it.
    """
    check_range("data.people", people, 1, MOST)
    drawing = partial(draw, people=people)
    return Drawn(drawing, rows_of(split, pictures, fold), size, seed)
