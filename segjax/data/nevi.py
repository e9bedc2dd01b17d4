"""Nevi: dermoscopy pictures that the project draws itself, with the lesion's mask.

Nothing is read from disk. A picture is built the way light meets skin: bare skin with
its tint, mottles and spots; a lesion, whose outline is a smooth field cut at a chosen
share of the frame and whose pigment absorbs light, little at its edge and more inside;
then hair, gel, ruler, uneven light, the dark corners of the round field, and a camera.
Share of the frame and frequency of the three kinds follow dermoscopy of a clinic."""

import numpy as np

from segjax.base import Info
from segjax.data._drawn import Drawn
from segjax.data._folds import rows_of
from segjax.data._nevi import scene
from segjax.data._nevi.lesion import KINDS, outline, stain

_TURNS = (0, 1, 0, 1, 2)  # kinds of five pictures of a fold: 40, 40 and 20 %


def make_info(**config) -> Info:
    """Classes and colours of the set."""
    return Info(
        classes=("skin", "nevus"),
        colors=((0, 0, 0), (0, 200, 170)),  # one that no skin has
        provides=("image", "semantic"),
    )


def draw(seed: int, index: int, size: int) -> dict:
    """Picture `index` of set `seed`: image u8[h,w,3] and semantic u8[h,w], with height
    `size` and width 4/3 of it, its name, and its kind as label."""
    rng = np.random.default_rng([seed, index])
    kind = KINDS[_TURNS[index // 5 % 5]]  # by fives, so that every fold has its share
    field = outline(rng, size, kind)
    image = scene.spots(rng, size, scene.skin(rng, size))
    image = stain(rng, size, image, field, kind)
    for add in (scene.hair, scene.gel, scene.ruler, scene.light, scene.camera):
        image = add(rng, size, image)
    return {
        "image": image,
        "semantic": (field > 0).astype(np.uint8),
        "name": f"nevus-{index:05d}",
        "label": kind,
    }


def open_split(
    split: str,
    *,
    size: int = 128,
    fold: int = 0,
    pictures: int = 1000,
    seed: int = 0,
) -> Drawn:
    """Rows of "train", "val" or "test" of a set of `pictures`, of height `size`."""
    return Drawn(draw, rows_of(split, pictures, fold), size, seed)
