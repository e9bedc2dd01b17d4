"""joints.mat, as Leeds Sports Pose has it: an array of all pictures' joints."""

import re

import numpy as np

from segjax.base import Mistake
from segjax.data._intake import listed, shown
from segjax.data._joints.mat import read_mat
from segjax.data._joints.read_json import Written
from segjax.data._joints.skeleton import Told

_VARIABLE = "joints"


def read_joints_mat(data: bytes, file: str, pictures: list[str]) -> Written:
    """The people of a file that names no pictures: one in each, by order of the names.

    Leeds Sports Pose is 3 x 14 x n, and 1 in its third row is hidden: so those take it
    who turned it into other forms, though its README calls the row visibility. All its
    joints have a place, so that none is lost if they are wrong. Its extended set is
    14 x 3 x n, and 0 there is not labelled: such coordinates mean nothing.
    """
    joints, third = _joints_first(_array(data, file), file)
    if len(joints) != len(pictures):
        raise Mistake(
            f"{shown(file)} has the joints of {len(joints)} pictures, and there are"
            f" {len(pictures)} of them, such as {listed(pictures, 2)}; it names none,"
            " so there must be as many."
        )
    by_number = sorted(pictures, key=_numbers_in)
    if by_number != pictures:
        odd = next(k for k, one in enumerate(pictures) if one != by_number[k])
        raise Mistake(
            f"{shown(file)} names no pictures, and their order is not plain: by name"
            f" {shown(pictures[odd])} is number {odd + 1}, by its number"
            f" {shown(by_number[odd])}. Write numbers with zeros in front, im0001.jpg."
        )
    people = {picture: one[None] for picture, one in zip(pictures, joints)}
    told = Told(file=file)
    return Written(people, joints.shape[1], told, [], third, by_order=True)


def _array(data: bytes, file: str) -> np.ndarray:
    """The variable that holds the joints."""
    variables = read_mat(data, file)
    found = variables.get(_VARIABLE)
    if found is None:
        held = f"there are {listed(sorted(variables))}" if variables else "it is empty"
        kind = ", but no array of numbers" if _VARIABLE in variables else ""
        raise Mistake(
            f"{shown(file)} must hold an array of numbers called {_VARIABLE!r}; {held}"
            f"{kind}. Write the joints as joints.json otherwise."
        )
    return found


def _joints_first(array: np.ndarray, file: str) -> tuple[np.ndarray, str]:
    """Joints with not a number where none is labelled, and what the third number says.
    f64[n,j,3]"""
    if array.ndim == 3 and array.shape[0] == 3:
        joints, third = array.transpose(2, 1, 0), "hidden"
    elif array.ndim == 3 and array.shape[1] == 3:
        joints, third = array.transpose(2, 0, 1), "labelled"
    else:
        raise Mistake(
            f"{shown(file)} holds {' x '.join(map(str, array.shape))} values; it must"
            " be 3 x joints x pictures or joints x 3 x pictures: x, y, visible."
        )
    unknown = ~np.isfinite(joints).all(-1)
    return np.where(unknown[..., None], [np.nan, np.nan, 0], joints), third


def _numbers_in(picture: str) -> list:
    """What sorts names by the numbers in them."""
    parts = re.split(r"(\d+)", picture)
    return [int(part) if k % 2 else part for k, part in enumerate(parts)]
