"""Masks in colours, one a class."""

from segjax.base import Mistake
from segjax.data._folder.coding import EDGES, Value, named
from segjax.data._folder.doubts import FEW, MOST_CLASSES, SOLID, question
from segjax.data._folder.make_coding import Asked, Found, by_values
from segjax.data._folder.seen import Tally


def by_color(
    asked: Asked, held: Tally, counted: dict[Value, int], lossy: bool
) -> Found:
    """Colours are classes, but for those of blurred edges; of very many, those of some
    extent."""
    total = sum(counted.values())
    kept = [v for v in counted if v not in held.soft]
    thin = [v for v in counted if v in held.soft]
    large = [v for v in thin if counted[v] >= SOLID * total]
    if large and len(thin) <= FEW and len(kept) >= 2:
        told = f"{named(large)} along edges alone"
        raise question([*kept, *thin], told, "edges that are blurred")
    if len(kept) > MOST_CLASSES or lossy:
        kept = [v for v in kept if counted[v] >= SOLID * total]
    beyond = 1 - sum(counted[v] for v in kept) / total
    if not 2 <= len(kept) <= MOST_CLASSES or beyond > EDGES:
        most = sorted(counted, key=lambda v: -counted[v])
        raise Mistake(
            f"The masks hold {len(counted):,} colours, too many to be classes; the most"
            f" frequent are {named(most, 12)}. Say which are classes:"
            " data.values=('#000000','#ff0000'); or, if each colour is an object, set"
            " --config.data.objects=true."
        )
    return by_values(asked, tuple(kept), held, "found by their colours")
