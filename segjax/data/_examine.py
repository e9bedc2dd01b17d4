"""What is wrong with a data set, or likely to make a score say less than it seems."""

import collections
import zlib
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from segjax.base import VOID, Info, Mistake, Rows
from segjax.data._folds import SPLITS
from segjax.data._intake import listed
from segjax.data._scan import Tick, in_threads

_THUMB = 16  # side of what near-duplicates are told by
_SAME = 0.98  # correlation of two such that are nearly the same picture
_FLAT = 3.0  # grey levels that such a picture varies by at least, to be compared
_RARE = 0.005  # share of pixels below which a class is called rare
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
    digest: int
    constant: bool
    thumb: np.ndarray
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
    wrong, notes = _of_masks(looks, pixels, info)
    findings += wrong + _of_copies(looks)
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
        name: {
            zlib.crc32(np.ascontiguousarray(image)) for image in split.arrays["image"]
        }
        for name, split in splits.items()
    }
    for name in ("val", "test"):
        same = len(digests[name] & digests["train"])
        if same:
            found.append(
                f"{same} pictures of {name} are in train too; their scores will be too"
                " good. python -m segjax doctor names them."
            )
    if "semantic" in info.provides:
        found += _missing_classes(
            {
                name: np.bincount(split.arrays["semantic"].ravel(), minlength=256)
                for name, split in splits.items()
            },
            info,
        )
    return found


def _look(example: dict, split: str, classes: int, keep: bool) -> _Look:
    image, mask = example["image"], example.get("semantic")
    if mask is None:
        mask = np.full(image.shape[:2], VOID, np.uint8)
    counts = np.bincount(mask.ravel(), minlength=256)
    pixels = np.append(counts[:classes], counts[VOID])
    return _Look(
        example["name"],
        split,
        image.shape[:2],
        pixels,
        zlib.crc32(np.ascontiguousarray(image), image.shape[0]),
        bool((image == image[0, 0]).all()),
        _thumb(image),
        _small(example["name"], image, mask) if keep else None,
    )


def _thumb(image: np.ndarray) -> np.ndarray:
    size = (_THUMB, _THUMB)
    small = Image.fromarray(image).resize(size, Image.Resampling.BOX)
    values = np.asarray(small, np.float32).ravel()
    centred = values - values.mean()
    if centred.std() < _FLAT:  # noise would decide
        return np.zeros_like(centred)
    return centred / np.linalg.norm(centred)


def _small(name: str, image: np.ndarray, mask: np.ndarray) -> dict[str, Any]:
    h, w = image.shape[:2]
    scale = _DRAWN_SIDE / max(h, w)
    size = max(1, round(w * scale)), max(1, round(h * scale))
    return {
        "name": name,
        "image": np.asarray(Image.fromarray(image).resize(size)),
        "semantic": np.asarray(
            Image.fromarray(mask).resize(size, Image.Resampling.NEAREST)
        ),
    }


def _facts(looks: list[_Look], pixels: np.ndarray, info: Info) -> list[str]:
    count = collections.Counter(one.split for one in looks)
    sizes = np.array([one.shape for one in looks])
    (low_h, low_w), (high_h, high_w) = sizes.min(0), sizes.max(0)
    void = sum(int(one.pixels[-1]) for one in looks)
    facts = [
        f"{len(looks)} pictures: " + ", ".join(f"{count[s]} {s}" for s in SPLITS),
        f"sizes: {low_h} to {high_h} high, {low_w} to {high_w} wide",
    ]
    total = pixels.sum()
    for k, name in enumerate(info.classes):
        share, held = pixels[:, k].sum() / max(1, total), int((pixels[:, k] > 0).sum())
        facts.append(f"{name}: {share:.2%} of the pixels, in {held} pictures")
    if void:
        facts.append(f"does not count: {void / (void + total):.2%} of the pixels")
    return facts


