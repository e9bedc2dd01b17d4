"""What a folder of pictures and joints holds, looked at before anything is trained."""

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np

from segjax.base import Mistake
from segjax.data._folder.pairs import Pair
from segjax.data._folder.read_picture import Header, look_inside
from segjax.data._folder.survey import find_white, stamp, told_of_headers
from segjax.data._intake import Files, listed, shown
from segjax.data._joints.find_people import Found, find_people, joint_files
from segjax.data._joints.keypoints import Labelled, find_third, label
from segjax.data._joints.known import Skeleton
from segjax.data._joints.places import look_at_places
from segjax.data._joints.skeleton import Told, as_tuples, find_skeleton
from segjax.data._records.scan import in_threads

WHERE = ("dir", "images", "table")  # options that say which files
SKELETON = ("joints", "limbs", "mirror")  # and what the joints are
_MIDDLE = 2  # joints that may all lie in the middle of a body
_OF_TURNED = "joints are taken to lie on the picture as it is turned"


class Survey(NamedTuple):
    """What was found. Problems stop a training; what is told does not."""

    skeleton: Skeleton | None  # None where a problem says why
    third: str | None  # what the third number of a joint says
    white: float | None  # of pictures of more than 8 bits
    people: int  # the most that a picture shows
    told: list[str]
    problems: list[str]
    pairs: list[Pair]  # pictures with their joints

    @property
    def known(self) -> bool:
        """Whether it is known which joints there are."""
        return self.skeleton is not None


def survey(**options) -> Survey:
    """All that the folder's files tell, by the options that say which and how."""
    frozen = tuple((k, as_tuples(v)) for k, v in sorted(options.items()))
    root = Path(options["dir"])
    return _survey(frozen, stamp(root, joint_files(root)))


@functools.lru_cache(maxsize=2)  # train, val and test ask in turn
def _survey(frozen: tuple, seen: str) -> Survey:
    """seen: what changes with the files."""
    options = dict(frozen)
    found = find_people(**{k: options[k] for k in WHERE if k in options})
    file = found.written.told.file
    told, problems = _told_of_match(found), [*found.problems]
    if not found.pairs:
        return Survey(None, None, None, 0, told, problems, [])
    try:
        third, of_third = find_third(found, options.get("third"))
        said = Told(**{k: options[k] for k in SKELETON if k in options})
        known = find_skeleton(found.written.number, file, said, found.written.told)
    except Mistake as mistake:
        return Survey(None, None, None, 0, told, [*problems, str(mistake)], [])
    labelled = label(found, third)
    pairs = [pair for pair in found.pairs if pair.image in labelled.keypoints]
    if not pairs:
        problems.append(
            f"No joint is labelled in any picture of {shown(file)}: {of_third}."
        )
    several = [i for i, points in labelled.keypoints.items() if len(points) > 1]
    if several and not known.limbs:
        problems.append(
            f"{shown(several[0])} shows several people, who are told apart along limbs,"
            f' and no limbs are named. Add "limbs": [[joint, joint], ...] to'
            f" {shown(file)}, or set data.limbs."
        )
    files = Files(Path(options["dir"]), [], [])
    headers, wrong = _headers(files, pairs)
    white, of_white, of_depth = find_white(files, headers, options)
    outside, misplaced = look_at_places(labelled.keypoints, headers, known.joints, file)
    mirror_said = any(of.mirror is not None for of in (said, found.written.told))
    told += [*_told_of_joints(labelled, pairs, known), of_third, *outside]
    told += [] if mirror_said else _told_of_sides(known)
    told += told_of_headers(headers, _OF_TURNED) + of_white
    problems += wrong + of_depth + misplaced
    most = max((len(points) for points in labelled.keypoints.values()), default=0)
    return Survey(known, third, white, most, told, problems, pairs)


def _headers(files: Files, pairs: list[Pair]) -> tuple[list[Header], list[str]]:
    """The headers of the pictures, and sentences on those that have none."""

    def look(pair: Pair) -> Header | str:
        try:
            return look_inside(files.read(pair.image), pair.image)
        except Mistake as mistake:
            return str(mistake)

    looks = list(in_threads(look, pairs))
    headers = [one for one in looks if isinstance(one, Header)]
    return headers, [one for one in looks if isinstance(one, str)]


def _told_of_match(found: Found) -> list[str]:
    told = []
    file, images = found.written.told.file, list(found.people)
    if found.written.by_order:
        told.append(
            f"{shown(file)} names no pictures; its joints are taken in the order of"
            f" their names, from {shown(images[0])} to {shown(images[-1])}"
        )
    for what, names in (
        ("no joints, so left out", found.lone_images),
        ("joints without a picture, so left out", found.lone_names),
        ("left aside", found.aside),
    ):
        if names:
            told.append(f"{what}: {len(names)}, {listed(names, 3)}")
    return told


def _told_of_sides(skeleton: Skeleton) -> list[str]:
    """What a flip would teach where the names of joints tell no sides."""
    places = tuple(range(len(skeleton.joints)))
    if len(places) <= _MIDDLE or skeleton.mirror != places:
        return []
    return [
        "no two joints are left and right of each other by their names; if some are,"
        " say it by data.mirror, or set augment.flip=false: else pictures that are"
        " flipped teach that left is right"
    ]


def _told_of_joints(
    labelled: Labelled, pairs: list[Pair], skeleton: Skeleton
) -> list[str]:
    """How many joints and people there are, and what they are called."""
    if not pairs:
        return []
    points = [labelled.keypoints[pair.image] for pair in pairs]
    counts = [len(people) for people in points]
    known = np.concatenate(points)[..., 2] > 0
    several = (
        f"{min(counts)} to {max(counts)} people" if max(counts) > 1 else "a person"
    )
    names = skeleton.joints
    sides = sum(other > k for k, other in enumerate(skeleton.mirror))
    whose = f", taken for {skeleton.name}'s by their number" if skeleton.name else ""
    told = [
        f"{len(pairs):,} pictures with joints, such as {shown(pairs[0].image)};"
        f" {several} in each",
        f"{len(names)} joints{whose}: {', '.join(names)}",
        f"{len(skeleton.limbs)} limbs; {sides} pairs change places in a mirror",
        f"{known.sum():,} of {known.size:,} joints are labelled",
    ]
    never = [names[k] for k in np.flatnonzero(~known.any(0))]
    if never:
        told.append(f"never labelled: {listed(never)}")
    if labelled.bare:
        told.append(
            f"no joint labelled, so left out: {len(labelled.bare)},"
            f" {listed(labelled.bare, 3)}"
        )
    if labelled.people_bare:
        told.append(f"people without a joint, so left out: {labelled.people_bare:,}")
    return told
