"""Masks of one object each: which files are the objects of one picture, by their names
alone."""

import collections
import os
import re
import unicodedata
from pathlib import PurePosixPath

from segjax.data._folder.pairs import OF_MASKS, SPLIT_WORDS, bare_mask

_NUMBER = re.compile(
    r"[ _.-]((masks?|objects?|obj|instances?|inst|cells?|nucle(us|i))[ _.-]?)?\d+$"
)


def gather(files: list[str], masks: str | None) -> dict[str, tuple[str, ...]]:
    """The files of each picture's objects, by the name that a mask of all of them would
    have: masks/a.png for masks/a/*.png, for masks/a_1.png, masks/a_2.png, and for
    a/masks/*.png, where there is a picture a.

    masks: the folder of masks, where names do not tell.
    """
    shared = os.path.commonpath([os.path.dirname(file) for file in files] or [""])
    inside = {file: _inside(file, shared, masks) for file in files}
    pictures = {
        end
        for file in files
        if inside[file] is None
        for end in _ends(_words(PurePosixPath(file).with_suffix("").parts))
    }
    found: dict[str, list[str]] = collections.defaultdict(list)
    for file, folders in inside.items():
        whole = folders is not None and _whole(file, folders, pictures)
        if whole:
            found[whole].append(file)
    taken = set(files)
    return {whole: tuple(of) for whole, of in found.items() if whole not in taken}


def _inside(file: str, shared: str, masks: str | None) -> tuple[str, ...] | None:
    """The folders between the folder of masks and the file, or None if it is in no such
    folder. The outermost one decides, as an object's folder is called as its picture,
    which may be image_1; one that holds all files tells nothing."""
    folders = PurePosixPath(file).parent
    if masks is not None:
        inside = folders.is_relative_to(masks)
        return folders.relative_to(masks).parts if inside else None
    parts = folders.relative_to(shared).parts
    for k, folder in enumerate(parts):
        if OF_MASKS.search(folder.lower()):
            return parts[k + 1 :]
    return None


def _whole(
    file: str, folders: tuple[str, ...], pictures: set[tuple[str, ...]]
) -> str | None:
    """What a mask of all objects would be called, if the file is of one of them."""
    path = PurePosixPath(file)
    inner = tuple(w for w in _words(folders) if w not in SPLIT_WORDS)
    stem = bare_mask(*_words([path.stem]))
    number = _NUMBER.search(stem)
    if (*inner, stem) in pictures:  # a mask of all, as others have
        return None
    if number and (*inner, stem[: number.start()]) in pictures:
        # as in the file's own spelling: what is before the number is as long
        return str(path.with_name(stem[: number.start()] + ".png"))
    if inner and inner in pictures:
        return f"{path.parent}.png"
    owner = path.parents[len(folders) + 1].name
    if not inner and tuple(_words([owner])) in pictures:
        return str(path.with_name(f"{owner}.png"))
    return None


def _words(names) -> list[str]:
    return [unicodedata.normalize("NFC", name).lower() for name in names]


def _ends(words: list[str]) -> list[tuple[str, ...]]:
    """c, b/c and a/b/c of a/b/c."""
    return [tuple(words[k:]) for k in range(len(words))]
