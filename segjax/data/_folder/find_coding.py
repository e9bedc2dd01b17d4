"""What the values in a user's masks mean: told by the user, or found in the masks.

Where two readings are as likely, neither is taken: a Mistake says what to type.
"""

from collections.abc import Iterable
from typing import NamedTuple

from segjax.base import VOID, Mistake
from segjax.data._folder.coding import EDGES, Coding, Value, named, number_of
from segjax.data._folder.seen import Seen, Tally, in_color, palette_of, tally
from segjax.data._intake import listed, shown

MOST_CLASSES = 64  # that are believed without being told
_VOID_NAMES = ("void", "ignore", "ignored", "unlabelled", "unlabeled")
_SOLID = 2e-3  # share of pixels that makes a level a class where others are blurred
_FEW = 8  # values along edges that may be classes; blurred edges have more

Found = tuple[Coding, list[str]]


class _Asked(NamedTuple):
    classes: tuple[str, ...] | None
    void: tuple[Value, ...]
    palette: str


def find_coding(
    seen: list[Seen],
    classes: tuple[str, ...] | None = None,
    values: tuple[Value, ...] | None = None,
    void: tuple[Value, ...] = (),
    threshold: float | None = None,
    palette: str | None = None,
) -> Found:
    """The coding of these masks, with what was given taken as given, and sentences on
    what was found; or a Mistake that says what to give."""
    given = (*(values or ()), *void)
    for value in given:
        number_of(value)
    by_color = any(isinstance(v, str) for v in given)
    palette = palette or ("color" if by_color else palette_of(seen))
    held = tally(seen, palette)
    numeric = threshold is not None or any(not isinstance(v, str) for v in given)
    if held.colored and numeric:
        raise Mistake(
            f"{listed(in_color(seen, palette), 3)}: masks in colours, and what you say"
            " of the masks is in numbers. Save them as the others are saved, or say"
            " colours, such as data.values=('#000000','#ff0000')."
        )
    void = tuple(_as_held(v, held) for v in void)
    asked = _Asked(classes, void, palette)
    if threshold is not None:
        coding, told = _by_threshold(asked, threshold, held, "as you say")
    elif values is not None:
        values = tuple(_as_held(v, held) for v in values)
        coding, told = _by_values(asked, values, held, "as you say")
    else:
        coding, told = _find(asked, held, any(one.lossy for one in seen), seen)
    absent = [v for v in void if v not in held.pixels]
    if absent:
        told.append(f"no mask holds {named(absent)}, which data.void names")
    return coding, told


def _as_held(value: Value, held: Tally) -> Value:
    """A given value as the masks would hold it: '#ffffff' is 255 in masks of greys."""
    if not isinstance(value, str) or held.colored:
        return value.lower() if isinstance(value, str) else value
    red, green, blue = number_of(value).to_bytes(3)
    if not red == green == blue:
        raise Mistake(
            f"{value} is a colour, and the masks hold none; they hold"
            f" {named(held.pixels)}. Say numbers: data.values=(0,255)."
        )
    return red


def _find(asked: _Asked, held: Tally, lossy: bool, seen: list[Seen]) -> Found:
    counted = {v: n for v, n in held.pixels.items() if v not in asked.void}
    if len(counted) < 2:
        what = f"{named(counted)} alone" if counted else "nothing that counts"
        raise Mistake(
            f"Every mask holds {what}: there is nothing to tell apart. Masks such as"
            f" {listed([one.file for one in seen], 2)} are no masks, or empty."
        )
    if held.colored:
        return _by_color(asked, held, counted, lossy)
    numbers = [v for v in counted if isinstance(v, int)]
    if numbers[0] < 0:
        raise Mistake(
            f"The masks hold {named(numbers)}: does {numbers[0]} not count, or is it a"
            f" class? Say data.void={numbers[0]} or data.values={tuple(numbers)}."
        )
    if len(numbers) == 2:
        low, high = numbers
        why = f"found: the masks hold {low} and {high}"
        return _by_threshold(asked, (low + high) / 2, held, why)
    if lossy:
        return _by_extremes(asked, held, numbers, "as in JPEGs", True)
    together = [set(values) - set(asked.void) for values in held.per_file.values()]
    if numbers == [0, 1, VOID] and not any({1, VOID} <= one for one in together):
        why = f"found: some masks hold 0 and 1, others 0 and {VOID}"
        return _by_threshold(asked, 0, held, why)
    ids = [v for v in numbers if v != VOID]
    soft_ids = len(held.soft.intersection(ids))
    dense = len(ids) > 1 and ids[-1] < 3 * len(ids)
    if all(len(one) <= 2 for one in together) and not (dense and VOID not in numbers):
        raise _question(numbers, "each mask holds two", "one class, saved in two ways")
    if dense and (ids[-1] < MOST_CLASSES or soft_ids <= len(ids) / 4):
        return _by_ids(asked, held, ids, VOID in numbers)
    return _by_levels(asked, held, numbers)


