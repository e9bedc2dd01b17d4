"""The pictures of a user's folder with the people that its joints say are in them."""

import functools
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from segjax.base import Mistake
from segjax.data._folder.pairs import Matched, Pair, short_names
from segjax.data._folder.picture_files import picture_files
from segjax.data._folder.splits import by_table, read_table
from segjax.data._folder.survey import stamp
from segjax.data._folder.words import says_split
from segjax.data._intake import MOST_BYTES, Files, listed, shown
from segjax.data._joints.match import match, placed, split_of
from segjax.data._joints.read_json import Written, read_json
from segjax.data._joints.read_mat import read_joints_mat

_NAMES = ("joints.json", "joints.mat")


class Found(NamedTuple):
    """Pictures with their people, and what was left over."""

    pairs: list[Pair]
    people: dict[str, np.ndarray]  # of each picture, as they are written  f64[p,j,3]
    written: Written  # a file of joints, for what it says of all
    lone_images: list[str]
    lone_names: list[str]  # of joints
    aside: list[str]  # pictures in no folder of pictures, or not in the table
    problems: list[str]


def find_people(dir: str, images: str | None = None, table: str | None = None) -> Found:
    """The folder's pictures with their people, or a Mistake if there are none."""
    root = Path(dir)
    if images is not None and not (root / images).is_dir():
        raise Mistake(f"data.images is {images!r}, which is no folder in {shown(dir)}.")
    files = joint_files(root)
    if not files:
        raise _no_joints(root)
    if len({PurePosixPath(file).parent for file in files}) < len(files):
        raise Mistake(f"There are {listed(files)}; leave one of each folder.")
    return _find(root, tuple(files), images, table, stamp(root, files))


def joint_files(root: Path) -> list[str]:
    """The files of joints: the folder's own, or those of the splits in it."""
    found = _called_so(root)
    if not found:
        inside = [p for p in sorted(root.iterdir()) if p.is_dir()]
        splits = [folder for folder in inside if says_split(folder.name)]
        found = [file for folder in splits for file in _called_so(folder)]
    return [str(file.relative_to(root)) for file in found]


@functools.lru_cache(maxsize=2)  # train, val and test ask in turn
def _find(
    root: Path, files: tuple[str, ...], images: str | None, table: str | None, seen: str
) -> Found:
    """seen: what changes with the files."""
    every = picture_files(root)
    parts = [(file, _near(file, every, images)) for file in files]
    written = [_read(root, file, pictures) for file, pictures in parts]
    _check_alike(written)
    matched = [
        match(one, file, pictures, root, str(PurePosixPath(file).parent))
        for one, (file, pictures) in zip(written, parts)
    ]
    people = {image: of for part in matched for image, of in part.people.items()}
    taken = {picture for _, pictures in parts for picture in pictures}
    pictures = sorted(people)
    pairs = [
        Pair(name, image, split=split_of(image))
        for name, image in zip(short_names(pictures), pictures)
    ]
    found = Found(
        pairs,
        people,
        written[0],
        [image for part in matched for image in part.lone_images],
        [name for part in matched for name in part.lone_names],
        [image for image in every if image not in taken],
        [line for one in written for line in one.problems]
        + [line for part in matched for line in part.problems],
    )
    if not pairs and not found.problems:
        raise _no_match(root, found)
    return found if table is None else _of_table(found, table, root)


def _near(file: str, every: list[str], images: str | None) -> list[str]:
    """The pictures that a file of joints speaks of: those in its folder."""
    folder = PurePosixPath(file).parent
    near = placed(
        [one for one in every if PurePosixPath(one).is_relative_to(folder)], images
    )
    if not near:
        where = f"data.images, {images!r}," if images else "its folder"
        raise Mistake(
            f"{shown(file)} speaks of pictures, and {where} holds none. Where are they?"
            " --config.data.images=FOLDER"
        )
    return near


def _read(root: Path, file: str, pictures: list[str]) -> Written:
    data = Files(root, [], []).read(file, most=MOST_BYTES)
    if file.lower().endswith(".mat"):
        return read_joints_mat(data, file, pictures)
    return read_json(data, file)


def _check_alike(written: list[Written]) -> None:
    """A Mistake unless the joints of all files are the same."""
    first, *others = written
    for other in others:
        same = other.told._replace(file=first.told.file) == first.told
        if not same or (other.number, other.third) != (first.number, first.third):
            raise Mistake(
                f"{shown(first.told.file)} and {shown(other.told.file)} tell of"
                f" other joints ({first.number} and {other.number}), limbs or mirrors;"
                " a joint must be the same in both."
            )


def _of_table(found: Found, table: str, root: Path) -> Found:
    """The pairs that a table names, with its columns."""
    rows = read_table(Files(root, [], []).read(table), table)
    matched = Matched(found.pairs, found.lone_images, [], [], found.aside)
    pairs = by_table(rows, table, matched, root, what="joints")
    people = {pair.image: found.people[pair.image] for pair in pairs}
    rest = [image for image in found.people if image not in people]
    rest += found.lone_images + found.aside
    return found._replace(pairs=pairs, people=people, lone_images=[], aside=rest)


def _called_so(folder: Path) -> list[Path]:
    try:
        return sorted(p for p in folder.iterdir() if p.name.lower() in _NAMES)
    except OSError as error:
        raise Mistake(f"{shown(folder)} cannot be read: {error.strerror}.") from None


def _no_joints(root: Path) -> Mistake:
    inside = sorted(p for p in root.glob("*/*") if p.name.lower() in _NAMES)
    others = sorted(p.name for p in root.glob("*.*") if p.suffix in (".json", ".mat"))
    hint = ""
    if inside:
        hint = f" There are some in {shown(inside[0].parent)}: set data.dir to it."
    elif others:
        hint = f" There is {listed(others)}; if it holds them, call it joints."
    return Mistake(
        f"{shown(root)} holds no joints.json and no joints.mat, which say where the"
        f" joints are in the pictures of images/.{hint}"
    )


def _no_match(root: Path, found: Found) -> Mistake:
    return Mistake(
        f"{shown(root)} holds {len(found.lone_images)} pictures, such as"
        f" {listed(found.lone_images, 2)}, and joints of {len(found.lone_names)}, such"
        f" as {listed(found.lone_names, 2)}; no names match. Name the pictures in"
        f" {shown(found.written.told.file)} as their files are called."
    )
