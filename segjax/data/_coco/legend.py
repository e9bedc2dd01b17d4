"""What COCO's categories mean in a mask: classes, things, colours, joints."""

from typing import Any, NamedTuple

import numpy as np

from segjax.base import VOID, Info, Mistake, did_you_mean
from segjax.data._intake import shown
from segjax.data._joints.mirror import mirror_of

PANOPTIC, INSTANCES, KEYPOINTS = FORMS = ("panoptic", "instances", "keypoints")
BACKGROUND = "background"
_WORDS = ("image", "semantic", "instance")
_POINTS = ("keypoints", "area")


class Legend(NamedTuple):
    """The categories of annotations in order of their ids, which are not contiguous:
    `semantic` holds places in `classes`."""

    form: str
    ids: tuple[int, ...]  # the category of each class; of the background -1
    classes: tuple[str, ...]
    things: tuple[str, ...]
    colors: tuple[tuple[int, int, int], ...] = ()
    joints: tuple[str, ...] = ()
    limbs: tuple[tuple[int, int], ...] = ()
    mirror: tuple[int, ...] = ()
    people: int = 1  # with joints: the most objects that a picture shows

    def class_of(self, category: Any) -> int | None:
        """The class of a category's id, None for one that is not there."""
        is_id = type(category) is int and category >= 0 and category in self.ids
        return self.ids.index(category) if is_id else None

    def info(self) -> Info:
        """What the data set says of itself."""
        points = _POINTS if self.form == KEYPOINTS else ()
        return Info(
            classes=self.classes,
            things=self.things,
            joints=self.joints,
            limbs=self.limbs,
            mirror=self.mirror,
            people=self.people,
            colors=self.colors,
            provides=_WORDS + points,
        )


def read_legend(categories: Any, form: str, file: str) -> Legend:
    """The legend of a file's `categories`, of key points those that have them; or a
    Mistake."""
    entries = sorted(_checked(categories, file), key=lambda entry: entry["id"])
    if form == KEYPOINTS:
        entries = [entry for entry in entries if entry.get("keypoints")]
    ids = tuple(entry["id"] for entry in entries)
    classes = tuple(shown(entry["name"]) for entry in entries)
    things = classes
    colors = tuple(_color(entry) for entry in entries)
    if form == PANOPTIC:
        things = tuple(shown(e["name"]) for e in entries if _is_thing(e, file))
    else:
        ids, classes = (-1, *ids), (BACKGROUND, *classes)
        colors = ((0, 0, 0), *colors)
    for word, values in (("called", classes), ("numbered", ids)):
        twins = sorted({str(v) for v in values if values.count(v) > 1})  # type: ignore[arg-type]
        if twins:
            raise Mistake(
                f"{shown(file)} has two categories {word} {twins[0]!r}; rename one."
            )
    if len(classes) > VOID:
        raise Mistake(f"{shown(file)} has more than {VOID} categories; a mask has not.")
    complete = tuple(c for c in colors if c is not None)
    colored = complete if len(complete) == len(colors) else ()
    legend = Legend(form, ids, classes, things, colored)
    if form != KEYPOINTS:
        return legend
    joints, limbs, mirror = _skeleton(entries, file)
    return legend._replace(joints=joints, limbs=limbs, mirror=mirror)


def pick_classes(legend: Legend, wanted: tuple[str, ...] | None) -> Legend:
    """The legend of some classes alone. All others become the background, where that
    is among them, as it always is of instances; else they do not count."""
    if wanted is None or tuple(wanted) == legend.classes:
        return legend
    if legend.form == KEYPOINTS:
        raise Mistake("data.classes does not count with key points; leave it unset.")
    names = dict.fromkeys(wanted)
    if BACKGROUND in names or legend.form == INSTANCES:
        names = dict.fromkeys((BACKGROUND, *names))
    if not wanted:
        raise Mistake("data.classes is empty; name classes, or leave it unset.")
    for name in names:
        if name not in (BACKGROUND, *legend.classes):
            near = did_you_mean(name, legend.classes)
            raise Mistake(f"data.classes names {name!r}, which coco has not.{near}")
    colors = dict(zip(legend.classes, legend.colors)) | {BACKGROUND: (0, 0, 0)}
    ids = dict(zip(legend.classes, legend.ids))
    return legend._replace(
        ids=tuple(ids.get(name, -1) for name in names),
        classes=tuple(names),
        things=tuple(name for name in legend.things if name in names),
        colors=tuple(colors[name] for name in names) if legend.colors else (),
    )


def recoding(legend: Legend, picked: Legend) -> np.ndarray:
    """What each class of one legend is in another. u8[256]"""
    other = 0 if picked.classes[0] == BACKGROUND else VOID
    table = np.full(256, VOID, np.uint8)
    for place, name in enumerate(legend.classes):
        known = name in picked.classes
        table[place] = picked.classes.index(name) if known else other
    return table


def legend_of(options: dict[str, Any]) -> Legend:
    """A legend that was written as JSON, or kept with a run."""

    def fixed(value: Any) -> Any:
        is_list = isinstance(value, (list, tuple))
        return tuple(fixed(v) for v in value) if is_list else value

    return Legend(**{k: fixed(options[k]) for k in Legend._fields if k in options})


def _checked(categories: Any, file: str) -> list[dict]:
    """The categories, each a number with a name."""
    for entry in categories if isinstance(categories, list) else [None]:
        whole = (
            isinstance(entry, dict)
            and type(entry.get("id")) is int
            and entry["id"] >= 0
            and isinstance(entry.get("name"), str)
        )
        if not whole:
            raise Mistake(
                f"{shown(file)} has 'categories' that are not a list of entries with"
                " 'id', a whole number, and 'name'; get it anew."
            )
    if not categories:
        raise Mistake(f"{shown(file)} has no categories; get it anew.")
    return categories


def _is_thing(entry: dict, file: str) -> bool:
    if entry.get("isthing") not in (0, 1):
        raise Mistake(
            f"Category {shown(entry['name'])!r} of {shown(file)} does not say whether"
            " it is a thing; give it 'isthing', 0 or 1."
        )
    return bool(entry["isthing"])


def _color(entry: dict) -> tuple[int, int, int] | None:
    color = entry.get("color")
    if not isinstance(color, list) or len(color) != 3:
        return None
    red, green, blue = color
    return (red, green, blue) if all(map(_is_byte, color)) else None


def _is_byte(value: Any) -> bool:
    return type(value) is int and 0 <= value <= 255


def _skeleton(entries: list[dict], file: str) -> tuple[tuple, tuple, tuple]:
    """Joints, the limbs between them, and what each is in a mirror: the joint whose
    name has left and right exchanged."""
    if len({repr(entry["keypoints"]) for entry in entries}) != 1:
        raise Mistake(
            f"{shown(file)} has key points of {len(entries)} kinds of objects; the"
            " categories must name those of one in 'keypoints'."
        )
    names, limbs = entries[0]["keypoints"], entries[0].get("skeleton") or []
    if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise Mistake(f"{shown(file)} has 'keypoints' that are not a list of names.")
    names = [shown(name) for name in names]
    places = range(1, len(names) + 1)  # COCO counts from 1
    for limb in limbs if isinstance(limbs, list) else [limbs]:
        is_pair = isinstance(limb, list) and len(limb) == 2
        if not is_pair or not all(type(end) is int and end in places for end in limb):
            raise Mistake(
                f"{shown(file)} has {limb!r} in its 'skeleton'; each limb is two of the"
                f" joints 1 to {len(names)}."
            )
    return tuple(names), tuple((a - 1, b - 1) for a, b in limbs), mirror_of(names)
