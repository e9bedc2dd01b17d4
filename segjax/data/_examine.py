"""What is wrong with a data set, or likely to make a score say less than it seems."""

import collections
import hashlib
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from segjax.base import VOID, Info, Mistake, Rows
from segjax.data._copies import copies, thumb
from segjax.data._folds import SPLITS
from segjax.data._intake import listed
from segjax.data._masks import (
    facts_of_masks,
    findings_on_masks,
    missing_classes,
    notes_on_masks,
    pixels_of,
)
from segjax.data._objects import (
    Objects,
    facts_of_objects,
    look_at_objects,
    notes_on_objects,
)
from segjax.data._people import (
    People,
    facts_of_people,
    look_at_people,
    notes_on_people,
)
from segjax.data._records.scan import Tick, in_threads

_DRAWN = 24  # pictures of the contact sheet
_DRAWN_SIDE = 192


class Report(NamedTuple):
    """What was found. Findings: training, or its score, would be wrong."""

    facts: list[str]
    findings: list[str]
    notes: list[str]
    names: list[str]
    splits: list[str]  # of each picture
    pixels: np.ndarray  # of each picture and class i64[n,c]
    drawn: list[dict[str, Any]]  # some examples, made small


class _Look(NamedTuple):
    name: str
    split: str
    shape: tuple[int, ...]
    pixels: np.ndarray  # of each class, the last those that do not count
    digest: bytes
    constant: bool
    thumb: np.ndarray
    objects: Objects | None
    people: People | None
    small: dict[str, Any] | None


def examine(rows: dict[str, Rows], info: Info, tick: Tick) -> Report:
    """Every picture and mask of all splits read once. Of a picture little is kept, so
    that a large data set needs little memory."""
    places = [(split, i) for split in rows for i in range(len(rows[split]))]
    shown = set(np.linspace(0, len(places) - 1, _DRAWN).astype(int).tolist())

    def look(item):
        k, (split, i) = item
        try:
            return _look(rows[split][i], split, len(info.classes), k in shown)
        except Mistake as mistake:
            return str(mistake)

    looks: list[_Look] = []
    findings: list[str] = []
    for done, found in enumerate(in_threads(look, enumerate(places)), 1):
        if isinstance(found, str):
            findings.append(found)
        else:
            looks.append(found)
        tick("reading", done, len(places))
    if not looks:
        return Report([], findings, [], [], [], np.zeros((0, 0)), [])
    pixels = np.stack([one.pixels for one in looks])[:, :-1]
    names, splits = [one.name for one in looks], [one.split for one in looks]
    wrong, notes = _findings(looks, pixels, info), _notes(looks, pixels, info)
    thumbs = np.stack([one.thumb for one in looks])
    findings += wrong + copies(names, splits, [one.digest for one in looks], thumbs)
    return Report(
        _facts(looks, pixels, info),
        findings,
        notes,
        names,
        splits,
        pixels,
        [one.small for one in looks if one.small is not None],
    )


def quick_check(splits: dict[str, Any], info: Info) -> list[str]:
    """What can be seen at once in pictures that lie ready: a launch's part of this."""
    if not all(hasattr(split, "arrays") for split in splits.values()):
        return []  # a stream's are not at hand
    found = []
    digests = {
        name: {_digest(image) for image in split.arrays["image"]}
        for name, split in splits.items()
    }
    for name, others in (("val", ("train",)), ("test", ("train", "val"))):
        same = len(digests[name] & set().union(*(digests[s] for s in others)))
        if same:
            found.append(
                f"{same} pictures of {name} are in {' or '.join(others)} too; their"
                " scores will be too good. python -m segjax doctor names them."
            )
    if "semantic" in info.provides:
        masks = {name: split.arrays["semantic"] for name, split in splits.items()}
        counts = {name: pixels_of(of_split) for name, of_split in masks.items()}
        found += missing_classes(counts, info)
    return found


def _digest(image: np.ndarray) -> bytes:
    content = np.ascontiguousarray(image)
    return hashlib.blake2b(
        content, digest_size=16, key=str(image.shape).encode()
    ).digest()


def _look(example: dict, split: str, classes: int, keep: bool) -> _Look:
    image, mask = example["image"], example.get("semantic")
    if mask is None:
        mask = np.full(image.shape[:2], VOID, np.uint8)
    instance, name = example.get("instance"), example["name"]
    keypoints = example.get("keypoints")
    counts = np.bincount(mask.ravel(), minlength=256)
    pixels = np.append(counts[:classes], counts[VOID])
    return _Look(
        name,
        split,
        image.shape[:2],
        pixels,
        _digest(image),
        bool((image == image[0, 0]).all()),
        thumb(image),
        None if instance is None else look_at_objects(name, instance),
        None if keypoints is None else look_at_people(name, keypoints),
        _small(example, mask) if keep else None,
    )


def _small(example: dict, mask: np.ndarray) -> dict[str, Any]:
    image = example["image"]
    h, w = image.shape[:2]
    scale = _DRAWN_SIDE / max(h, w)
    size = max(1, round(w * scale)), max(1, round(h * scale))
    small = {
        "name": example["name"],
        "image": np.asarray(Image.fromarray(image).resize(size)),
        "semantic": np.asarray(
            Image.fromarray(mask).resize(size, Image.Resampling.NEAREST)
        ),
    }
    if "keypoints" in example:
        points = example["keypoints"].copy()
        points[..., :2] = (points[..., :2] + 0.5) * (size[1] / h, size[0] / w) - 0.5
        small["keypoints"] = points
    return small


def _facts(looks: list[_Look], pixels: np.ndarray, info: Info) -> list[str]:
    count = collections.Counter(one.split for one in looks)
    sizes = np.array([one.shape for one in looks])
    (low_h, low_w), (high_h, high_w) = sizes.min(0), sizes.max(0)
    void = sum(int(one.pixels[-1]) for one in looks)
    facts = [
        f"{len(looks)} pictures: " + ", ".join(f"{count[s]} {s}" for s in SPLITS),
        f"sizes: {low_h} to {high_h} high, {low_w} to {high_w} wide",
    ]
    if "semantic" in info.provides:
        facts += facts_of_masks(pixels, void, info)
    objects = _objects_of(looks)
    people = _people_of(looks)
    facts += facts_of_objects(objects) if objects else []
    return facts + (facts_of_people(people, info) if people else [])


def _objects_of(looks: list[_Look]) -> list[Objects]:
    return [one.objects for one in looks if one.objects is not None]


def _people_of(looks: list[_Look]) -> list[People]:
    return [one.people for one in looks if one.people is not None]


def _findings(looks: list[_Look], pixels: np.ndarray, info: Info) -> list[str]:
    found = []
    if "semantic" in info.provides:
        found += findings_on_masks([one.split for one in looks], pixels, info)
    constant = [one.name for one in looks if one.constant]
    if constant:
        found.append(
            f"Pictures of one colour throughout: {len(constant)}, {listed(constant)}."
            " Look at the files; if they are empty, leave them out."
        )
    return found


def _notes(looks: list[_Look], pixels: np.ndarray, info: Info) -> list[str]:
    notes, objects = [], _objects_of(looks)
    if "semantic" in info.provides:
        names = [one.name for one in looks]
        notes += notes_on_masks(names, pixels, info, objects=bool(objects))
        notes += notes_on_objects(objects)
    if "keypoints" in info.provides:
        notes += notes_on_people(_people_of(looks), info)
    return notes
