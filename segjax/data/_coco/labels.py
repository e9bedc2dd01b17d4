"""A picture's labels in the shared words, and what drawing them from segments and from
objects has in common."""

from typing import NamedTuple

import numpy as np

from segjax.base import Mistake
from segjax.data._coco.scan import Picture
from segjax.data._intake import shown

CROWD = -1  # of `instance`: many objects as one, which does not count


class Labels(NamedTuple):
    """What each pixel of a picture is, and what there was to be drawn."""

    semantic: np.ndarray  # u8[h,w]
    instance: np.ndarray  # i32[h,w]
    objects: tuple[str, ...]  # the class of each thing that is no crowd
    crowds: int
    covered: int  # objects that no pixel is left of
    cut: int = 0  # objects that reach out of the picture
    keypoints: np.ndarray | None = None  # f32[p,j,3] y, x, visible
    outside: int = 0  # joints that lie outside of the picture
    area: np.ndarray | None = None  # f32[p]


def from_rgb(rgb: np.ndarray) -> np.ndarray:
    """The numbers that three bytes a pixel tell. u8[h,w,3] -> i32[h,w]"""
    return rgb.astype(np.int32) @ np.array([1, 256, 65536], np.int32)


def to_rgb(numbers: np.ndarray) -> np.ndarray:
    """Three bytes a pixel for the numbers, of which -1 becomes the largest.
    i32[h,w] -> u8[h,w,3]"""
    return (numbers[..., None] >> np.array([0, 8, 16])).astype(np.uint8)


def distinct(values: np.ndarray) -> np.ndarray:
    """The values of a map, in order. Only where they change along a row is looked at,
    which spares most of the sorting."""
    flat = values.ravel()
    return np.unique(flat[np.flatnonzero(np.diff(flat, prepend=flat[0] - 1))])


def class_of(mark: dict, picture: Picture, told: str) -> int:
    """The class of an annotation's category."""
    category = mark.get("category_id")
    cls = picture.legend.class_of(category)
    if cls is None:
        what = f"is of category {category!r}, which is not among its 'categories'"
        if type(category) is not int:
            what = f"has a 'category_id' of {category!r}; it must be a whole number"
        raise Mistake(of_picture(told, picture, what))
    return cls


def is_crowd(mark: dict, picture: Picture, told: str) -> bool:
    """Whether an annotation is of many objects as one."""
    crowd = mark.get("iscrowd", 0)
    if crowd not in (0, 1):
        what = f"has an 'iscrowd' of {crowd!r}; it must be the number 0 or 1"
        raise Mistake(of_picture(told, picture, what))
    return bool(crowd)


def of_picture(told: str, picture: Picture, what: str) -> str:
    """The sentence for an annotation: which it is, where it stands, what is wrong."""
    where = f"{shown(picture.image)} in {shown(picture.source)}"
    return f"{told} of {where} {what}. Mend it, or take it out."