def _by_ids(asked: _Asked, held: Tally, ids: list[int], with_void: bool) -> Found:
    if asked.classes is not None and len(asked.classes) > len(ids) and ids[0] >= 0:
        ids = list(range(len(asked.classes)))  # a class that is named and never drawn
    if with_void:
        asked = asked._replace(void=(*asked.void, VOID))
    coding, told = _by_values(asked, tuple(ids), held, "found by their ids")
    if asked.classes is None and _are_counted(held):
        told.append(
            "in every mask they go on from 0 without a gap, as where objects are"
            " numbered; if these are of one class, set data.threshold=0"
        )
    return coding, told


def _by_levels(asked: _Asked, held: Tally, numbers: list[int]) -> Found:
    """Grey levels: each a class, unless they are the blurred edges of two, or of those
    that are solid."""
    low, high, middle = numbers[0], numbers[-1], numbers[1:-1]
    total = sum(held.pixels.values())
    large = [v for v in middle if held.pixels[v] >= _SOLID * total]
    near = 0.15 * (high - low) if high - low >= MOST_CLASSES else 0
    core = [v for v in middle if min(v - low, high - v) > near]
    soft = [v for v in core if v in held.soft]
    solid = [v for v in core if v not in held.soft]
    if not core:  # the noise of a JPEG that was saved again
        if len(middle) <= 2 and large:
            raise _question(numbers, f"{named(middle)} beside them", "noise")
        _check_alike(held, numbers, asked.void)
        return _by_extremes(asked, held, numbers, "as with blurred edges", False)
    if not soft and not held.soft.intersection(middle):
        if len(numbers) > MOST_CLASSES:
            raise _too_many(numbers)
        if high == VOID and numbers[-2] < MOST_CLASSES:
            raise Mistake(
                f"The masks hold {named(numbers)}: is {VOID} a class, or does it not"
                f" count? Say data.values={tuple(numbers)} or data.void={VOID}."
            )
        return _by_values(asked, tuple(numbers), held, "found by their grey levels")
    _check_alike(held, numbers, asked.void)
    solid = [v for v in solid if v in large]
    of_extent = [v for v in soft if v in large]
    few = len(core) <= 2 or (solid and of_extent and len(soft) <= _FEW)
    if len(solid) > _FEW and len(numbers) > MOST_CLASSES:
        raise _too_many(numbers)
    if few or len(solid) > _FEW:
        told = f"{named(of_extent or soft or solid)} along edges alone"
        raise _question(numbers, told, "edges that are blurred")
    if solid:
        levels = (low, *solid, high)
        return _by_values(asked, levels, held, "found by their grey levels")
    return _by_extremes(asked, held, numbers, "as with blurred edges", False)


def _question(values: list, seen: str, otherwise: str) -> Mistake:
    """Two readings are as likely."""
    low, high = values[0], values[-1]
    typed = f"data.values={tuple(values)}" if len(values) <= 20 else "data.values=(...)"
    other = "data.values= without them"
    if isinstance(low, int):
        other = f"data.threshold={(low + high) / 2:g}"
        if otherwise.startswith("one class"):
            other = f"data.threshold={low}"
    return Mistake(
        f"The masks hold {named(values)}, {seen}: classes of their own, or {otherwise}?"
        f" Say {typed}, or {other}"
    )


def _by_extremes(asked: _Asked, held: Tally, numbers, what: str, lossy: bool) -> Found:
    """Two classes, if nearly all is near the lowest or the highest value."""
    low, high, total = numbers[0], numbers[-1], sum(held.pixels[v] for v in numbers)
    middle, near = (low + high) / 2, 0.15 * (high - low)
    dark = sum(held.pixels[v] for v in numbers if v - low <= near)
    bright = sum(held.pixels[v] for v in numbers if high - v <= near)
    between = total - dark - bright
    if high - low < MOST_CLASSES or between > min(EDGES * total, dark / 2, bright / 2):
        raise _too_many(numbers, lossy)
    why = f"found: nearly all is near {low} or {high}, {what}"
    return _by_threshold(asked, middle, held, why)


def _check_alike(held: Tally, numbers: list[int], void: tuple[Value, ...]) -> None:
    """A Mistake where one mask has two sharp values, and the others blurred ones far
    above: it is coded otherwise, and its foreground would be missed."""
    low, high = numbers[0], numbers[-1]
    for file, values in held.per_file.items():
        ours = [v for v in values if isinstance(v, int) and v not in void]
        if len(ours) == 2 and max(ours) - low < 0.15 * (high - low):
            raise Mistake(
                f"{shown(file)} holds {named(sorted(ours))}, other masks {low} to"
                f" {high}. Save all masks alike, or its foreground will be missed."
            )


