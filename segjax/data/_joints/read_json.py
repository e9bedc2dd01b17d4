"""joints.json: whose joints are where, and what the joints are called."""

import collections
import json
import math
from typing import Any, NamedTuple

import numpy as np

from segjax.base import Mistake, did_you_mean
from segjax.data._intake import shown
from segjax.data._joints.skeleton import Told

_FORM = "{picture: [[x, y, visible], ...], ...}"
_SKELETON = ("joints", "limbs", "mirror")
_WORDS = (*_SKELETON, "people")
_NOT_LABELLED = (math.nan, math.nan, 0.0)


class Written(NamedTuple):
    """The people of each picture as a file has them, by the name it gives the picture:
    x, y and a third number; x and y are NaN of joints that are not labelled, the third
    where none is written. f64[p,j,3]"""

    people: dict[str, np.ndarray]
    number: int  # of joints a person
    told: Told
    problems: list[str]
    third: str | None = None  # what the third number says, where the file's kind tells
    by_order: bool = False  # pictures are not named


def read_json(data: bytes, file: str) -> Written:
    """What joints.json holds; or a Mistake where it cannot be read at all."""
    content = _loaded(data, file)
    told = Told(file=file)
    of_picture = content
    if _names_joints(content):
        _check_words(content, file)
        told = Told(**{word: content.get(word) for word in _SKELETON}, file=file)
        of_picture = content["people"]
    if not of_picture:
        raise Mistake(f"{shown(file)} names no picture; it must be {_FORM}.")
    problems: list[str] = []
    found: dict[str, list[list]] = {}
    for picture, value in of_picture.items():
        try:
            found[picture] = _people(value, f"{shown(file)}: {shown(picture)!r}")
        except Mistake as mistake:
            problems.append(str(mistake))
    lengths = collections.Counter(len(p) for people in found.values() for p in people)
    if not lengths and not problems:
        raise Mistake(
            f"{shown(file)} has no person in any picture; it must be {_FORM}."
        )
    named = len(told.joints) if isinstance(told.joints, list) else 0
    number = named or max(lengths, key=lambda n: lengths[n], default=0)
    problems += _wrong_lengths(found, number, bool(named), file)
    people = {
        picture: np.array(people, np.float64).reshape(len(people), number, 3)
        for picture, people in found.items()
        if all(len(person) == number for person in people)
    }
    return Written(people, number, told, problems)


def _loaded(data: bytes, file: str) -> dict[str, Any]:
    if not data.strip():
        raise Mistake(f"{shown(file)} is empty; it must be {_FORM}.")

    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = collections.Counter(name for name, _ in pairs)
        name, times = names.most_common(1)[0] if names else ("", 0)
        if times > 1:
            raise Mistake(
                f"{shown(file)} has {shown(name)!r} {times} times; leave one."
            )
        return dict(pairs)

    try:
        content = json.loads(data, object_pairs_hook=distinct)
    except json.JSONDecodeError as error:
        raise Mistake(
            f"{shown(file)} is not JSON: line {error.lineno}, column {error.colno}:"
            f" {error.msg}. Mend it there, or write it anew."
        ) from None
    except UnicodeDecodeError:
        raise Mistake(f"{shown(file)} is not text; write it as UTF-8.") from None
    except RecursionError:
        raise Mistake(f"{shown(file)} is not JSON (nested too deep).") from None
    except ValueError as error:  # a number without end
        raise Mistake(f"{shown(file)} is not JSON ({error}).") from None
    if not isinstance(content, dict):
        kind = "a list" if isinstance(content, list) else _brief(content)
        raise Mistake(
            f"{shown(file)} holds {kind}, which does not say whose joints are in which"
            f" picture; it must be {_FORM}."
        )
    if {"images", "annotations"} <= content.keys():
        raise Mistake(
            f"{shown(file)} is written as COCO's annotations are; give the folder to"
            " python -m segjax prepare coco --from FOLDER, and set data.name=coco."
        )
    return content


def _names_joints(content: dict[str, Any]) -> bool:
    """Whether it has the names of joints beside the people."""
    names = content.get("joints")
    of_names = isinstance(names, list) and any(isinstance(n, str) for n in names)
    return of_names or isinstance(content.get("people"), dict)


def _check_words(content: dict[str, Any], file: str) -> None:
    for word in content:
        if word not in _WORDS:
            raise Mistake(
                f"{shown(file)} has {shown(word)!r} beside 'people'."
                f"{did_you_mean(word, _WORDS)} There are: {', '.join(_WORDS)}; pictures"
                " belong into 'people'."
            )
    if not isinstance(content.get("people"), dict):
        raise Mistake(f"{shown(file)} names joints and no 'people'; add it: {_FORM}.")


def _people(value: Any, at: str) -> list[list]:
    """The people of one picture, each a list of joints: one person, or several."""
    depth = _depth(value)
    if value == []:
        return []
    if depth == 2 or (depth == 1 and all(v is None for v in value)):
        value = [value]
    elif depth != 3:
        flat = ", a flat list" if depth == 1 else ""
        raise Mistake(
            f"{at} is {_brief(value)}{flat}; it must be a list of joints, each [x, y,"
            " visible], or a list of such lists, one for each person."
        )
    people = []
    for person in value:
        if not isinstance(person, list):
            raise Mistake(
                f"{at} has a person that is {_brief(person)}, no list of joints."
            )
        people.append([_joint(joint, k, at) for k, joint in enumerate(person)])
    return people


def _brief(value: Any) -> str:
    text = shown(repr(value))
    return text if len(text) <= 50 else f"{text[:45]} ..."


def _depth(value: Any, most: int = 4) -> int:
    """How deep lists lie in each other."""
    if not isinstance(value, list) or not most:
        return 0
    return 1 + max((_depth(inner, most - 1) for inner in value), default=0)


def _joint(joint: Any, number: int, at: str) -> tuple[float, ...]:
    """x, y and the third number."""
    if joint is None:
        return _NOT_LABELLED
    whole = isinstance(joint, list) and len(joint) in (2, 3)
    if not whole or not all(map(_is_coordinate, joint[:2])):
        raise _no_joint(joint, number, at)
    if len(joint) == 3 and not _is_number(joint[2]):
        raise _no_joint(joint, number, at)
    third = joint[2] if len(joint) == 3 else math.nan
    x, y = (math.nan if c is None else float(c) for c in joint[:2])
    return _NOT_LABELLED if math.isnan(x + y) else (x, y, float(third))


def _is_coordinate(value: Any) -> bool:
    if isinstance(value, bool):  # which may well say that a joint is seen
        return False
    return value is None or value != value or _is_number(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and abs(value) < 1e9


def _no_joint(joint: Any, number: int, at: str) -> Mistake:
    return Mistake(
        f"{at} has {_brief(joint)} as joint {number}; a joint is [x, y, visible] or [x,"
        " y], numbers in pixels, or null where it is not labelled."
    )


def _wrong_lengths(
    found: dict[str, list[list]], number: int, named: bool, file: str
) -> list[str]:
    """Sentences on people of more or fewer joints than the others."""
    others = f"'joints' names {number}" if named else f"most others have {number}"
    return [
        f"{shown(file)}: {shown(picture)!r} has a person of {len(person)} joints, and"
        f" {others}; write null for a joint that is not labelled."
        for picture, people in found.items()
        for person in people
        if len(person) != number
    ]
