"""Pictures and masks of a user's folder, matched by where they lie and what they are
called; no file is opened."""

import collections
import os
import re
import unicodedata
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import NamedTuple

from segjax.base import Mistake
from segjax.data._folder.words import says_masks, says_pictures, says_split
from segjax.data._intake import listed, shown

_OF_OBJECTS = re.compile(r"instances?|objects?")
_SUFFIX = re.compile(
    r"[ _.-]?(masks?|annot(ation)?s?|labels?|segmentations?|lesions?|silhouettes?"
    r"|ground.?truths?|truth|mattes?|[ _.-](gt|seg|manual\d*))$"
)
_PREFIX = re.compile(r"^(mask|label|seg|gt|annotation)[ _.-]")
_OF_PICTURE = re.compile(
    r"[ _.-](image|img|picture|photo|rgb|input|training|train|val|test)$"
)


class Pair(NamedTuple):
    """A picture and its mask, as files below the folder."""

    name: str
    image: str
    mask: str = ""  # '' where something else is said of the picture
    split: str = ""  # '', or the folder's own: train, val, test
    row: dict[str, str] = {}  # noqa: RUF012  the columns a table has for it
    parts: tuple[str, ...] = ()  # of a mask that is a file for each object, the files

    @property
    def mask_files(self) -> tuple[str, ...]:
        return self.parts or (self.mask,)


class Matched(NamedTuple):
    """What was found, and what was left over."""

    pairs: list[Pair]
    lone_images: list[str]
    lone_masks: list[str]
    doubles: list[str]  # sentences: two files that would be the same picture's
    aside: list[str]  # pictures that are in no folder of pictures or masks


class _File(NamedTuple):
    path: str
    stem: str  # without what says that it is a mask
    at: tuple[str, ...]  # folders that say neither what it is nor its split
    split: str
    is_mask: bool
    placed: bool  # whether a folder's name said what it is


def match(
    files: list[str], images: str | None, masks: str | None, objects: bool = False
) -> Matched:
    """Pictures paired with masks.

    images, masks: folders, where names do not tell which is which; objects: whether,
    of masks of classes and masks of objects, the latter are wanted.
    """
    matched = _match(files, images, masks, objects, 0)
    shared = os.path.commonpath([os.path.dirname(f) or "." for f in files] or ["."])
    if not matched.pairs and shared not in ("", "."):
        # a folder that holds all, such as lgg-segmentation, tells nothing of them
        parts = PurePosixPath(shared).parts
        inside = _match(files, images, masks, objects, len(parts))
        matched = inside if inside.pairs else matched
    others = collections.Counter(_place(mask) for mask in matched.lone_masks)
    place, count = others.most_common(1)[0] if others else ("", 0)
    ours = {_place(pair.mask) for pair in matched.pairs}
    many = 2 * count >= len(matched.pairs) > 0
    if masks is None and many and place not in ours:
        raise Mistake(
            f"There are two folders of masks, {shown(place)} and"
            f" {listed(sorted(ours))}. Say which: data.masks={shown(place)!r} or"
            f" data.masks={shown(min(ours))!r}"
        )
    return matched


def _place(file: str) -> str:
    return os.path.dirname(file)


def _match(
    files: list[str], images: str | None, masks: str | None, objects: bool, skip: int
) -> Matched:
    """skip: folders, from the outermost, whose names say nothing."""
    found = [_classify(file, images, masks, objects, skip) for file in files]
    aside = []
    if any(f.placed and not f.is_mask for f in found):
        aside = [f.path for f in found if not f.placed and not f.is_mask]
        found = [f for f in found if f.placed or f.is_mask]
    elif images is not None:
        raise Mistake(
            f"data.images is {images!r}, in which no picture lies. Pictures lie, for"
            f" example, here: {listed(files[:3])}."
        )
    twins = _unwanted_twins(found, objects)
    aside += [f.path for f in twins]
    found = [f for f in found if f not in twins]
    couples, doubles, found = _couple(found, lambda f: (f.split, f.at, f.stem))
    for looser in (
        lambda f: (f.split, f.stem),
        lambda f: (f.split, f.at, f.stem if f.is_mask else _bare_picture(f.stem)),
    ):
        more, _, found = _couple(found, looser, surely=False)
        near = [(p, m) for p, m in more if _is_kin(p.at, m.at)]
        found += [file for pair in more if pair not in near for file in pair]
        couples += near
    return Matched(
        _named(couples),
        [f.path for f in found if not f.is_mask],
        [f.path for f in found if f.is_mask],
        doubles,
        aside,
    )