def _of_masks(looks: list[_Look], pixels: np.ndarray, info: Info):
    """Findings and notes on what the masks hold."""
    findings, notes = [], []
    total = pixels.sum(0)
    if (total > 0).sum() < 2:
        findings.append("All masks together hold one class; there is nothing to learn.")
    kinds = {
        "nothing that counts": pixels.sum(1) == 0,
        "background alone": (pixels[:, 1:].sum(1) == 0) & (pixels.sum(1) > 0),
    }
    if len(info.classes) == 2:
        kinds["foreground alone"] = (pixels[:, 0] == 0) & (pixels.sum(1) > 0)
    for what, where in kinds.items():
        names = [one.name for one, is_so in zip(looks, where) if is_so]
        if names:
            notes.append(f"Masks of {what}: {len(names)}, {listed(names)}.")
    constant = [one.name for one in looks if one.constant]
    if constant:
        findings.append(
            f"Pictures of one colour throughout: {len(constant)}, {listed(constant)}."
            " Look at the files; if they are empty, leave them out."
        )
    splits = np.array([one.split for one in looks])
    of_split = {s: pixels[splits == s].sum(0) for s in SPLITS if s in splits}
    findings += _missing_classes(of_split, info)
    share = total / max(1, total.sum())
    is_rare = (share < _RARE) & (total > 0)
    rare = [f"{info.classes[k]} {share[k]:.2%}" for k in np.flatnonzero(is_rare)]
    if rare:
        notes.append(
            f"Rare classes: {', '.join(rare)} of the pixels. A network may never call"
            " them; task.dice=1 or task.class_weights=median_frequency helps."
        )
    return findings, notes


def _missing_classes(counts: dict[str, np.ndarray], info: Info) -> list[str]:
    """Sentences on classes that are tested and never learnt, or never there at all."""
    told = []
    for k, name in enumerate(info.classes):
        held = {split for split, count in counts.items() if count[k] > 0}
        if not held:
            told.append(f"No mask holds class {name!r}.")
        elif "train" in counts and "train" not in held:
            told.append(
                f"Class {name!r} is in {' and '.join(sorted(held))}, and in no picture"
                " of train; it cannot be learnt."
            )
    return told


def _of_copies(looks: list[_Look]) -> list[str]:
    """Sentences on pictures that are the same, or nearly, in two splits or in one."""
    same: dict[int, list[int]] = collections.defaultdict(list)
    for k, one in enumerate(looks):
        same[one.digest].append(k)
    copies = [group for group in same.values() if len(group) > 1]
    known = {(i, j) for group in copies for i in group for j in group}
    near = [
        pair for pair in _near(np.stack([o.thumb for o in looks])) if pair not in known
    ]
    found = []
    across = [g for g in copies if len({looks[k].split for k in g}) > 1]
    within = [g for g in copies if g not in across]
    if across:
        found.append(
            f"The same picture in two splits: {len(across)}, {_pairs(across, looks)}."
            " Its score is no test: leave one of them."
        )
    if within:
        found.append(
            f"The same picture twice in one split: {len(within)},"
            f" {_pairs(within, looks)}. Leave one of them."
        )
    leaks = [p for p in near if looks[p[0]].split != looks[p[1]].split]
    if leaks:
        tested = {k for p in leaks for k in p if looks[k].split == "test"}
        total = sum(one.split == "test" for one in looks)
        found.append(
            f"Nearly the same picture in two splits: {len(leaks)} pairs,"
            f" {_pairs(leaks, looks)}; {len(tested)} of the {total} test pictures are"
            " in one. If they are frames of one film or pictures of one patient, keep"
            " these together: data.table=FILE.csv with a column that says which, and"
            " data.group=COLUMN."
        )
    return found


def _near(thumbs: np.ndarray, block: int = 1024) -> list[tuple[int, int]]:
    """Pairs that are nearly the same. f32[n,d]"""
    pairs = []
    for start in range(0, len(thumbs), block):
        likeness = thumbs[start : start + block] @ thumbs.T
        for i, j in np.argwhere(likeness > _SAME):
            if start + i < j:
                pairs.append((int(start + i), int(j)))
    return pairs


def _pairs(groups: Iterable, looks: list[_Look]) -> str:
    told = [
        " and ".join(f"{looks[k].name} ({looks[k].split})" for k in list(group)[:3])
        for group in groups
    ]
    return listed(told, 3)
