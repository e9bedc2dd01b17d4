"""A coding made of a threshold, or of values: its classes, and what is said of it."""

from collections.abc import Iterable
from typing import NamedTuple

from segjax.base import Mistake
from segjax.data._folder.coding import Coding, Value, named
from segjax.data._folder.seen import Tally

_VOID_NAMES = ("void", "ignore", "ignored", "unlabelled", "unlabeled")

Found = tuple[Coding, list[str]]


class Asked(NamedTuple):
    """What the user said of the masks."""

    classes: tuple[str, ...] | None
    void: tuple[Value, ...]
    palette: str


def by_threshold(asked: Asked, threshold: float, held: Tally, why: str) -> Found:
    """Two classes, parted by a threshold."""
    names = class_names(asked.classes, 2, ("background", "foreground"))
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


def by_values(asked: Asked, values: tuple[Value, ...], held: Tally, why: str) -> Found:
    """A class a value, but for those that are void by name."""
    if len(set(values)) < len(values):
        raise Mistake(f"data.values names a value twice: {named(values)}.")
    if len([v for v in values if v in held.pixels]) < 2:
        raise Mistake(
            f"Of data.values, {named(values)}, the masks hold fewer than two; they hold"
            f" {named(held.pixels)}."
        )
    own = [f"class {v}" if isinstance(v, int) else v for v in values]
    own[0] = "background" if values[0] in (0, "#000000") else own[0]
    names = class_names(asked.classes, len(values), own)
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


def class_names(classes, count: int, own: Iterable[str]) -> tuple[str, ...]:
    """The names that are given, if there are as many, else the masks' own."""
    if classes is None:
        return tuple(own)
    if len(set(classes)) < len(classes):
        raise Mistake(f"data.classes names a class twice: {', '.join(classes)}.")
    if len(classes) != count:
        one_class = (
            " If all but the background is one class, set data.threshold=0; if each"
            " value is an object, --config.data.objects=true."
            if len(classes) == 2
            else ""
        )
        raise Mistake(
            f"data.classes has {len(classes)} names, and the masks hold {count} values"
            f" that count. Name each, the background included.{one_class}"
        )
    return tuple(classes)
