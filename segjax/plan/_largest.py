"""The largest batch that fits."""

from collections.abc import Callable

_TRIES = 5  # programs compiled to make sure


def largest_batch(
    bytes_of: Callable[[int], int | None],
    batch: int,
    unit: int,
    memory: int,
    make_sure: bool,
) -> int:
    """The most pictures, a multiple of unit, whose step takes no more than memory.

    bytes_of: a step of so many pictures, None if it cannot be compiled. Bytes grow by
    as much with every picture, so two steps tell, that of `batch` and one of twice or
    half as many; make_sure: whether the answer is to be compiled too. 0 if none fits.
    """
    known: dict[int, int] = {}
    fits, fails = 0, None  # the largest batch that does, the smallest that does not

    def look(pictures: int) -> None:
        nonlocal fits, fails
        taken = bytes_of(pictures)
        if taken is not None:
            known[pictures] = taken
        if taken is not None and taken <= memory:
            fits = max(fits, pictures)
        else:
            fails = min(fails or pictures, pictures)

    look(batch)
    look(2 * batch if fits else max(batch // 2 // unit, 1) * unit)
    if not make_sure:
        return _by_line(known, unit, memory)
    for _ in range(_TRIES):  # a line through what was learnt last is the better one
        guess = _by_line(known, unit, memory)
        if fails is not None and (guess >= fails or len(known) < 2):
            guess = (fits + fails) // 2 // unit * unit
        if guess - fits < max(unit, fits // 16):
            break
        look(guess)
    return fits


def _by_line(known: dict[int, int], unit: int, memory: int) -> int:
    """What fits, by the line through the two largest steps."""
    *_, small, large = [0, 0, *sorted(known)]
    taken = known.get(large, 0)
    a_picture = (taken - known.get(small, 0)) / max(large - small, 1)
    if a_picture <= 0:  # as on TPUs, where few pictures are padded to more
        return 2 * large
    more = (memory - taken) / a_picture
    return max(int(large + more) // unit, 0) * unit
