"""What the values in a user's masks mean: told by the user, or found in the masks.

Where two readings are as likely, neither is taken: a Mistake says what to type.
"""

from segjax.base import VOID, Mistake
from segjax.data._folder.coding import Value, named, number_of
from segjax.data._folder.doubts import MOST_CLASSES, question
from segjax.data._folder.find_colors import by_color
from segjax.data._folder.find_ids import by_ids
from segjax.data._folder.find_levels import by_extremes, by_levels
from segjax.data._folder.make_coding import Asked, Found, by_threshold, by_values
from segjax.data._folder.seen import Seen, Tally, in_color, palette_of, tally
from segjax.data._intake import listed


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
    asked = Asked(classes, void, palette)
    if threshold is not None:
        coding, told = by_threshold(asked, threshold, held, "as you say")
    elif values is not None:
        values = tuple(_as_held(v, held) for v in values)
        coding, told = by_values(asked, values, held, "as you say")
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


def _find(asked: Asked, held: Tally, lossy: bool, seen: list[Seen]) -> Found:
    counted = {v: n for v, n in held.pixels.items() if v not in asked.void}
    if len(counted) < 2:
        what = f"{named(counted)} alone" if counted else "nothing that counts"
        raise Mistake(
            f"Every mask holds {what}: there is nothing to tell apart. Masks such as"
            f" {listed([one.file for one in seen], 2)} are no masks, or empty."
        )
    if held.colored:
        return by_color(asked, held, counted, lossy)
    numbers = [v for v in counted if isinstance(v, int)]
    if numbers[0] < 0:
        raise Mistake(
            f"The masks hold {named(numbers)}: does {numbers[0]} not count, or is it a"
            f" class? Say data.void={numbers[0]} or data.values={tuple(numbers)}."
        )
    if len(numbers) == 2:
        low, high = numbers
        why = f"found: the masks hold {low} and {high}"
        return by_threshold(asked, (low + high) / 2, held, why)
    if lossy:
        return by_extremes(asked, held, numbers, "as in JPEGs", True)
    together = [set(values) - set(asked.void) for values in held.per_file.values()]
    if numbers == [0, 1, VOID] and not any({1, VOID} <= one for one in together):
        why = f"found: some masks hold 0 and 1, others 0 and {VOID}"
        return by_threshold(asked, 0, held, why)
    ids = [v for v in numbers if v != VOID]
    soft_ids = len(held.soft.intersection(ids))
    dense = len(ids) > 1 and ids[-1] < 3 * len(ids)
    if all(len(one) <= 2 for one in together) and not (dense and VOID not in numbers):
        raise question(numbers, "each mask holds two", "one class, saved in two ways")
    if dense and (ids[-1] < MOST_CLASSES or soft_ids <= len(ids) / 4):
        return by_ids(asked, held, ids, VOID in numbers)
    return by_levels(asked, held, numbers)