def _by_color(asked: _Asked, held: Tally, counted: dict[Value, int], lossy: bool):
    """Colours are classes, but for those of blurred edges; of very many, those of some
    extent."""
    total = sum(counted.values())
    kept = [v for v in counted if v not in held.soft]
    thin = [v for v in counted if v in held.soft]
    large = [v for v in thin if counted[v] >= _SOLID * total]
    if large and len(thin) <= _FEW and len(kept) >= 2:
        told = f"{named(large)} along edges alone"
        raise _question([*kept, *thin], told, "edges that are blurred")
    if len(kept) > MOST_CLASSES or lossy:
        kept = [v for v in kept if counted[v] >= _SOLID * total]
    beyond = 1 - sum(counted[v] for v in kept) / total
    if not 2 <= len(kept) <= MOST_CLASSES or beyond > EDGES:
        most = sorted(counted, key=lambda v: -counted[v])
        raise Mistake(
            f"The masks hold {len(counted):,} colours, too many to be classes; the most"
            f" frequent are {named(most, 12)}. Say which are classes:"
            " data.values=('#000000','#ff0000')."
        )
    return _by_values(asked, tuple(kept), held, "found by their colours")


def _by_threshold(asked: _Asked, threshold: float, held: Tally, why: str) -> Found:
    names = _class_names(asked.classes, 2, ("background", "foreground"))
    counted = {v: n for v, n in held.pixels.items() if v not in asked.void}
    above = [v for v in counted if v > threshold]  # type: ignore[operator]
    if not 0 < len(above) < len(counted):
        raise Mistake(
            f"data.threshold is {threshold}, and all masks lie on one side of it: they"
            f" hold {named(counted)}."
        )
    told = [f"{names[0]} up to {threshold:g}, {names[1]} above, {why}"]
    if asked.void:
        told.append(f"{named(asked.void)} does not count")
    coding = Coding(names, (), asked.void, float(threshold), asked.palette)
    return coding, told


def _by_values(
    asked: _Asked, values: tuple[Value, ...], held: Tally, why: str
) -> Found:
    if len(set(values)) < len(values):
        raise Mistake(f"data.values names a value twice: {named(values)}.")
    if len([v for v in values if v in held.pixels]) < 2:
        raise Mistake(
            f"Of data.values, {named(values)}, the masks hold fewer than two; they hold"
            f" {named(held.pixels)}."
        )
    own = [f"class {v}" if isinstance(v, int) else v for v in values]
    own[0] = "background" if values[0] in (0, "#000000") else own[0]
    names = _class_names(asked.classes, len(values), own)
    void = list(asked.void)
    void += [v for n, v in zip(names, values) if n.lower() in _VOID_NAMES]
    kept = [(n, v) for n, v in zip(names, values) if v not in void]
    if len(kept) < 2:
        raise Mistake(f"data.values leaves {len(kept)} classes; two are needed.")
    total = sum(held.pixels.values())
    table = [f"{n} = {v} ({held.pixels.get(v, 0) / total:.1%})" for n, v in kept]
    told = [f"{len(kept)} classes, {why}: {', '.join(table)}"]
    if void:
        told.append(f"{named(void)} does not count")
    others = {v: n for v, n in held.pixels.items() if v not in (*values, *void)}
    strange = [v for v in others if isinstance(v, int) and v not in held.soft]
    if why == "as you say" and strange:
        raise Mistake(
            f"The masks hold {named(strange)} too, which stand for no class. Classes"
            f" are {named(values)}; add the others to data.values, or to data.void."
        )
    if others:
        told.append(
            f"{sum(others.values()) / total:.2%} of the pixels hold {len(others)} other"
            f" values ({named(others, 4)}), as blurred edges do; they do not count"
        )
    coding = Coding(
        tuple(n for n, _ in kept),
        tuple(v for _, v in kept),
        tuple(void),
        None,
        asked.palette,
    )
    return coding, told


def _are_counted(held: Tally) -> bool:
    """Whether each mask holds 0 to n and nothing else: numbers of objects, likely."""
    numbered = [
        sorted(v for v in values if isinstance(v, int) and v != VOID)
        for values in held.per_file.values()
    ]
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


def _too_many(numbers: list[int], lossy: bool = False) -> Mistake:
    saved = (
        "JPEG blurs the values of a mask: save masks as PNG. Or, if" if lossy else "If"
    )
    return Mistake(
        f"The masks hold {len(numbers):,} values, from {numbers[0]} to {numbers[-1]},"
        f" too many to be classes. {saved} each object has a number of its own and all"
        " are one class, set data.threshold=0; else say which values are classes:"
        " data.values=(0,1)."
    )
