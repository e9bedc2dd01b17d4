"""Left and right in the names of joints."""

import re

_SIDES = {"l": "left", "r": "right"}
_APART = r"(?<![^\W\d_])(?:{})(?![^\W\d_])"  # no letter beside it
_WAYS = (  # in which a name tells its side, the surest first
    re.compile(_APART.format("left|right"), re.IGNORECASE),  # left_knee, knee-left
    re.compile(_APART.format("[lr]"), re.IGNORECASE),  # l_knee, knee-l
    re.compile(r"^(?!LEFT|RIGHT)[lrLR](?=[A-Z])|(?<=[a-z])[LR]$"),  # LKnee, kneeL
    re.compile("left|right", re.IGNORECASE),  # LeftKnee, kneeleft
)


def side_of(name: str) -> tuple[str, str]:
    """The side that a joint's name tells, "left", "right" or "", and the name without
    it, in lower case: of left_knee, KneeL and "l knee" that is "left" and "knee"."""
    for way in _WAYS:
        if found := way.search(name):
            side = _SIDES[_initial(found)]
            return side, _plain(way.sub(lambda one: _instead(one, found), name))
    return "", _plain(name)


def _instead(one: re.Match, first: re.Match) -> str:
    """What stands for a side in the rest, so that left_eye_left_corner has the same as
    right_eye_right_corner, and not as left_eye_right_corner."""
    return "" if _initial(one) == _initial(first) else "other"


def _initial(found: re.Match) -> str:
    return found[0][0].lower()


def _plain(name: str) -> str:
    """In lower case, its words apart by single underscores."""
    return re.sub(r"[\W_]+", "_", name).strip("_").lower()
