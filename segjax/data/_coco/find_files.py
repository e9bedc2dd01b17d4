"""Which files are annotations, of which form and split, and which are pictures."""

import json
import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from segjax.base import Mistake
from segjax.data._coco.legend import FORMS, INSTANCES, KEYPOINTS, PANOPTIC
from segjax.data._intake import Files, listed, shown

_NAMED = re.compile(r"(panoptic|instances|person_keypoints)_(\w+)\.json")
_FORM = {
    "panoptic": PANOPTIC,
    "instances": INSTANCES,
    "person_keypoints": KEYPOINTS,
}
_SHOWS = {"segments_info": PANOPTIC, "keypoints": KEYPOINTS, "segmentation": INSTANCES}
_PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff")
_MOST_BYTES = 2**31  # of a file of annotations; the largest of COCO has 2**29


class Source(NamedTuple):
    """A file of annotations."""

    file: str
    form: str
    split: str  # as its name says, "train2017"; "" for one that is not named so


def find_sources(files: Files) -> list[Source]:
    """The files of annotations: those with COCO's names, <form>_<split>.json, at any
    depth; where there are none, every JSON file that holds such annotations."""
    texts = [f for f in _seen(files) if f.lower().endswith(".json")]
    named = [(f, _NAMED.fullmatch(PurePosixPath(f).name)) for f in texts]
    sources = [Source(f, _FORM[found[1]], found[2]) for f, found in named if found]
    if sources:
        return sources
    if len(texts) == 1:
        read_json(files, texts[0])  # what is wrong with it is to be told
    return [Source(f, form, "") for f in texts if (form := _form(files, f))]


def one_form(files: Files) -> str:
    """The form that the annotations have, or a Mistake where there are none or more
    than one."""
    forms = {source.form for source in find_sources(files)}
    if not forms:
        zips = [f for f in files.names if f.lower().endswith(".zip")]
        unpack = f" Unpack {shown(zips[0])} first." if zips else ""
        raise Mistake(
            f"{shown(files.where)} holds no annotations of COCO, panoptic_*.json,"
            " instances_*.json or person_keypoints_*.json; give the folder that holds"
            f" them and the pictures.{unpack}"
        )
    if len(forms) > 1:
        found = [form for form in FORMS if form in forms]
        raise Mistake(
            f"{shown(files.where)} holds annotations of {' and '.join(found)}; say"
            f" which with --annotations {found[0]}."
        )
    return forms.pop()


def by_split(sources: list[Source]) -> dict[str, Source]:
    """The file of train and that of val, or the only one; or a Mistake."""
    if len(sources) == 1:
        return {"": sources[0]}
    found: dict[str, Source] = {}
    for split in ("train", "val"):
        of_split = [s for s in sources if s.split.startswith(split)]
        if len(of_split) > 1:
            raise Mistake(_several([s.file for s in of_split]))
        found |= {split: of_split[0]} if of_split else {}
    if len(found) < len(sources):
        raise Mistake(_several([source.file for source in sources]))
    return found


def read_json(files: Files, name: str) -> Any:
    """What a JSON file holds, or a Mistake."""
    try:
        return json.loads(files.read(name, most=_MOST_BYTES))
    except (ValueError, RecursionError) as error:
        what = str(error)[:80] if isinstance(error, ValueError) else "nested too deep"
        raise Mistake(f"{shown(name)} is not JSON ({what}); get it anew.") from None


class Pictures:
    """Pictures found by the names that annotations give them."""

    def __init__(self, files: Files):
        self._by_name: dict[str, list[str]] = {}
        for file in _seen(files):
            if file.lower().endswith(_PICTURES):
                self._by_name.setdefault(PurePosixPath(file).name, []).append(file)

    def find(self, name: str, folder: str, what: str, but: str = "") -> str:
        """The file of this name, which may begin with folders; of several the one in
        the folder. Or a Mistake. but: a file that is another thing."""
        wanted = PurePosixPath(name.replace("\\", "/"))
        found = [f for f in self._by_name.get(wanted.name, []) if f != but]
        for closer in (wanted.parent.name, folder):
            inside = [f for f in found if PurePosixPath(f).parent.name == closer]
            found = inside if closer and inside else found
        if len(found) == 1:
            return found[0]
        if found:
            raise Mistake(
                f"{what} is there {len(found)} times: {listed(found)}; leave one."
            )
        raise Mistake(f"{what} is missing; put it where the others lie.")

    def others(self, known: Iterable[str]) -> list[str]:
        """The files in the folders of the known ones that are not among them."""
        known = set(known)
        folders = {PurePosixPath(file).parent for file in known}
        every = (file for found in self._by_name.values() for file in found)
        others = (f for f in every if PurePosixPath(f).parent in folders)
        return sorted(set(others) - known)


def _seen(files: Files) -> list[str]:
    """Without what a Mac adds."""
    return [f for f in files.names if "__MACOSX/" not in f and "/._" not in f"/{f}"]


def _form(files: Files, name: str) -> str | None:
    """The form of a JSON file's annotations; None for a file of another kind."""
    try:
        content = read_json(files, name)
    except Mistake:
        return None
    marks = content.get("annotations") if isinstance(content, dict) else None
    if not isinstance(marks, list) or not all(isinstance(m, dict) for m in marks):
        return None
    return next((_SHOWS[key] for key in _SHOWS if any(key in m for m in marks)), None)


def _several(found: list[str]) -> str:
    return (
        f"There are {len(found)} files of annotations: {listed(found)}. Say which with"
        " --annotations and a part of its name."
    )
