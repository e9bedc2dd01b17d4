"""Masks of one object each, joined into one that numbers them."""

import numpy as np

from segjax.base import Mistake
from segjax.data._folder.coding import named, value_of
from segjax.data._folder.numbered import check_lossless
from segjax.data._folder.pairs import Pair
from segjax.data._folder.read_mask import Mask, read_mask
from segjax.data._folder.seen import numbers_of
from segjax.data._intake import Files, shown


def read_masks(files: Files, pair: Pair) -> Mask:
    """The mask of a pair; of one with a file for each object, all of them in one: 1 to
    N in the order of the files, and where objects overlap, the smaller on top."""
    if not pair.parts:
        return read_mask(files.read(pair.mask), pair.mask)
    places: list[np.ndarray] = []  # of each object's pixels, which are few
    shape: tuple[int, ...] = ()
    for file in pair.parts:
        mask = read_mask(files.read(file), file)
        shape = shape or mask.values.shape
        if mask.values.shape != shape:
            (h, w), (a, b) = mask.values.shape, shape
            raise Mistake(
                f"{shown(file)} is {h}x{w}, {shown(pair.parts[0])} {a}x{b}; the masks"
                " of a picture's objects are all of the picture's size."
            )
        places.append(_object_in(mask, file, alone=len(pair.parts) == 1))
    joined = np.zeros(shape, np.int32)
    for k in sorted(range(len(places)), key=lambda k: -len(places[k])):
        joined.ravel()[places[k]] = k + 1
    return Mask(joined)


def _object_in(mask: Mask, file: str, alone: bool) -> np.ndarray:
    """The places of the one object's pixels, in the flattened mask; none only in a mask
    that is alone, that of a picture without objects. i64[n]"""
    check_lossless(mask.lossy, file)
    numbers, colored = numbers_of(mask, mask.values, "color")
    places = np.flatnonzero(numbers)
    others = np.unique(numbers.ravel()[places])  # of few pixels: sorting all is slow
    if not len(others) and not alone:
        raise Mistake(
            f"{shown(file)} is black throughout: it is the mask of no object. Draw the"
            " object, or take the file out; a picture without objects has one black"
            " mask."
        )
    if len(others) > 1:
        held = named([value_of(int(n), colored) for n in others], 4)
        raise Mistake(
            f"{shown(file)} holds {held} beside 0; the mask of one object holds 0 and"
            " one other value. If its edges are soft, save it in black and white; if it"
            " numbers objects, leave one mask a picture."
        )
    return places
