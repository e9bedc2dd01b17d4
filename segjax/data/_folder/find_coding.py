"""What the values in a user's masks mean: told by the user, or found in the masks."""

import collections
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from segjax.base import VOID, Mistake
from segjax.data._folder.coding import (
    EDGES,
    GREY,
    Coding,
    Value,
    named,
    number_of,
    value_of,
)
from segjax.data._folder.read import Mask
from segjax.data._intake import listed

MOST_CLASSES = 64  # that are believed without being told
_VOID_NAMES = ("void", "ignore", "ignored", "unlabelled", "unlabeled")


class Seen(NamedTuple):
    """The values of one mask."""

    file: str
    numbers: np.ndarray
    pixels: np.ndarray  # of each number
    colored: bool
    palette: tuple[int, ...]


def look_at(mask: Mask, file: str) -> Seen:
    """What one mask holds. Runs of equal pixels are counted, not pixels: masks have
    few, so a large one takes no longer than a small one."""
    flat = mask.values.ravel()
    starts = np.flatnonzero(np.diff(flat, prepend=flat[0] - 1))
    lengths = np.diff(starts, append=flat.size)
    numbers, place = np.unique(flat[starts], return_inverse=True)
    pixels = np.bincount(place, lengths).astype(np.int64)
    return Seen(file, numbers, pixels, mask.colored, mask.palette)


def find_coding(
    seen: list[Seen],
    classes: tuple[str, ...] | None = None,
    values: tuple[Value, ...] | None = None,
    void: tuple[Value, ...] = (),
    threshold: float | None = None,
    palette: str | None = None,
) -> tuple[Coding, list[str]]:
    """The coding of these masks, with what was given taken as given, and sentences on
    what was found; or a Mistake that says what to give."""
    palette = palette or _palette_of(seen)
    in_color = [one.file for one in seen if _numbers_of(one, palette)[1]]
    colored = bool(in_color)
    given = (*(values or ()), *void, *([threshold] if threshold is not None else []))
    if colored and any(not isinstance(v, str) for v in given):
        raise Mistake(
            f"{listed(in_color, 3)}: masks in colours, and what you say of the masks is"
            " in numbers. Save them as the others are saved, or say colours, such as"
            " data.values=('#000000','#ff0000')."
        )
    per_file = [(_as_values(one, palette, colored), one) for one in seen]
    pixels: dict[Value, int] = collections.Counter()
    for found, one in per_file:
        for value, count in zip(found, one.pixels):
            pixels[value] += int(count)
    coding = Coding((), (), tuple(void), threshold, palette)
    if threshold is not None:
        return _by_threshold(coding, classes, threshold, pixels, "as you say")
    if values is not None:
        return _by_values(coding, classes, values, pixels, "as you say")
    rest = {v: n for v, n in sorted(pixels.items(), key=_rank) if v not in void}
    if len(rest) < 2:
        what = f"{named(rest)} alone" if rest else "nothing that counts"
        raise Mistake(
            f"Every mask holds {what}: there is nothing to tell apart. Masks such as"
            f" {listed([one.file for one in seen], 2)} are no masks, or empty."
        )
    if colored:
        return _by_color(coding, classes, rest)
    return _by_number(coding, classes, rest, [set(found) for found, _ in per_file])


def _palette_of(seen: list[Seen]) -> str:
    """Indices are the meaning of a palette file, unless its colours are all grey, or
    the files disagree on what an index looks like: then the colours are."""
    looks: dict[int, set[int]] = collections.defaultdict(set)
    for one in seen:
        for number in one.numbers if one.palette else ():
            looks[int(number)].add(one.palette[number])
    every = {color for colors in looks.values() for color in colors}
    grey = all(color % GREY == 0 for color in every) and len(every) > 1
    disagree = any(len(colors) > 1 for colors in looks.values())
    with_color = any(one.colored for one in seen)
    return "color" if every and (grey or disagree or with_color) else "index"


def _numbers_of(one: Seen, palette: str) -> tuple[np.ndarray, bool]:
    """A mask's numbers, and whether they are colours."""
    if not (one.palette and palette == "color"):
        return one.numbers, one.colored
    numbers = np.array([one.palette[n] for n in one.numbers], np.int64)
    if (numbers % GREY).any():
        return numbers, True
    return numbers & 255, False


def _as_values(one: Seen, palette: str, colored: bool) -> list[Value]:
    numbers, is_color = _numbers_of(one, palette)
    if colored and not is_color:
        numbers = numbers * GREY
    return [value_of(int(n), colored) for n in numbers]


def _rank(item: tuple[Value, int]) -> tuple:
    """Numbers in order; of colours black first, then by frequency."""
    value, pixels = item
    if isinstance(value, str):
        return value != "#000000", -pixels, value
    return (value,)


def _by_threshold(coding: Coding, classes, threshold: float, pixels, why: str):
    names = _class_names(classes, 2, ("background", "foreground"))
    above = sum(n for v, n in pixels.items() if v > threshold and v not in coding.void)
    if not 0 < above < sum(n for v, n in pixels.items() if v not in coding.void):
        raise Mistake(
            f"data.threshold is {threshold}, and all masks lie on one side of it: they"
            f" hold {named(sorted(pixels))}."
        )
    told = f"{names[0]} up to {threshold:g}, {names[1]} above, {why}"
    return coding._replace(classes=names, threshold=float(threshold)), [told]


