"""Which pictures are meant: files, folders, patterns."""

import glob
import itertools
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from segjax.base import Mistake

SETTINGS = ".prediction.json"  # what a folder of predictions is known by
ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif", ".webp", ".ppm")


class Input(NamedTuple):
    """A picture, and the name that its output goes by."""

    path: Path
    name: str


def find_inputs(words: Sequence[str], out: Path) -> list[Input]:
    """The pictures, each once, in order; a Mistake for a word that means none."""
    found: dict[Path, str] = {}
    for word in words:
        if Path(word).expanduser().resolve() == out.resolve():
            raise Mistake(
                f"--out is {out}, where the pictures are. Predictions go to a folder of"
                " their own."
            )
        for path, name in _meant_by(word):
            if path.resolve().parent == out.resolve():
                raise Mistake(
                    f"--out is {out}, the folder that {path.name} is in. Predictions go"
                    " to a folder of their own."
                )
            found.setdefault(path.resolve(), name)
    return _with_own_names(found)


def _meant_by(word: str) -> Iterator[tuple[Path, str]]:
    """The pictures that a word means, each with its place below what was named. A
    prediction is none, unless it is named itself."""
    path = Path(os.path.expanduser(word))
    if path.is_file():
        yield path, path.stem
        return
    if path.is_dir():
        above, found = path, [p for p in sorted(path.rglob("*")) if _is_picture(p)]
        missing = f"holds no picture ({', '.join(ENDINGS)})"
    elif glob.has_magic(str(path)):
        above = Path(*itertools.takewhile(lambda p: not glob.has_magic(p), path.parts))
        matches = sorted(glob.glob(str(path), recursive=True))
        found = [Path(match) for match in matches if Path(match).is_file()]
        missing = "matches no file"
    else:
        raise Mistake(f"{word} is not there.")
    inside = [p for p in found if not _is_predicted(p)]
    if not inside:
        also = " but predictions" if found else ""
        raise Mistake(f"{word} {missing}{also}.")
    yield from ((p, str(p.relative_to(above).with_suffix(""))) for p in inside)


def _is_predicted(path: Path) -> bool:
    """Whether it lies in a folder of predictions."""
    return any((above / SETTINGS).is_file() for above in path.resolve().parents)


def _is_picture(path: Path) -> bool:
    hidden = path.name.startswith(".")  # or what a Mac leaves beside each file
    return path.suffix.lower() in ENDINGS and path.is_file() and not hidden


def _with_own_names(found: dict[Path, str]) -> list[Input]:
    """Two that would go by one name keep their endings; then they are numbered."""
    for longer in (lambda path, name: name + path.suffix.replace(".", "_"), None):
        often = Counter(found.values())
        if max(often.values(), default=1) == 1:
            break
        for place, (path, name) in enumerate(found.items()):
            if often[name] > 1:
                found[path] = longer(path, name) if longer else f"{name}_{place}"
    return [Input(path, name) for path, name in found.items()]
