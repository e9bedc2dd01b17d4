"""Masks of grey levels, sharp or with blurred edges."""

from segjax.base import VOID, Mistake
from segjax.data._folder.coding import EDGES, Value, named
from segjax.data._folder.doubts import FEW, MOST_CLASSES, SOLID, question, too_many
from segjax.data._folder.make_coding import Asked, Found, by_threshold, by_values
from segjax.data._folder.seen import Tally
from segjax.data._intake import shown


def by_levels(asked: Asked, held: Tally, numbers: list[int]) -> Found:
    """Grey levels: each a class, unless they are the blurred edges of two, or of those
    that are solid."""
    low, high, middle = numbers[0], numbers[-1], numbers[1:-1]
    total = sum(held.pixels.values())
    large = [v for v in middle if held.pixels[v] >= SOLID * total]
    near = 0.15 * (high - low) if high - low >= MOST_CLASSES else 0
    core = [v for v in middle if min(v - low, high - v) > near]
    soft = [v for v in core if v in held.soft]
    solid = [v for v in core if v not in held.soft]
    if not core:  # the noise of a JPEG that was saved again
        if len(middle) <= 2 and large:
            raise question(numbers, f"{named(middle)} beside them", "noise")
        _check_alike(held, numbers, asked.void)
        return by_extremes(asked, held, numbers, "as with blurred edges", False)
    if not soft and not held.soft.intersection(middle):
        if len(numbers) > MOST_CLASSES:
            raise too_many(numbers)
        if high == VOID and numbers[-2] < MOST_CLASSES:
            raise Mistake(
                f"The masks hold {named(numbers)}: is {VOID} a class, or does it not"
                f" count? Say data.values={tuple(numbers)} or data.void={VOID}."
            )
        return by_values(asked, tuple(numbers), held, "found by their grey levels")
    _check_alike(held, numbers, asked.void)
    solid = [v for v in solid if v in large]
    of_extent = [v for v in soft if v in large]
    few = len(core) <= 2 or (solid and of_extent and len(soft) <= FEW)
    if len(solid) > FEW and len(numbers) > MOST_CLASSES:
        raise too_many(numbers)
    if few or len(solid) > FEW:
        told = f"{named(of_extent or soft or solid)} along edges alone"
        raise question(numbers, told, "edges that are blurred")
    if solid:
        levels = (low, *solid, high)
        return by_values(asked, levels, held, "found by their grey levels")
    return by_extremes(asked, held, numbers, "as with blurred edges", False)


def by_extremes(asked: Asked, held: Tally, numbers, what: str, lossy: bool) -> Found:
    """Two classes, if nearly all is near the lowest or the highest value."""
    low, high, total = numbers[0], numbers[-1], sum(held.pixels[v] for v in numbers)
    middle, near = (low + high) / 2, 0.15 * (high - low)
    dark = sum(held.pixels[v] for v in numbers if v - low <= near)
    bright = sum(held.pixels[v] for v in numbers if high - v <= near)
    between = total - dark - bright
    if high - low < MOST_CLASSES or between > min(EDGES * total, dark / 2, bright / 2):
        raise too_many(numbers, lossy)
    why = f"found: nearly all is near {low} or {high}, {what}"
    return by_threshold(asked, middle, held, why)


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
