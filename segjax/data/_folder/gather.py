"""Masks of one object each: which files are the objects of one picture, by their names
alone."""

import collections
import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

from segjax.data._folder.pairs import bare_mask, lies_in_masks
from segjax.data._folder.words import SPLIT_WORDS, says_masks
from segjax.data._intake import listed, shown

_NUMBER = re.compile(
    r"[ _.-]((masks?|objects?|obj|instances?|inst|cells?|nucle(us|i))[ _.-]?)?\d+$"
)


class _Mask(NamedTuple):
    path: PurePosixPath
    at: PurePosixPath  # the folder of masks
    inner: tuple[str, ...]  # folders between the two, but for those of splits
    stem: str  # without what says that it is a mask


_Names = set[tuple[str, ...]]  # of pictures: c, b/c and a/b/c of a/b/c


def gather(
    files: list[str], images: str | None, masks: str | None
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """The files of each picture's objects, by the name that a mask of all of them would
    have: masks/a.png for masks/a/*.png, for masks/a_1.png, masks/a_2.png, and for
    a/masks/*.png, where there is a picture a; and sentences on files in doubt.

    images, masks: the folders of each, where names do not tell.
    """
    shared = os.path.commonpath([os.path.dirname(file) for file in files] or [""])
    every: list[_Mask] = []
    pictures: _Names = set()
    for path in map(PurePosixPath, files):
        at = _folder_of_masks(path, shared, images, masks)
        if at is None:
            pictures.update(_ends(_words(path.with_suffix("").parts)))
        else:
            folders = _words(path.parent.relative_to(at).parts)
            inner = tuple(word for word in folders if word not in SPLIT_WORDS)
            every.append(_Mask(path, at, inner, bare_mask(*_words([path.stem]))))
    wholes = [m for m in every if (*m.inner, m.stem) in pictures]
    rest = [m for m in every if (*m.inner, m.stem) not in pictures]
    numbered = [_by_number(mask, pictures) for mask in rest]
    several = max(collections.Counter(filter(None, numbered)).values(), default=0) > 1
    # else f_3 beside g and h is the mask of a picture that is not there
    unnumbered = set() if several else {mask.at for mask in wholes}
    found: dict[str, list[str]] = collections.defaultdict(list)
    for mask, whole in zip(rest, numbered):
        by_number = None if mask.at in unnumbered else whole
        owner = by_number or _by_folder(mask, pictures)
        if owner:
            found[owner].append(str(mask.path))
    doubts = _doubts(wholes, pictures, found, several)
    return {whole: tuple(parts) for whole, parts in found.items()}, doubts


def _folder_of_masks(
    path: PurePosixPath, shared: str, images: str | None, masks: str | None
) -> PurePosixPath | None:
    """The folder of masks that a file is in, if it is in one. The outermost decides, as
    an object's folder is called as its picture, which may be image_1; one that holds
    all files tells nothing."""
    if masks is not None:
        return PurePosixPath(masks) if lies_in_masks(path, images, masks) else None
    if images is not None and path.is_relative_to(images):
        return None
    folders = path.parent.relative_to(shared).parts
    for k, folder in enumerate(folders):
        if says_masks(folder, objects=True):
            return PurePosixPath(shared, *folders[: k + 1])
    return None


def _by_number(mask: _Mask, pictures: _Names) -> str | None:
    """masks/a.png of masks/a_1.png"""
    number = _NUMBER.search(mask.stem)
    owner = mask.stem[: number.start()] if number else ""
    return _beside(mask.path, owner) if (*mask.inner, owner) in pictures else None


def _by_folder(mask: _Mask, pictures: _Names) -> str | None:
    """masks/a.png of masks/a/1.png, and a/masks/a.png of a/masks/1.png"""
    if mask.inner in pictures:
        return _beside(mask.path.parent, *_words([mask.path.parent.name]))
    [owner] = _words([mask.at.parent.name])
    if not mask.inner and (owner,) in pictures:
        return _beside(mask.path, owner)
    return None


def _doubts(
    wholes: list[_Mask], pictures: _Names, found: dict[str, list[str]], several: bool
) -> list[str]:
    """Sentences on masks of whole pictures that may be of one object, and on those that
    lie beside masks of the same picture's objects.

    several: whether a picture has several masks by number."""
    taken = {_beside(mask.path, mask.stem) for mask in wholes}
    doubts = []
    for mask in wholes:
        file, own = shown(str(mask.path)), _beside(mask.path, mask.stem)
        other = _by_number(mask, pictures) if several else None
        if other and other not in taken:
            owner = PurePosixPath(other).with_suffix("")
            doubts.append(
                f"{file} may be the mask of picture {shown(mask.stem)!r}, or of an"
                f" object of picture {shown(owner.name)!r}. Put the masks of a"
                " picture's objects in a folder called as the picture:"
                f" {shown(str(owner / '1.png'))}."
            )
        elif own in found:
            doubts.append(
                f"{file} is called as the mask of a whole picture, and"
                f" {listed(found[own], 2)} as those of its objects. Leave the one or"
                " the others."
            )
    return doubts


def _beside(path: PurePosixPath, stem: str) -> str:
    return str(path.with_name(f"{stem}.png"))


def _words(names: Iterable[str]) -> list[str]:
    return [unicodedata.normalize("NFC", name).lower() for name in names]


def _ends(words: list[str]) -> list[tuple[str, ...]]:
    return [tuple(words[k:]) for k in range(len(words))]
