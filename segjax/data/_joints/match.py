"""Pictures matched to the joints of a file, by the names that it gives them."""

import collections
import unicodedata
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from segjax.data._folder.splits import as_path
from segjax.data._folder.words import says_masks, says_pictures, says_split
from segjax.data._intake import listed, shown
from segjax.data._joints.read_json import Written


class Matches(NamedTuple):
    """What was found, and what was left over."""

    people: dict[str, np.ndarray]  # of each picture, as they are written  f64[p,j,3]
    lone_images: list[str]
    lone_names: list[str]  # of joints
    problems: list[str]


def match(
    written: Written, file: str, pictures: list[str], root: Path, inside: str
) -> Matches:
    """The people of each picture, whether it is named by its path, from the folder of
    the data or from that of the joints (inside), by its name, or by that without
    ending."""
    names = _names_of(pictures, inside)
    called: dict[str, str] = {}
    people: dict[str, np.ndarray] = {}
    lone, problems = [], []
    for name, of_name in written.people.items():
        meant = names.get(name) or names.get(_plain(name), [])
        if not meant:  # strokes, whole paths
            path = as_path(as_path(name, root / inside), root)
            meant = names.get(path) or names.get(_plain(path), [])
        if len(meant) > 1:
            problems.append(
                f"{shown(file)}: {shown(name)!r} may be {listed(meant[:-1])} or"
                f" {shown(meant[-1])}; write the file's whole name, or leave one."
            )
        elif not meant:
            lone.append(name)
        elif meant[0] in called:
            problems.append(
                f"{shown(file)} has {shown(meant[0])} twice, as"
                f" {shown(called[meant[0]])!r} and {shown(name)!r}; leave one."
            )
        else:
            called[meant[0]], people[meant[0]] = name, of_name
    alone = [picture for picture in pictures if picture not in called]
    return Matches(people, alone, lone, problems)


def placed(pictures: list[str], images: str | None) -> list[str]:
    """Those in a folder of pictures, if there is one; else those in none of masks.

    images: the folder, where names do not tell.
    """
    if images is not None:
        return [p for p in pictures if PurePosixPath(p).is_relative_to(images)]
    kinds = [_kind(picture) for picture in pictures]
    wanted = "picture" if "picture" in kinds else ""
    return [picture for picture, kind in zip(pictures, kinds) if kind == wanted]


def split_of(picture: str) -> str:
    """The split that the nearest folder says that says one, or ''."""
    folders = reversed(PurePosixPath(picture).parent.parts)
    return next((split for split in map(says_split, folders) if split), "")


def _kind(picture: str) -> str:
    """What the nearest folder that says so says of its files."""
    for folder in reversed(PurePosixPath(picture).parent.parts):
        if says_masks(folder, objects=True):
            return "mask"
        if says_pictures(folder):
            return "picture"
    return ""


def _names_of(pictures: list[str], inside: str) -> dict[str, list[str]]:
    """The pictures that a name may mean. A whole path means one alone."""
    names: dict[str, list[str]] = collections.defaultdict(list)
    whole: dict[str, list[str]] = {}
    for picture in pictures:
        path = PurePosixPath(picture)
        ways = {path, path.relative_to(inside), PurePosixPath(path.name)}
        for name in {_plain(n) for w in ways for n in (str(w), str(w.with_suffix("")))}:
            names[name].append(picture)
        whole[str(path)] = whole[str(path.relative_to(inside))] = [picture]
    return names | whole


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).lower()
