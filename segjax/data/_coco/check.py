"""Every picture and its annotations looked at once before anything is written, and
what there is of them."""

import collections
import hashlib
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np

from segjax.base import VOID, Mistake
from segjax.data._coco.labels import Labels
from segjax.data._coco.objects import draw_objects
from segjax.data._coco.polygon import ROUNDING
from segjax.data._coco.scan import Picture, scan
from segjax.data._coco.segments import draw_segments
from segjax.data._intake import Files, decode_picture, listed, shown
from segjax.data._records.scan import Tick, in_threads

_MOST_CLASSES = 12  # that are counted one by one


class Seen(NamedTuple):
    """Of one picture."""

    size: tuple[int, int]
    objects: tuple[str, ...]  # the class of each
    crowds: int
    covered: int
    cut: int  # objects that reach out of it
    void: float  # share of pixels that do not count
    empty: bool  # nothing but background
    people: int  # with a joint that is labelled
    outside: int  # joints that lie outside of it
    digest: bytes  # of the picture's file


class Checked(NamedTuple):
    """Pictures that are whole."""

    records: list[Picture]
    seen: list[Seen]
    problems: list[str]


def check_pictures(files: Files, form: str, tick: Tick) -> tuple[Checked, list[str]]:
    """The pictures that are whole with the problems of all others, and remarks."""
    found = scan(files, form)
    checked = Checked([], [], [*files.problems, *found.problems])
    first: dict[tuple[str, bytes], Picture] = {}
    results = in_threads(lambda picture: _look_at(files, picture), found.pictures)
    for k, (picture, result) in enumerate(zip(found.pictures, results), 1):
        if isinstance(result, Mistake):
            checked.problems.append(str(result))
        elif problem := _leak(picture, result, first):
            checked.problems.append(problem)
        else:
            checked.records.append(picture)
            checked.seen.append(result)
        tick("checking", k, len(found.pictures))
    if all(one.empty for one in checked.seen):
        if not checked.problems:
            what = "object" if checked.records else "picture"
            raise Mistake(
                f"{shown(files.where)} holds annotations of no {what}; get them anew."
            )
        checked = Checked([], [], checked.problems)  # nothing to go on with
    return checked, found.remarks


def draw(files: Files, picture: Picture) -> Labels:
    """The labels of a picture, or the Mistake that says what is wrong with them."""
    return draw_segments(files, picture) if picture.ids else draw_objects(picture)


def describe(checked: Checked) -> list[str]:
    """Objects by class, crowds, sizes and what is odd, a line each."""
    seen, names = checked.seen, [p.name for p in checked.records]
    objects = collections.Counter(name for one in seen for name in one.objects)
    ranked = sorted(objects.items(), key=lambda pair: (-pair[1], pair[0]))
    told = [f"{count} {name}" for name, count in ranked[:_MOST_CLASSES]]
    more = len(ranked) - len(told)
    told += [f"and {more} more classes"] if more > 0 else []
    lines = [
        f"{objects.total()} objects of {len(objects)} classes: {', '.join(told)}",
        f"crowds, which do not count: {sum(one.crowds for one in seen)}",
        _sizes([one.size for one in seen]),
        f"pixels that do not count: {np.mean([one.void for one in seen]):.1%}",
    ]
    people = sum(one.people for one in seen)
    if checked.records[0].legend.joints:
        lines.append(f"people with key points: {people}")
    outside = [name for name, one in zip(names, seen) if one.outside]
    if outside:
        lines.append(
            "joints that lie outside of their picture, so taken as not labelled:"
            f" {sum(one.outside for one in seen)}, in {listed(outside)}"
        )
    covered = sum(one.covered for one in seen)
    if covered:
        lines.append(
            f"objects of which no pixel is seen, being small or covered: {covered}"
        )
    cut = [name for name, one in zip(names, seen) if one.cut]
    if cut:
        lines.append(
            f"objects that reach more than {ROUNDING} pixels out of their picture, and"
            f" are cut off there: {sum(one.cut for one in seen)}, in {listed(cut)}"
        )
    empty = [name for name, one in zip(names, seen) if one.empty]
    if empty:
        lines.append(f"pictures without objects: {len(empty)}, {listed(empty)}")
    return lines


def _leak(
    picture: Picture, seen: Seen, first: dict[tuple[str, bytes], Picture]
) -> str | None:
    """The sentence for a picture that is in two splits, as one file or as a copy of the
    same name. Two pictures may well be called 1.jpg."""
    key = PurePosixPath(picture.image).name, seen.digest
    before = first.setdefault(key, picture)
    if before.source == picture.source:
        return None
    return (
        f"{shown(picture.image)} of {shown(picture.source)} is the picture"
        f" {shown(before.image)} of {shown(before.source)}; what is tested must not be"
        " trained on."
    )


def _look_at(files: Files, picture: Picture) -> Seen | Mistake:
    try:
        content = files.read(picture.image)
        image = decode_picture(content, picture.image)
        if image.shape[:2] != picture.size:
            (h, w), (height, width) = image.shape[:2], picture.size
            return Mistake(
                f"{shown(picture.image)} is {h}x{w}, and {shown(picture.source)} says"
                f" {height}x{width}; get it anew."
            )
        labels = draw(files, picture)
    except Mistake as mistake:
        return mistake
    points = labels.keypoints
    return Seen(
        size=picture.size,
        objects=labels.objects,
        crowds=labels.crowds,
        covered=labels.covered,
        cut=labels.cut,
        void=float(np.mean(labels.semantic == VOID)),
        empty=not picture.marks,
        digest=hashlib.sha256(content).digest(),
        outside=labels.outside,
        people=0 if points is None else int((points[..., 2] > 0).any(axis=1).sum()),
    )


def _sizes(sizes: list[tuple[int, int]]) -> str:
    (h, w), most = collections.Counter(sizes).most_common(1)[0]
    (lowest, narrowest), (tallest, widest) = (
        np.min(sizes, axis=0),
        np.max(sizes, axis=0),
    )
    return (
        f"sizes: {lowest} to {tallest} high, {narrowest} to {widest} wide; {most} of"
        f" {len(sizes)} are {h}x{w}"
    )
