"""What each joint is in a mirror: as it is told, or by left and right in the names."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from segjax.base import Mistake
from segjax.data._intake import shown

_WORDS = {"left": "right", "Left": "Right", "LEFT": "RIGHT"}
_WORDS |= {right: left for left, right in _WORDS.items()}
_LETTERS = {"l": "r", "L": "R", "r": "l", "R": "L"}
_ALONE = re.compile(r"(?<![A-Za-z])[lrLR](?![A-Za-z])")  # l_knee, knee-l
_IN_CAMEL = re.compile(r"^[lrLR](?=[A-Z])|(?<=[a-z])[LR]$")  # LKnee, kneeL


def mirror_of(names: Sequence[str]) -> tuple[int, ...]:
    """The joint that each is in a mirror: that of the same name with left and right
    exchanged, where there is one and it means the first; else the joint itself."""
    other = [
        next((names.index(o) for o in _other_sides(name) if o in names), place)
        for place, name in enumerate(names)
    ]
    return tuple(k if other[k] == place else place for place, k in enumerate(other))


def told_mirror(
    given: Any, joints: Sequence[str], said: str, place_of: Callable[[Any], int]
) -> tuple[int, ...]:
    """The mirror that a table {joint: joint} or a list of joints tells.

    said: where it stands; place_of: a joint's place, or a Mistake.
    """
    mirror = list(range(len(joints)))
    if isinstance(given, dict):
        for one, other in given.items():
            mirror[place_of(one)] = place_of(other)
            if other not in given:
                mirror[place_of(other)] = place_of(one)
    elif isinstance(given, (list, tuple)) and len(given) == len(joints):
        mirror = [place_of(joint) for joint in given]
    else:
        raise Mistake(
            f"{said} is neither a table such as {{'left_knee': 'right_knee'}} nor a"
            f" list of {len(joints)} joints, what each becomes in a mirror."
        )
    for k, other in enumerate(mirror):
        if mirror[other] != k:
            a, b, c = (shown(joints[i]) for i in (k, other, mirror[other]))
            raise Mistake(
                f"{said} makes {a} {b}, and {b} {c}; in a mirror two joints change"
                f" places, so {b} must become {a}."
            )
    return tuple(mirror)


def _other_sides(name: str) -> Iterator[str]:
    """What a joint may be called on the other side, the likeliest first."""
    for word, other in _WORDS.items():
        if word in name:
            yield name.replace(word, other)
    for letters in (_ALONE, _IN_CAMEL):
        if letters.search(name):
            yield letters.sub(lambda found: _LETTERS[found[0]], name)
