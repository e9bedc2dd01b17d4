"""Joints as they are written turned into key points: y, x, visible."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from segjax.base import Mistake, check_choice
from segjax.data._intake import shown
from segjax.data._joints.find_people import Found

_NONE, _HIDDEN, _SEEN = 0, 1, 2
# what the third number of a joint may say -> what each of its values means
THIRDS = {
    "visible": (_NONE, _HIDDEN, _SEEN),  # as COCO has it
    "labelled": (_NONE, _SEEN),
    "hidden": (_SEEN, _HIDDEN),
    "seen": (_HIDDEN, _SEEN),
}
_IN_WORDS = {
    "visible": "0 is not labelled, 1 hidden, 2 seen",
    "labelled": "0 is not labelled, 1 seen",
    "hidden": "0 is seen, 1 hidden",
    "seen": "0 is hidden, 1 seen",
}


class Labelled(NamedTuple):
    """Pictures with what is known of the people in them."""

    keypoints: dict[str, np.ndarray]  # y, x, visible; not labelled all 0  f64[p,j,3]
    bare: list[str]  # pictures without a joint, left out
    people_bare: int  # people without a joint, left out


def find_third(found: Found, told: str | None = None) -> tuple[str, str]:
    """What the third number of each joint says, and a sentence on it; or a Mistake.

    told: data.third, where it is set.
    """
    if told is not None:
        check_choice("data.third", told, tuple(THIRDS))
    values = _thirds(found)
    held = set(values.tolist())
    third = told or found.written.third
    why = "as you say" if told else "as this kind of file has it"
    if third is None:
        third = "labelled" if held <= {0, 1} and held else "visible"
        why = f"as it is {_in_words(held)} alone"
    known = range(len(THIRDS[third]))
    if not held <= set(known):
        _refuse(found, third, told)
    if not held:
        return third, "no joint has a third number: all that have a place are seen"
    others = [word for word in THIRDS if word != third and held <= {0, 1}]
    ask = f"; if not, data.third={' or '.join(others)} says it" if others else ""
    return third, f"the third number says {_IN_WORDS[third]}, {why}{ask}"


def label(found: Found, third: str) -> Labelled:
    """The key points of each picture's people. Where some pictures show several people,
    one that is said to show none stays, as a picture of nobody."""
    several = any(len(people) > 1 for people in found.people.values())
    keypoints: dict[str, np.ndarray] = {}
    bare, people_bare = [], 0
    for image, people in found.people.items():
        points = _as_keypoints(people, third)
        known = (points[..., 2] > 0).any(-1)
        if known.any() or (several and not len(people)):
            keypoints[image] = points[known]
            people_bare += int((~known).sum())
        else:
            bare.append(image)
    return Labelled(keypoints, bare, people_bare)


def keep_inside(keypoints: np.ndarray, size: Sequence[int], image: str) -> np.ndarray:
    """The people of a picture with the joints that lie in it; the others become not
    labelled. A Mistake where all lie outside. f64[p,j,3] -> f32[p,j,3]"""
    inside = is_inside(keypoints, size)
    labelled = keypoints[..., 2] > 0
    if labelled.any() and not (labelled & inside).any():
        y, x = keypoints[labelled][:, :2].T
        raise Mistake(
            f"All {labelled.sum()} joints of {shown(image)} lie outside of it: x is"
            f" {x.min():g} to {x.max():g}, y {y.min():g} to {y.max():g}, the picture"
            f" {size[1]} wide and {size[0]} high. Write x before y, in pixels of the"
            " picture at this size; or take the picture out."
        )
    kept = np.where(inside[..., None], keypoints, 0).astype(np.float32)
    return kept[(kept[..., 2] > 0).any(-1)]


def is_inside(keypoints: np.ndarray, size) -> np.ndarray:
    """Whether joints lie in a picture of height and width, its edges included.
    [..., 3], [..., 2] -> bool[...]

    A source that counts pixels from 1, as MATLAB does, has its last ones at h and w: it
    is to lose none. Only what is moved while training, `ops.augment`, is cut half a
    pixel earlier, where the last pixel ends.
    """
    places = keypoints[..., :2]
    inside = (places >= 0) & (places <= np.asarray(size))
    return inside[..., 0] & inside[..., 1]


def _as_keypoints(people: np.ndarray, third: str) -> np.ndarray:
    """x, y, third -> y, x, visible; a joint that is not labelled is 0, 0, 0."""
    has_third = np.isfinite(people[..., 2])
    value = np.where(has_third, people[..., 2], 0).astype(int)
    visible = np.where(has_third, np.array(THIRDS[third])[value], _SEEN)
    visible = np.where(np.isfinite(people[..., 0]), visible, _NONE)
    points = np.stack([people[..., 1], people[..., 0], visible], -1)
    return np.where(visible[..., None] > 0, points, 0)


def _thirds(found: Found) -> np.ndarray:
    """The third numbers that are written of joints that have a place."""
    every = [people.reshape(-1, 3) for people in found.people.values()]
    points = np.concatenate(every) if every else np.zeros((0, 3))
    written = np.isfinite(points).all(-1)
    return np.unique(points[written, 2])


def _refuse(found: Found, third: str, told: str | None) -> None:
    """The Mistake of a third number that has no meaning."""
    for image, people in found.people.items():
        placed = np.isfinite(people).all(-1)
        strange = placed & ~np.isin(people[..., 2], range(len(THIRDS[third])))
        if strange.any():
            joint = int(np.argwhere(strange)[0, 1])
            value = people[strange][0, 2]
            asked = f" by data.third={told}" if told else ""
            raise Mistake(
                f"{shown(found.written.told.file)}: joint {joint} of {shown(image)} has"
                f" {value:g} as its third number; it says{asked} {_IN_WORDS[third]}."
                " Write it so, or set data.third if it says something else."
            )


def _in_words(held: set[float]) -> str:
    return " or ".join(f"{value:g}" for value in sorted(held))
