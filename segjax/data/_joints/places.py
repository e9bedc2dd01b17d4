"""Where joints lie in their pictures, and what is wrong if it is not in them."""

from typing import NamedTuple

import numpy as np

from segjax.base import Mistake
from segjax.data._folder.read_picture import Header
from segjax.data._intake import listed, shown
from segjax.data._joints.keypoints import is_inside, keep_inside

_EXCHANGED = 0.05  # share of joints outside from which x and y may be exchanged
_OTHER_SIZE = 0.25  # share outside that people cut off by the frame do not explain
_IN_CORNER = 0.05  # share at exactly 0, 0 that is no chance
_LARGER_THAN_SHARES = 8  # pixels
_WRITE_NULL = "write null, in MATLAB NaN, for a joint that is not labelled"


class _Places(NamedTuple):
    """The labelled joints of all pictures, one after another."""

    points: np.ndarray  # y, x, visible  f64[n,3]
    sizes: np.ndarray  # of their pictures: height, width  i64[n,2]
    joints: np.ndarray  # which joint each is  i64[n]
    images: list[str]


def look_at_places(
    keypoints: dict[str, np.ndarray],
    headers: list[Header],
    joints: tuple[str, ...],
    file: str,
) -> tuple[list[str], list[str]]:
    """Sentences to be told of joints outside of their pictures, and problems. file: of
    joints."""
    every = _gather(keypoints, headers)
    if not len(every.points):
        return [], []
    wrong = _wrong_throughout(every)
    if wrong:
        return [], [f"{shown(file)}: {wrong}"]
    told, problems = _in_corner(keypoints, joints, file)
    for header in headers:
        points = keypoints[header.file]
        if header.quarter and _fits_only_unturned(points, header):
            problems.append(
                f"{shown(header.file)} is turned by its EXIF, and its joints fit it"
                " only as it lies. Write the joints of the picture as a viewer shows"
                " it, or save it turned."
            )
            continue
        try:
            keep_inside(points, header.shown_size, header.file)
        except Mistake as mistake:
            problems.append(str(mistake))
    outside = np.flatnonzero(~is_inside(every.points, every.sizes))
    if len(outside):
        some = [f"{joints[every.joints[k]]} of {every.images[k]}" for k in outside]
        told.append(
            f"outside of their pictures, so taken as not labelled: {len(outside):,} of"
            f" {len(every.points):,} joints, such as {listed(some, 1)}"
        )
    return told, problems


def _in_corner(
    keypoints: dict[str, np.ndarray], joints: tuple[str, ...], file: str
) -> tuple[list[str], list[str]]:
    """The same of joints at exactly 0, 0, where many a program puts what is not
    labelled. A joint may well lie there; two of one person do not, nor one of many."""
    corner = {
        image: (points[..., 2] > 0) & ~points[..., :2].any(-1)
        for image, points in keypoints.items()
    }
    found = [image for image, at in corner.items() if at.any()]
    if not found:
        return [], []
    twice = [image for image in found if (corner[image].sum(-1) > 1).any()]
    some = (twice or found)[0]
    count = sum(int(corner[image].sum()) for image in found)
    labelled = sum(int((points[..., 2] > 0).sum()) for points in keypoints.values())
    told = (
        f"{count:,} of {labelled:,} labelled joints lie at exactly 0, 0, such as"
        f" {joints[np.argwhere(corner[some])[0, 1]]} of {shown(some)}; {_WRITE_NULL}"
    )
    if twice or count > max(1, _IN_CORNER * labelled):
        return [], [f"{shown(file)}: {told}."]
    return [told], []


def _gather(keypoints: dict[str, np.ndarray], headers: list[Header]) -> _Places:
    points, sizes = [np.zeros((0, 3))], [np.zeros((0, 2), int)]
    joints, images = [np.zeros(0, int)], []
    for header in headers:
        labelled = keypoints[header.file][..., 2] > 0
        count = int(labelled.sum())
        points.append(keypoints[header.file][labelled])
        sizes.append(np.full((count, 2), header.shown_size))
        joints.append(np.nonzero(labelled)[1])
        images += [header.file] * count
    together = [np.concatenate(part) for part in (points, sizes, joints)]
    return _Places(together[0], together[1], together[2], images)


def _wrong_throughout(every: _Places) -> str:
    """A sentence where the coordinates of all pictures are of another kind, or ''."""
    places, sizes = every.points[:, :2], every.sizes
    larger = sizes.min() > _LARGER_THAN_SHARES
    if larger and places.min() >= 0 and 0 < places.max() <= 1:
        return (
            "all joints lie between 0 and 1, as shares of a picture's width and height"
            " do; write pixels."
        )
    count = len(places)
    is_outside = ~is_inside(every.points, sizes)
    outside = is_outside.sum()
    exchanged = count - is_inside(every.points, sizes[:, ::-1]).sum()
    if outside > _EXCHANGED * count and exchanged < outside / 10:
        return (
            f"{outside:,} of {count:,} labelled joints lie outside of their pictures,"
            f" and {exchanged:,} if x and y are exchanged; write x, the column, first."
        )
    pictures = {every.images[k] for k in np.flatnonzero(is_outside)}
    if outside > _OTHER_SIZE * count and 2 * len(pictures) > len(set(every.images)):
        below = places[is_outside & (places < 0).any(1)]
        same, times = np.unique(below, axis=0, return_counts=True)
        if 2 * times.max(initial=0) > outside:
            y, x = same[times.argmax()]
            return (
                f"{times.max():,} of {count:,} labelled joints lie at {x:g}, {y:g}, out"
                f" of their pictures; {_WRITE_NULL}."
            )
        high, wide = places.max(0)
        return (
            f"{outside:,} of {count:,} labelled joints lie outside of their pictures: x"
            f" goes up to {wide:g}, y to {high:g}, pictures up to {sizes[:, 1].max()}"
            f" wide and {sizes[:, 0].max()} high. Were the pictures made smaller? Write"
            " joints in pixels of these."
        )
    return ""


def _fits_only_unturned(points: np.ndarray, header: Header) -> bool:
    labelled = points[..., 2] > 0
    turned = is_inside(points, header.shown_size)[labelled]
    return not turned.all() and bool(is_inside(points, header.size)[labelled].all())
