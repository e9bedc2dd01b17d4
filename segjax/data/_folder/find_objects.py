"""What masks that number objects hold: how many objects, and whether they are such."""

from collections.abc import Mapping

import numpy as np

from segjax.base import VOID, Mistake
from segjax.data._folder.coding import Coding, Value, named, number_of
from segjax.data._folder.doubts import FEW
from segjax.data._folder.make_coding import Found, class_names
from segjax.data._folder.numbered import check_lossless, object_numbers, void_numbers
from segjax.data._folder.seen import Seen, Tally, numbers_of, tally
from segjax.data._intake import listed, shown

_NEARLY_ALL = 0.8  # of the objects' pixels, where a mask of two values was blurred


def find_objects(
    seen: list[Seen],
    classes: tuple[str, ...] | None = None,
    values: tuple[Value, ...] | None = None,
    void: tuple[Value, ...] = (),
    threshold: float | None = None,
    palette: str | None = None,
    files: Mapping[str, int] | None = None,
) -> Found:
    """The coding of masks of which each value is an object, and sentences on what was
    found; or a Mistake where they do not tell objects apart.

    files: of masks that were joined, how many there are.
    """
    files = files or {}
    _check_options(classes, values, threshold, void, bool(files))
    names = class_names(classes, 2, ("background", "object"))
    palette = palette or "index"
    held = tally(seen, palette)
    counts = [_count(one, void, palette) for one in seen]
    _check_apart(seen, counts, held, palette)
    by = "colours" if held.colored else "values"
    told = [
        f"{sum(counts):,} objects of class {names[1]!r}, told apart by the masks'"
        f" {'files' if files else by}; {min(counts)} to {max(counts)} a picture,"
        f" {np.median(counts):g} in the middle"
    ]
    absent = [v for v in void if not _is_held(v, seen, palette)]
    there = [v for v in void if v not in absent]
    told += [f"{named(there)} does not count"] if there else []
    told += [f"no mask holds {named(absent)}, which data.void names"] if absent else []
    told += _doubt_of_255(held, void)
    joined = [files.get(one.file, 0) for one in seen]  # a lone one may be empty
    hidden = [one.file for one, n, m in zip(seen, counts, joined) if m > max(n, 1)]
    if hidden:
        told.append(
            f"some objects lie wholly under smaller ones, and are left out: in"
            f" {listed(hidden)}"
        )
    return Coding(names, (), void, None, palette, objects=True), told


def _doubt_of_255(held: Tally, void: tuple[Value, ...]) -> list[str]:
    """What is to be said where 255 is far above all other numbers."""
    numbers = [v for v in held.pixels if isinstance(v, int) and v not in void]
    if VOID not in numbers or not 0 < 2 * numbers[-2] < VOID == numbers[-1]:
        return []
    return [
        f"{VOID} is taken for an object, and the others are numbered up to"
        f" {numbers[-2]}; if it does not count, set data.void={VOID}"
    ]


def _check_options(classes, values, threshold, void, joined: bool) -> None:
    for option, given in (("values", values), ("threshold", threshold)):
        if given is not None:
            raise Mistake(
                f"With data.objects each value of a mask is an object, and with"
                f" data.{option} values are classes; leave one of the two unset."
            )
    if classes is not None and len(classes) != 2:
        raise Mistake(
            f"data.classes has {len(classes)} names, and data.objects tells apart the"
            " objects of one class. Name the background and that class, such as"
            " data.classes=('background','person')."
        )
    for value in void:
        number_of(value)
    if void and joined:
        raise Mistake(
            "data.void is for masks whose values number objects; where each object has"
            " a mask file of its own, leave data.void unset."
        )


def _count(one: Seen, void: tuple[Value, ...], palette: str) -> int:
    """How many objects a mask holds."""
    check_lossless(one.lossy, one.file)
    numbers, colored = numbers_of(one, one.numbers, palette)
    values = np.unique(numbers)
    return len(object_numbers(values, void_numbers(void, colored), one.file))


def _is_held(value: Value, seen: list[Seen], palette: str) -> bool:
    """Whether a mask holds a value."""
    every = (numbers_of(one, one.numbers, palette) for one in seen)
    return any(np.isin(void_numbers((value,), c), n).any() for n, c in every)


def _check_apart(seen: list[Seen], counts: list[int], held: Tally, palette: str):
    """A Mistake unless there is a mask of two objects, in values that are sharp."""
    ways = (
        "Number the objects of each mask 1, 2, 3, or give each object a mask file of"
        " its own, or leave data.objects unset."
    )
    if max(counts) < 1:
        raise Mistake(f"No mask holds an object: each holds 0 alone. {ways}")
    if max(counts) == 1:
        file = seen[counts.index(1)].file
        raise Mistake(
            f"These masks do not tell objects apart: each holds one value beside 0, as"
            f" {shown(file)} does. {ways}"
        )
    most = max(n for v, n in held.pixels.items() if v not in (0, "#000000"))
    drawn = sum(n for v, n in held.pixels.items() if v not in (0, "#000000"))
    soft = len(held.soft) > max(FEW, len(held.pixels) / 2)
    if soft and most > _NEARLY_ALL * drawn:
        raise Mistake(
            f"These masks do not tell objects apart: of their {len(held.pixels):,}"
            f" values most lie along edges alone, as where a mask of two values was"
            f" blurred. {ways}"
        )
