"""Which files are annotations, of which form and split, and which are pictures."""

import functools
import json
import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from segjax.base import Mistake
from segjax.data._coco.legend import FORMS, INSTANCES, KEYPOINTS, PANOPTIC
from segjax.data._intake import Files, listed, shown

_NAMED = re.compile(
    r"(panoptic|instances|person_keypoints)_(?!coco_categories)(.+)\.json"
)
_FORM = {
    "panoptic": PANOPTIC,
    "instances": INSTANCES,
    "person_keypoints": KEYPOINTS,
}
_SHOWS = {"segments_info": PANOPTIC, "keypoints": KEYPOINTS, "segmentation": INSTANCES}
_SPLITS = ("train", "val", "test")
_PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff")
_MOST_BYTES = 2**31  # of a file of annotations; the largest of COCO has 2**29


class Source(NamedTuple):
    """A file of annotations."""

    file: str
    form: str
    split: str  # as its name or a folder's says, "train2017"; "" where none does
    content: Any = None  # where it had to be read to know its form


@functools.lru_cache(maxsize=1)  # asked for by form and by pictures; large files
def find_sources(files: Files) -> list[Source]:
    """The files of annotations: those with COCO's names, <form>_<split>.json, at any
    depth; where there are none, every JSON file that holds such annotations."""
    texts = json_files(files)
    named = [(f, _NAMED.fullmatch(PurePosixPath(f).name)) for f in texts]
    sources = [
        Source(f, _FORM[found[1]], _split(f, found[2]) or found[2])
        for f, found in named
        if found
    ]
    if sources:
        return sources
    for file in texts:
        try:
            content = read_json(files, file)
        except Mistake:
            if len(texts) == 1:
                raise  # no other can be meant
            continue
        if form := _form(content):
            split = _split(file, PurePosixPath(file).stem)
            sources.append(Source(file, form, split, content))
    return sources


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
    """The files of train, val and test, or "" and the only one; or a Mistake. Where
    there is none of test, as COCO's own has no annotations, val is tested."""
    if len(sources) == 1:
        return {"": sources[0]}
    found: dict[str, Source] = {}
    for split in _SPLITS:
        of_split = [s for s in sources if s.split.lower().startswith(split)]
        if len(of_split) > 1:
            raise Mistake(_several([s.file for s in of_split]))
        found |= {split: of_split[0]} if of_split else {}
    if len(found) < len(sources) or "train" not in found:
        raise Mistake(_several([source.file for source in sources]))
    return found if "test" in found else {"train": found["train"], "test": found["val"]}


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
        self.by_name_alone: list[str] = []  # found so
        self._by_name: dict[str, list[str]] = {}
        self._folders: set[tuple[str, str]] = set()  # with the endings below them
        for file in _seen(files):
            if file.lower().endswith(_PICTURES):
                *folders, own = PurePosixPath(file).parts
                self._by_name.setdefault(own, []).append(file)
                self._folders.update((f, PurePosixPath(own).suffix) for f in folders)

    def find(self, name: str, folder: str, what: str, but: str = "") -> str:
        """The file of this name, which may begin with folders; of several the one in
        the folder, and without folders no other, if the folder has such files. Or a
        Mistake. but: the end of a path that is another thing."""
        wanted, elsewhere = _path(name)
        called = self._by_name.get(wanted.name, [])
        called = [f for f in called if not but or not _ends_with(f, but)]
        # whichever begins further out
        found = [f for f in called if _ends_with(f, wanted) or _ends_with(wanted, f)]
        inside = [f for f in found if folder in PurePosixPath(f).parts[:-1]]
        bound = len(wanted.parts) == 1 and (folder, wanted.suffix) in self._folders
        found = inside if inside or bound else found
        if elsewhere and not found and len(called) == 1:
            self.by_name_alone += called
            return called[0]
        if len(found) == 1:
            return found[0]
        if found:
            raise Mistake(
                f"{what} is there {len(found)} times: {listed(found)}; leave one, or"
                " name its folder in 'file_name'."
            )
        other = f" ({listed(called)} lies elsewhere)" if called else ""
        raise Mistake(f"{what} is missing{other}; put it where the others lie.")

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


def json_files(files: Files) -> list[str]:
    return [f for f in _seen(files) if f.lower().endswith(".json")]


def _split(file: str, name: str) -> str:
    """What says of which split a file is: its name, or the nearest of its folders."""
    words = (name, *reversed(PurePosixPath(file).parts[:-1]))
    return next((word for word in words if word.lower().startswith(_SPLITS)), "")


def _path(name: str) -> tuple[PurePosixPath, bool]:
    """A picture's path as annotations tell it, and whether it begins on the machine
    where they were written."""
    path = PurePosixPath(name.replace("\\", "/"))
    parts = [part for part in path.parts if part not in ("..", path.anchor)]
    return PurePosixPath(*parts), path.is_absolute() or ":" in name


def _ends_with(path: str | PurePosixPath, end: str | PurePosixPath) -> bool:
    return f"/{path}".endswith(f"/{end}")


def _form(content: Any) -> str | None:
    """The form of the annotations in a JSON file; None for a file of another kind."""
    marks = content.get("annotations") if isinstance(content, dict) else None
    if not isinstance(marks, list) or not all(isinstance(m, dict) for m in marks):
        return None
    return next((_SHOWS[key] for key in _SHOWS if any(key in m for m in marks)), None)


def _several(found: list[str]) -> str:
    return (
        f"There are {len(found)} files of annotations: {listed(found)}. Say which with"
        " --annotations and a part of its path, or take the others out."
    )
