"""Pastures: sheep and dogs that the project draws itself, each told from the others.

Nothing is read from disk. A picture is built from far to near: sky and hills, a meadow
that grows larger towards the viewer, a pond and a fence now and then, the shadows, and
then the animals, each of tapered limbs under wool or fur, lit by the day's sun. What
grows, hills and woods as well as grass, is the background. A flock huddles, so that
sheep hide each other in part; of every animal that is drawn, about a third or more is
seen."""

import numpy as np

from segjax.base import Info
from segjax.data._drawn import Drawn
from segjax.data._folds import rows_of
from segjax.data._pasture.scene import draw_scene


def make_info(**config) -> Info:
    """Classes and colours of the set; sheep and dogs are told apart one by one."""
    return Info(
        classes=("grass", "sky", "water", "fence", "sheep", "dog"),
        things=("sheep", "dog"),
        colors=(
            (96, 160, 72),
            (120, 190, 240),
            (30, 90, 200),
            (150, 90, 40),
            (250, 225, 90),
            (220, 50, 60),
        ),
        provides=("image", "semantic", "instance"),
    )


def draw(seed: int, index: int, size: int) -> dict:
    """Picture `index` of set `seed`: image u8[h,w,3], semantic u8[h,w] and instance
    i32[h,w], with height `size` and width 4/3 of it, and its name. Animals are numbered
    from the nearest, those before the fence first."""
    canvas = draw_scene(np.random.default_rng([seed, index]), size)
    return {**canvas._asdict(), "name": f"pasture-{index:05d}"}


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