def _is_kin(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two places may be of the same picture: one has what the other has, and
    goes on, as p1 and p1/lesion do, and p1 and p2 do not."""
    short, long = sorted((one, other), key=len)
    return not short or long[: len(short)] == short or long[-len(short) :] == short


def _unwanted_twins(files: list[_File], objects: bool) -> set[_File]:
    """Masks as JPEG that lie there without loss as well, and masks of objects where
    those of classes are wanted and there, or the other way round."""
    places: dict[tuple, list[_File]] = collections.defaultdict(list)
    for file in files:
        if file.is_mask:
            places[file.split, file.at, file.stem].append(file)
    found: set[_File] = set()
    for twins in places.values():
        lossy = [f for f in twins if f.path.lower().endswith((".jpg", ".jpeg"))]
        if len(lossy) < len(twins):
            found.update(lossy)
        other = [
            f
            for f in twins
            if bool(_OF_OBJECTS.search(_place(f.path).lower())) != objects
        ]
        if len(other) < len(twins):
            found.update(other)
    return found


def _couple(files: list[_File], key: Callable, surely: bool = True):
    """Those that alone have the same key; sentences on the keys of several; the rest.

    surely: the key tells that they belong together; else several are simply no match.
    """
    by_key = collections.defaultdict(list)
    for file in files:
        by_key[key(file)].append(file)
    couples: list[tuple[_File, _File]] = []
    told: list[str] = []
    rest: list[_File] = []
    for group in by_key.values():
        pictures = [f for f in group if not f.is_mask]
        masks = [f for f in group if f.is_mask]
        if len(pictures) == len(masks) == 1:
            couples.append((pictures[0], masks[0]))
        elif pictures and masks and surely:
            several, what, one = masks, "masks", pictures[0]
            if len(masks) == 1:
                several, what, one = pictures, "pictures", masks[0]
            told.append(
                f"{shown(one.path)} has {len(several)} {what}:"
                f" {listed([f.path for f in several])}. Leave one. Masks of one object"
                " each are joined by --config.data.objects=true, if they are called as"
                " the picture and numbered: a_1.png, a_2.png."
            )
        else:
            rest += group
    return couples, told, rest


def _named(couples: list[tuple[_File, _File]]) -> list[Pair]:
    """Each with the name of its picture, in order of their paths."""
    couples = sorted(couples)
    names = short_names([picture.path for picture, _ in couples])
    return [
        Pair(name, picture.path, mask.path, picture.split)
        for name, (picture, mask) in zip(names, couples)
    ]


def short_names(files: list[str]) -> list[str]:
    """The shortest name of each that is its own."""
    paths = [PurePosixPath(file) for file in files]
    stems = collections.Counter(path.stem for path in paths)
    return [p.stem if stems[p.stem] == 1 else str(p.with_suffix("")) for p in paths]


def is_mask(file: str) -> bool:
    """Whether a file is taken for a mask, of classes or of objects, by its folders'
    names or by its own."""
    return _classify(file, None, None, True, 0).is_mask


def _classify(
    file: str, images: str | None, masks: str | None, objects: bool, skip: int
) -> _File:
    """What a file is, by the nearest of its folders whose name says so."""
    path = PurePosixPath(file)
    stem = unicodedata.normalize("NFC", path.stem.lower())
    split, kind, at = "", "", []
    for folder in reversed(path.parent.parts[skip:]):
        word = folder.lower()
        says = "mask" if says_masks(word, objects) else ""
        says = says or ("picture" if says_pictures(word) else "")
        of_split = says_split(word)
        if not says and not of_split:
            at.append(word)
        split = split or of_split
        kind = kind or says
    bare = bare_mask(stem)
    is_mask = kind == "mask" or (not kind and bare != stem)
    placed = bool(kind or split)
    if images is not None:
        placed = path.is_relative_to(images)
        is_mask = is_mask and not placed
    if masks is not None:
        other_mask = is_mask
        is_mask = lies_in_masks(path, images, masks)
        placed = placed and not (other_mask and not is_mask)
    return _File(file, bare if is_mask else stem, tuple(at), split, is_mask, placed)


def lies_in_masks(path: PurePosixPath, images: str | None, masks: str) -> bool:
    """Whether a file lies in the folder that is said to hold the masks, and not in one
    inside it that is said to hold the pictures."""
    if images is not None and PurePosixPath(images).is_relative_to(masks):
        return path.is_relative_to(masks) and not path.is_relative_to(images)
    return path.is_relative_to(masks)


def bare_mask(stem: str) -> str:
    """A mask's name without what says that it is a mask."""
    return _PREFIX.sub("", _SUFFIX.sub("", stem)) or stem


def _bare_picture(stem: str) -> str:
    return _OF_PICTURE.sub("", stem)
