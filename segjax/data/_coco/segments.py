"""Panoptic annotations as masks: a PNG of ids, and what each id is."""

from typing import Any

import numpy as np

from segjax.base import VOID, Mistake
from segjax.data._coco.labels import (
    CROWD,
    Labels,
    class_of,
    distinct,
    from_rgb,
    is_crowd,
)
from segjax.data._coco.scan import Picture
from segjax.data._intake import Files, decode, shown


def draw_segments(files: Files, picture: Picture) -> Labels:
    """The labels of a picture; what no segment holds does not count."""
    ids = read_ids(files, picture)
    legend = picture.legend
    segments = [_segment(s, picture) for s in picture.marks]
    _check_segments(ids, [s["id"] for s in segments], picture)
    known, classes, numbers = [0], [VOID], [0]
    objects: list[str] = []
    for segment in segments:
        cls = class_of(segment, picture, f"Segment {segment['id']}")
        crowd = is_crowd(segment, picture, f"Segment {segment['id']}")
        number = 0
        if legend.classes[cls] in legend.things:
            if not crowd:
                objects.append(legend.classes[cls])
            number = CROWD if crowd else len(objects)
        known.append(segment["id"])
        classes.append(cls)
        numbers.append(number)
    order = np.argsort(known)
    place = order[np.searchsorted(np.array(known)[order], ids)]
    return Labels(
        semantic=np.array(classes, np.uint8)[place],
        instance=np.array(numbers, np.int32)[place],
        objects=tuple(objects),
        crowds=numbers.count(CROWD),
        covered=0,
    )


def _segment(segment: Any, picture: Picture) -> dict:
    key = segment.get("id") if isinstance(segment, dict) else None
    if type(key) is not int or not 0 < key < 2**24:
        raise Mistake(
            f"{shown(picture.source)}: a segment of {shown(picture.ids)} has the id"
            f" {key!r}; it must be a whole number from 1 to {2**24 - 1}."
        )
    return segment


def _check_segments(ids: np.ndarray, listed: list[int], picture: Picture) -> None:
    """A Mistake where PNG and JSON do not speak of the same segments."""
    png, file = shown(picture.ids), shown(picture.source)
    twice = sorted({key for key in listed if listed.count(key) > 1})
    if twice:
        raise Mistake(
            f"{file} lists segment {twice[0]} of {png} twice; a segment is of one"
            " category."
        )
    there = set(distinct(ids).tolist()) - {0}
    for told, keys in (
        (f"{file} lists segments that {png} has not", set(listed) - there),
        (f"{png} has segments that {file} does not list", there - set(listed)),
    ):
        if keys:
            some = ", ".join(map(str, sorted(keys)[:3]))
            raise Mistake(
                f"{told}: {some}. Get both anew; they are not of one version."
            )


def read_ids(files: Files, picture: Picture) -> np.ndarray:
    """The ids of a panoptic PNG: R + 256 G + 65536 B. i32[h,w]"""
    image = decode(files.read(picture.ids), picture.ids)
    if image.mode not in ("RGB", "RGBA"):
        raise Mistake(
            f"{shown(picture.ids)} is a picture of kind {image.mode!r}; a panoptic PNG"
            " is RGB."
        )
    rgb = np.asarray(image.convert("RGB"))
    if rgb.shape[:2] != picture.size:
        (h, w), (height, width) = rgb.shape[:2], picture.size
        raise Mistake(
            f"{shown(picture.ids)} is {h}x{w}, its picture {height}x{width}; a mask has"
            " its picture's size."
        )
    return from_rgb(rgb)
