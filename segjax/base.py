"""The words that all rooms share: a data set's Info, a Task, a file found by name.

Letters in shapes: b batch, h w height and width, c channels or classes, p people,
j joints, l limbs, n pictures. Pictures are `image` u8[h,w,3]; masks `semantic`
u8[h,w] with 255 for pixels that do not count; `instance` i32[h,w], 0 none, -1 does
not count; `keypoints` f32[p,j,3] as y, x, visible.
"""

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any, NamedTuple, Protocol

VOID = 255  # the `semantic` label of a pixel that does not count
WORDS = ("image", "semantic", "instance", "keypoints", "area")


# exit codes
DONE, FINDINGS, MISTAKE, STOPPED, GONE_WRONG = 0, 1, 2, 3, 4


class Mistake(Exception):
    """The user's mistake, told in one sentence: what is wrong and what to do."""


class Stopped(Exception):
    """Stopped on request: all is saved, and the same command goes on."""


class GoneWrong(Exception):
    """The numbers have gone wrong: no update is finite any more."""


class Info(NamedTuple):
    """What a data set says of itself."""

    classes: tuple[str, ...]  # name of each `semantic` id; classes[0] is background
    things: tuple[str, ...] = ()  # the classes whose objects are told apart
    joints: tuple[str, ...] = ()
    limbs: tuple[tuple[int, int], ...] = ()  # pairs of joints
    mirror: tuple[int, ...] = ()  # joint that each joint becomes in a mirror
    people: int = 1  # with joints: the most that a picture shows
    colors: tuple[tuple[int, int, int], ...] = ()  # RGB of each class
    provides: tuple[str, ...] = ("image",)  # the words its examples hold
    caution: str = ""  # what stands beside every score taken on it


class Task(NamedTuple):
    """What to predict, as pure functions of one picture."""

    needs: tuple[str, ...]  # words of the example that encode reads
    heads: Mapping[str, int]  # maps the model must emit: name -> channels
    encode: Callable  # example -> targets                                  jnp
    loss: Callable  # outputs, targets -> {term: (numerator, weight)}; weights
    #                 depend on the targets alone                            jnp
    decode: Callable  # outputs -> prediction, in the shared words           jnp
    count: Callable  # prediction, example -> row: sums of fixed shape       jnp
    score: Callable  # rows -> {name: float}, the deciding score first, larger
    #                  is better; the same formula for one row or all    float64
    draw: Callable  # image, prediction, truth=None -> u8[h,w',3]          numpy
    panels: str = ""  # what a picture drawn with its truth shows, in a sentence
    remark: Callable = lambda rows: ""  # rows -> what looks wrong of the
    #                  predictions, and why it may be; '' for nothing      float64
    measure: Callable | None = None  # prediction, example, tolerance -> row: what
    #                  `score` can make more of than of `count`, too dear to be
    #                  counted while training; at the picture's own size    numpy
    falling: tuple[str, ...] = ()  # the scores of which smaller is better
    ranges: Mapping[str, tuple[float, float]] = {}  # of those that are not in 0..1
    logits: str = ""  # the map that a temperature divides; '' for none
    vectors: tuple[str, ...] = ()  # the maps of ways, y and x in pixels: they grow with
    #                  a picture that is enlarged
    kept: tuple[str, ...] = ()  # the maps that are read at the network's own size: the
    #                  `keypoints` found in them are moved to where the picture has them
    mirrored: Callable | None = None  # outputs, those of the mirror picture turned
    #                  back -> both as one, where that is how views are read    jnp


class Rows(Protocol):
    """A split of a data set: examples by index, in the shared words.

    Beside them an example has `name` and may have `label` (a diagnosis, a site) and
    `group` (the patient or film that several pictures come from; such rows have all of
    them as `groups`), and `fields` (what else is written of it, {column: text}).
    """

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> dict[str, Any]: ...


def names(room: str) -> tuple[str, ...]:
    """The models, tasks or data sets there are: the files of the room's folder."""
    package = importlib.import_module(f"segjax.{room}")
    found = (m.name for m in pkgutil.iter_modules(package.__path__))
    return tuple(sorted(n for n in found if not n.startswith("_")))


def find(room: str, name: str) -> ModuleType:
    """The file `name` of a room, or a Mistake that lists what the room holds."""
    known = names(room)
    if name not in known:
        what = {"models": "model", "tasks": "task", "data": "data set"}.get(room, room)
        raise Mistake(
            f"There is no {what} {name!r}.{did_you_mean(name, known)}"
            f" There are: {', '.join(known)}."
        )
    return importlib.import_module(f"segjax.{room}.{name}")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """' Did you mean ...?' for the nearest known word, or nothing."""
    near = difflib.get_close_matches(word.lower(), list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def check_choice(option: str, value: Any, choices: tuple[Any, ...]) -> None:
    """A Mistake unless the option's value is one of the choices."""
    if value not in choices:
        near = did_you_mean(str(value), [str(c) for c in choices])
        listed = ", ".join(repr(c) for c in choices)
        raise Mistake(f"{option} is {value!r}; it must be one of {listed}.{near}")


def check_range(
    option: str, value: float, low: float, high: float = float("inf")
) -> None:
    """A Mistake unless low <= value <= high."""
    if not low <= value <= high:
        span = f"from {low} to {high}" if high != float("inf") else f"at least {low}"
        raise Mistake(f"{option} is {value}; it must be {span}.")
