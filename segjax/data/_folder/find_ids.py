"""Masks whose values are small numbers, one a class."""

from segjax.base import VOID
from segjax.data._folder.doubts import too_many
from segjax.data._folder.make_coding import Asked, Found, by_values
from segjax.data._folder.seen import Tally


def by_ids(asked: Asked, held: Tally, ids: list[int], with_void: bool) -> Found:
    """Each id a class; 255 beside them does not count."""
    if asked.classes is not None and len(asked.classes) > len(ids) and ids[0] >= 0:
        ids = list(range(len(asked.classes)))  # a class that is named and never drawn
    if len(ids) > VOID:  # more than `semantic` can hold
        raise too_many(ids)
    if with_void:
        asked = asked._replace(void=(*asked.void, VOID))
    coding, told = by_values(asked, tuple(ids), held, "found by their ids")
    if asked.classes is None and _are_counted(held):
        told.append(
            "in every mask they go on from 0 without a gap, as where objects are"
            " numbered; if these are of one class, set data.threshold=0, or"
            " --config.data.objects=true to tell them apart"
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
