"""What is believed of masks without being told, and what is asked where it is not."""

from segjax.base import Mistake
from segjax.data._folder.coding import named

MOST_CLASSES = 64  # that are believed without being told
SOLID = 2e-3  # share of pixels that makes a level a class where others are blurred
FEW = 8  # values along edges that may be classes; blurred edges have more


def question(values: list, seen: str, otherwise: str) -> Mistake:
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


def too_many(numbers: list[int], lossy: bool = False) -> Mistake:
    """More values than classes may have."""
    saved, apart = "If", ", or --config.data.objects=true to tell them apart"
    if lossy:
        saved, apart = "JPEG blurs the values of a mask: save masks as PNG. Or, if", ""
    return Mistake(
        f"The masks hold {len(numbers):,} values, from {numbers[0]} to {numbers[-1]},"
        f" too many to be classes. {saved} each object has a number of its own and all"
        f" are one class, set data.threshold=0{apart}; else say which values are"
        " classes: data.values=(0,1)."
    )
