"""Annotations of objects as masks: polygons and run lengths, one over the other."""

from typing import Any, NamedTuple

import numpy as np

from segjax.base import Mistake
from segjax.data._coco.labels import (
    CROWD,
    Labels,
    class_of,
    distinct,
    is_crowd,
    of_picture,
)
from segjax.data._coco.legend import KEYPOINTS, Legend
from segjax.data._coco.polygon import (
    Box,
    box_of,
    check_polygon,
    fill,
    is_number,
    reaches_out,
)
from segjax.data._coco.scan import Picture
from segjax.data._intake import shown
from segjax.data._joints.keypoints import is_inside
from segjax.ops.rle import decode


class Drawn(NamedTuple):
    """An object's mask, of the box that holds it."""

    box: Box
    mask: np.ndarray  # bool[h,w]
    cut: bool  # whether it reaches out of the picture


class _Object(NamedTuple):
    drawn: Drawn
    pixels: int
    cls: int
    crowd: bool
    keypoints: np.ndarray  # f32[j,3]
    outside: int  # joints that are not of them, as they lie outside of the picture
    area: float  # as COCO says


def draw_objects(picture: Picture) -> Labels:
    """The objects laid over each other: crowds lowest, then the larger below the
    smaller, of equals the later on top."""
    h, w = picture.size
    objects = [_object(mark, picture) for mark in picture.marks]
    order = sorted(
        range(len(objects)),
        key=lambda k: (not objects[k].crowd, -objects[k].pixels, k),
    )
    owner = np.zeros((h, w), np.int32)
    for k in order:
        box, mask, _ = objects[k].drawn
        owner[box][mask] = k + 1
    seen = set(distinct(owner).tolist())
    single = [k for k, one in enumerate(objects) if not one.crowd]
    visible = [k for k in single if k + 1 in seen]
    numbers = np.zeros(len(objects) + 1, np.int32)
    numbers[[k + 1 for k, one in enumerate(objects) if one.crowd]] = CROWD
    numbers[[k + 1 for k in visible]] = np.arange(1, len(visible) + 1)
    classes = np.array([0, *(one.cls for one in objects)], np.uint8)
    labels = Labels(
        semantic=classes[owner],
        instance=numbers[owner],
        objects=tuple(picture.legend.classes[objects[k].cls] for k in visible),
        crowds=len(objects) - len(single),
        covered=len(single) - len(visible),
        cut=sum(one.drawn.cut for one in objects),
    )
    if picture.legend.form != KEYPOINTS:
        return labels
    # row i is of instance i + 1; behind them those that are covered whole
    people = [objects[k] for k in [*visible, *(k for k in single if k not in visible)]]
    points = np.zeros((len(people), len(picture.legend.joints), 3), np.float32)
    for row, person in enumerate(people):
        points[row] = person.keypoints
    return labels._replace(
        keypoints=points,
        outside=sum(person.outside for person in people),
        area=np.array([person.area for person in people], np.float32),
    )


def _object(mark: dict, picture: Picture) -> _Object:
    """An annotation drawn, or the Mistake that names it."""
    told = f"Annotation {shown(mark.get('id', 'without id'))}"
    cls = class_of(mark, picture, told)
    crowd = is_crowd(mark, picture, told)
    try:
        drawn = draw_segmentation(mark.get("segmentation"), picture.size)
        joints, outside = read_joints(mark, picture.legend, crowd, picture.size)
    except Mistake as mistake:
        raise Mistake(of_picture(told, picture, str(mistake))) from None
    pixels = int(np.count_nonzero(drawn.mask))
    told_area: Any = mark.get("area")
    area = float(told_area) if is_number(told_area) else pixels
    return _Object(drawn, pixels, cls, crowd, joints, outside, area)


def draw_segmentation(segmentation: Any, size: tuple[int, int]) -> Drawn:
    """The mask of an object: of polygons together, or of run lengths."""
    if isinstance(segmentation, dict):
        if segmentation.get("size") != list(size):
            raise Mistake(
                f"has run lengths of the size {segmentation.get('size')!r}; its"
                f" picture has {list(size)}"
            )
        return _cropped(decode(segmentation.get("counts"), size))
    if not isinstance(segmentation, list) or not segmentation:
        raise Mistake("has no 'segmentation', polygons or run lengths")
    polygons = [check_polygon(polygon, size) for polygon in segmentation]
    every = np.concatenate(polygons)
    box = box_of(every, size)
    mask = fill(polygons[0], box)
    for corners in polygons[1:]:
        mask |= fill(corners, box)
    return Drawn(box, mask, reaches_out(every, size))


def _cropped(mask: np.ndarray) -> Drawn:
    """A picture's mask without the empty rows and columns around it."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return Drawn((slice(0, 0), slice(0, 0)), mask[:0, :0], False)
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return Drawn(box, mask[box].copy(), False)


def read_joints(
    mark: dict, legend: Legend, crowd: bool, size: tuple[int, int]
) -> tuple[np.ndarray, int]:
    """A person's joints, x, y, visible in COCO, as y, x, visible, and how many lie
    outside of the picture: they are taken as not labelled. f32[j,3]"""
    count = len(legend.joints)
    given = mark.get("keypoints")
    if count == 0 or crowd or given in (None, []):  # not labelled
        return np.zeros((count, 3), np.float32), 0
    whole = isinstance(given, list) and all(map(is_number, given))
    if not whole or len(given) != 3 * count:
        raise Mistake(f"has key points that are not x, y, visible of {count} joints")
    joints = np.array(given, np.float32).reshape(count, 3)[:, [1, 0, 2]]
    if not np.isin(joints[:, 2], (0, 1, 2)).all():
        raise Mistake("has a joint that is neither 0, 1 nor 2, not labelled to visible")
    labelled, inside = joints[:, 2] > 0, is_inside(joints, size)
    if labelled.any() and not (labelled & inside).any():
        y, x = joints[labelled, :2].T
        raise Mistake(
            f"has all its {labelled.sum()} joints outside of its picture: x is"
            f" {x.min():g} to {x.max():g}, y {y.min():g} to {y.max():g}, the picture is"
            f" {size[1]} wide, {size[0]} high"
        )
    kept = np.where(inside[:, None], joints, 0)
    return kept, int((labelled & ~inside).sum())