def _by_values(coding: Coding, classes, values, pixels, why: str):
    if len(set(values)) < len(values):
        raise Mistake(f"data.values names a value twice: {named(values)}.")
    values = tuple(v.lower() if isinstance(v, str) else v for v in values)
    for value in (*values, *coding.void):
        number_of(value)
    own = [f"class {v}" if isinstance(v, int) else v for v in values]
    own[0] = "background" if values[0] in (0, "#000000") else own[0]
    names = _class_names(classes, len(values), own)
    void = coding.void
    for name, value in zip(names, values):
        if name.lower() in _VOID_NAMES:
            void = (*void, value)
    kept = [(n, v) for n, v in zip(names, values) if v not in void]
    names, values = tuple(n for n, _ in kept), tuple(v for _, v in kept)
    if len(names) < 2:
        raise Mistake(f"data.values leaves {len(names)} classes; two are needed.")
    if not any(v in pixels for v in values):
        raise Mistake(
            f"The masks hold none of data.values; they hold {named(list(pixels))}."
        )
    share = 1 / max(1, sum(pixels.values()))
    table = [f"{n} = {v} ({pixels.get(v, 0) * share:.1%})" for n, v in kept]
    told = [f"{len(names)} classes, {why}: {', '.join(table)}"]
    beyond = sum(n for v, n in pixels.items() if v not in values and v not in void)
    if void:
        told.append(f"{named(void)} does not count")
    if beyond:
        told.append(
            f"{beyond * share:.2%} of the pixels hold other values, as blurred edges"
            " do; they do not count"
        )
    return coding._replace(classes=names, values=values, void=void), told


def _by_color(coding: Coding, classes, rest: dict[Value, int]):
    """Colours are classes; of many, those of some extent, if the others are few."""
    total = sum(rest.values())
    kept = list(rest)
    if len(kept) > MOST_CLASSES:
        kept = [v for v, n in rest.items() if n >= 5e-4 * total]
    beyond = 1 - sum(rest[v] for v in kept) / total
    if len(kept) > MOST_CLASSES or len(kept) < 2 or beyond > EDGES:
        raise Mistake(
            f"The masks hold {len(rest):,} colours, too many to be classes; the most"
            f" frequent are {named(sorted(rest, key=lambda v: -rest[v])[:12], 12)}. Say"
            " which are classes: data.values=('#000000','#ff0000')."
        )
    return _by_values(coding, classes, tuple(kept), rest, "found by their colours")


def _by_number(coding: Coding, classes, rest: dict[Value, int], per_file):
    """Numbers: two levels, ids, grey levels, or a mask whose edges are blurred."""
    numbers = [v for v in rest if isinstance(v, int)]
    low, high, total = numbers[0], numbers[-1], sum(rest.values())
    if len(numbers) == 2:
        middle = (low + high) / 2
        found = f"found: the masks hold {low} and {high}"
        return _by_threshold(coding, classes, middle, rest, found)
    if numbers == [0, 1, VOID] and not any({1, VOID} <= found for found in per_file):
        found = f"found: some masks hold 0 and 1, others 0 and {VOID}"
        return _by_threshold(coding, classes, 0, rest, found)
    ids = [v for v in numbers if v != VOID] if VOID not in coding.void else numbers
    if ids[-1] < MOST_CLASSES and len(ids) > 1:
        with_void = coding._replace(void=(*coding.void, *set(numbers) - set(ids)))
        if classes is not None and len(classes) > len(ids) and ids[0] >= 0:
            ids = list(range(len(classes)))  # a class that is named and never drawn
        coding, told = _by_values(
            with_void, classes, tuple(ids), rest, "found by their ids"
        )
        if classes is None and _are_counted(per_file):
            told.append(
                "in every mask they go on from 0 without a gap, as where objects are"
                " numbered; if these are of one class, set data.threshold=0"
            )
        return coding, told
    if len(numbers) <= 5:
        levels = "found by their grey levels"
        return _by_values(coding, classes, tuple(numbers), rest, levels)
    near = 0.15 * (high - low)
    dark = sum(rest[v] for v in numbers if v - low <= near)
    bright = sum(rest[v] for v in numbers if high - v <= near)
    between = total - dark - bright
    if between <= EDGES * total and between <= min(dark, bright) / 2:
        found = f"found: nearly all is near {low} or {high}, as with blurred edges"
        return _by_threshold(coding, classes, (low + high) / 2, rest, found)
    if len(numbers) <= MOST_CLASSES:
        levels = "found by their grey levels"
        return _by_values(coding, classes, tuple(numbers), rest, levels)
    raise Mistake(
        f"The masks hold {len(numbers):,} values, from {low} to {high}, too many to be"
        " classes. If each object has a number of its own and all are one class, set"
        " data.threshold=0; else say which values are classes: data.values=(0,1)."
    )


def _are_counted(per_file: list[set[Value]]) -> bool:
    """Whether each mask holds 0 to n and nothing else: numbers of objects, likely."""
    numbered = [sorted(v for v in found if v != VOID) for found in per_file]  # type: ignore[type-var]
    return (
        all(n == list(range(len(n))) for n in numbered)
        and len({len(n) for n in numbered}) > 2
    )


def _class_names(classes, count: int, own: Iterable[str]) -> tuple[str, ...]:
    if classes is None:
        return tuple(own)
    if len(set(classes)) < len(classes):
        raise Mistake(f"data.classes names a class twice: {', '.join(classes)}.")
    if len(classes) != count:
        one_class = (
            " If all but the background is one class, set data.threshold=0."
            if len(classes) == 2
            else ""
        )
        raise Mistake(
            f"data.classes has {len(classes)} names, and the masks hold {count} values"
            f" that count. Name each, the background included.{one_class}"
        )
    return tuple(classes)
