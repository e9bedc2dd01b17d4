"""What each joint is in a mirror: as it is told, or by left and right in the names."""

from collections.abc import Callable, Sequence
from typing import Any

from segjax.base import Mistake
from segjax.data._intake import shown
from segjax.ops.sides import side_of

_OTHER = {"left": "right", "right": "left", "": ""}


def mirror_of(names: Sequence[str]) -> tuple[int, ...]:
    """The joint that each is in a mirror: the first of the same name on the other side,
    where there is one and it means this one; else the joint itself."""
    sides = [side_of(name) for name in names]
    places = {side: place for place, side in reversed([*enumerate(sides)])}
    other = [
        places.get((_OTHER[side], rest), k) for k, (side, rest) in enumerate(sides)
    ]
    return tuple(k if other[k] == place else place for place, k in enumerate(other))


def told_mirror(
    given: Any, joints: Sequence[str], said: str, place_of: Callable[[Any], int]
) -> tuple[int, ...]:
    """The mirror that a list of joints tells, or in a file a table {joint: joint}.

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
            f"{said} is no list of {len(joints)} joints, what each becomes in a"
            " mirror; a joints.json may have a table, such as {'left_knee':"
            " 'right_knee'}."
        )
    for k, other in enumerate(mirror):
        if mirror[other] != k:
            a, b, c = (shown(joints[i]) for i in (k, other, mirror[other]))
            raise Mistake(
                f"{said} makes {a} {b}, and {b} {c}; in a mirror two joints change"
                f" places, so {b} must become {a}."
            )
    return tuple(mirror)
