"""Masks as run lengths, as COCO writes them: down the columns, the first run of zeros.

Compressed, each count is told in digits of 5 bits, the lowest first, as characters from
'0' on; a digit's bit 32 says that another follows, the last one's bit 16 is the sign.
From the fourth on a count is told as its difference from the one two before it.
"""

from typing import Any

import numpy as np

from segjax.base import Mistake

_ZERO = ord("0")
_MORE, _SIGN = 32, 16
_MOST_DIGITS = 8  # of a count: 40 bits, more than a picture has pixels


def encode(mask: np.ndarray) -> list[int]:
    """The run lengths of a mask, zeros first.

    mask: bool[h,w] -> counts that sum to h * w
    """
    flat = np.asarray(mask, bool).T.ravel()
    turns = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    counts = np.diff([0, *turns, flat.size]).tolist()
    return [0, *counts] if flat.size and flat[0] else counts


def decode(counts: Any, size: tuple[int, int]) -> np.ndarray:
    """The mask of run lengths, told as a list or compressed as a string; or a Mistake
    that says what is wrong with them, to stand behind the name of what they are.

    counts -> bool[h,w]
    """
    h, w = size
    if isinstance(counts, str):
        counts = decompress(counts)
    if not isinstance(counts, list) or not all(map(_is_count, counts)):
        raise Mistake("has run lengths that are not whole numbers of 0 or more")
    if sum(counts) != h * w:
        raise Mistake(
            f"has run lengths that sum to {sum(counts)}; its picture of {h}x{w} has"
            f" {h * w} pixels"
        )
    ones = np.arange(len(counts)) % 2 == 1
    return np.repeat(ones, counts).reshape(w, h).T


def compress(counts: list[int]) -> str:
    """Run lengths as COCO's string."""
    digits: list[int] = []
    for place, count in enumerate(counts):
        rest = count - counts[place - 2] if place > 2 else count
        while True:
            digit, rest = rest & 31, rest >> 5
            if rest == (-1 if digit & _SIGN else 0):  # the sign tells the rest
                digits.append(digit)
                break
            digits.append(digit | _MORE)
    return "".join(chr(_ZERO + digit) for digit in digits)


def decompress(text: str) -> list[int]:
    """The run lengths of COCO's string; or a Mistake."""
    counts: list[int] = []
    value = place = 0
    for character in text:
        digit = ord(character) - _ZERO
        if not 0 <= digit < 64:
            raise Mistake(
                f"has the character {character!r} in its run lengths, which no"
                " compressed ones have"
            )
        value |= (digit & 31) << 5 * place
        place += 1
        if place > _MOST_DIGITS:
            raise Mistake("has a run length larger than any picture")
        if digit & _MORE:
            continue
        if digit & _SIGN:
            value -= 1 << 5 * place
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = place = 0
    if place:
        raise Mistake("has compressed run lengths that are cut short")
    return counts


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
