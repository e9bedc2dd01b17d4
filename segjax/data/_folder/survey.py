"""What a user's folder holds, looked at before anything is decided or trained."""

import collections
import contextlib
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from segjax.base import Mistake, check_choice
from segjax.data._folder.coding import Coding
from segjax.data._folder.find_coding import find_coding
from segjax.data._folder.find_objects import find_objects
from segjax.data._folder.find_pairs import find_pairs
from segjax.data._folder.join_objects import read_masks
from segjax.data._folder.pairs import Matched, Pair
from segjax.data._folder.picture_files import picture_files
from segjax.data._folder.read_picture import (
    Header,
    in_proportion,
    look_inside,
    read_raw,
)
from segjax.data._folder.seen import Seen, look_at
from segjax.data._intake import Files, listed, shown
from segjax.data._records.scan import in_threads

_TELL_WHITE = 8  # pictures that tell what white is
_MOST_TOLD = 5  # problems
_WHERE = ("dir", "images", "masks", "table", "objects")
_CODED = ("classes", "values", "void", "threshold", "palette")


class Survey(NamedTuple):
    """What was found. Problems stop a training; what is told does not."""

    pairs: list[Pair]
    coding: Coding  # without classes where a problem says why
    white: float | None  # of pictures of more than 8 bits
    told: list[str]
    problems: list[str]

    @property
    def known(self) -> bool:
        """Whether it is known what the masks mean."""
        return bool(self.coding.classes)


def known_coding(config: dict[str, Any]) -> Coding | None:
    """The coding, where the options say all of it, as those of a begun run do."""
    told = config.get("threshold") is not None or config.get("values")
    told = told or config.get("objects")
    if not (told and config.get("classes") and config.get("palette")):
        return None
    known = (*_CODED, "objects")
    given = {k: config[k] for k in known if config.get(k) is not None}
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
    return Coding(**given | {"void": as_values(config.get("void"))})


def as_values(void) -> tuple:
    """One value or several, as several."""
    if void is None:
        return ()
    return tuple(void) if isinstance(void, (tuple, list)) else (void,)


def survey(**options) -> Survey:
    """All that the folder's files tell, by the options that say which and how."""
    options = {k: v for k, v in options.items() if v is not None}
    frozen = tuple(
        (k, tuple(v) if isinstance(v, list) else v) for k, v in sorted(options.items())
    )
    return _survey(frozen, stamp(Path(options["dir"])))


@functools.lru_cache(maxsize=2)  # train, val and test ask in turn
def _survey(frozen: tuple, stamp: str) -> Survey:
    options = dict(frozen)
    where = {k: v for k, v in options.items() if k in _WHERE}
    files, matched = Files(Path(options["dir"]), [], []), find_pairs(**where)
    problems = [*matched.doubles]
    seen: list[Seen] = []
    headers: list[Header] = []
    for header, values, wrong in in_threads(
        functools.partial(_look, files), matched.pairs
    ):
        headers += [header] if header else []
        seen += [values] if values else []
        problems += wrong
    coding, told = Coding(()), _told_of_pairs(matched, headers)
    if seen:
        asked = {k: options[k] for k in _CODED if k in options}
        try:
            asked["void"] = as_values(asked.get("void"))
            if "palette" in asked:
                check_choice("data.palette", asked["palette"], ("index", "color"))
            if options.get("objects"):
                parts = {p.mask: len(p.parts) for p in matched.pairs if p.parts}
                coding, of_masks = find_objects(seen, **asked, files=parts)
            else:
                coding, of_masks = find_coding(seen, **asked)
            told += [f"masks: {line}" for line in of_masks]
        except Mistake as mistake:
            problems.append(str(mistake))
    white, of_white, wrong = find_white(files, headers, options)
    return Survey(matched.pairs, coding, white, told + of_white, problems + wrong)


def _look(files: Files, pair: Pair) -> tuple[Header | None, Seen | None, list[str]]:
    """The picture's header and the mask's values, or sentences in their place."""
    header, seen, wrong = None, None, []
    try:
        header = look_inside(files.read(pair.image), pair.image)
    except Mistake as mistake:
        wrong.append(str(mistake))
    try:
        mask = read_masks(files, pair)
        seen = look_at(mask, pair.mask)
        if header:  # EXIF may turn it
            check_size(pair, mask.values.shape, [header.size, header.size[::-1]])
    except Mistake as mistake:
        wrong.append(str(mistake))
    return header, seen, wrong


def check_size(pair: Pair, shape: tuple[int, ...], sizes: list) -> None:
    """A Mistake unless a mask can be laid over a picture of one of the sizes."""
    (h, w), (a, b) = shape, sizes[0]
    told = f"{shown(pair.mask_files[0])} is {h}x{w}, its picture {a}x{b}"
    if pair.parts and shape not in [tuple(size[:2]) for size in sizes]:
        raise Mistake(
            f"{told}; the masks of a picture's objects are all of the picture's size."
        )
    if not any(in_proportion(size, shape) for size in sizes):
        raise Mistake(
            f"{told}: other proportions, so it cannot be laid over it. Is it another"
            " picture's?"
        )


def find_white(files: Files, headers: list[Header], options: dict[str, Any]):
    """The value that is white in pictures of more than 8 bits: the largest that their
    bits can hold. None where all have 8."""
    deep = [header.file for header in headers if header.deep]
    every = np.unique(np.linspace(0, len(deep) - 1, _TELL_WHITE).astype(int))
    some = [deep[i] for i in every] if deep else []
    largest, whole = 0.0, True
    try:
        for file in some:
            pixels = read_raw(files.read(file), file, options.get("channels"))
            if pixels.dtype.kind not in "uif":
                return None, [], [f"{shown(file)} holds {pixels.dtype}, no picture."]
            if pixels.dtype != np.uint8:
                finite = pixels[np.isfinite(pixels)]
                largest = max(largest, float(finite.max(initial=0)))
                whole = whole and pixels.dtype.kind in "iu"
    except Mistake as mistake:
        return None, [], [str(mistake)]
    if not largest:
        return None, [], []
    if options.get("white") is not None:
        return options["white"], [], []
    white = 2.0 ** int(largest).bit_length() - 1 if largest > 1 or whole else 1.0
    told = f"{len(deep)} pictures of more than 8 bits; white is {white:g} (data.white)"
    return white, [told], []


def _told_of_pairs(matched: Matched, headers) -> list[str]:
    told, lone = [], "no mask, so left out"
    if any(pair.parts for pair in matched.pairs):
        lone += " (one black mask says that there is no object)"
    if matched.pairs:
        first = matched.pairs[0]
        told.append(
            f"{len(matched.pairs)} pictures with masks, such as {shown(first.image)}"
            f" with {listed(list(first.mask_files), 1)}"
        )
    told += told_of_headers(headers, "one whose mask fits only as it lies stays so")
    for files, what in (
        (matched.lone_images, lone),
        (matched.lone_masks, "no picture, so left out"),
        (matched.aside, "left aside"),
    ):
        if files:
            told.append(f"{what}: {len(files)}, {listed(files, 3)}")
    return told


def told_of_headers(headers: list[Header], of_turned: str) -> list[str]:
    """What the pictures are. of_turned: what becomes of those that EXIF turns."""
    told = []
    if headers:
        sizes = np.array([header.size for header in headers])
        kinds = collections.Counter(header.kind for header in headers)
        (low_h, low_w), (high_h, high_w) = sizes.min(0), sizes.max(0)
        told.append(
            f"pictures: {', '.join(f'{n} {kind}' for kind, n in kinds.most_common())};"
            f" {low_h} to {high_h} high, {low_w} to {high_w} wide"
        )
    turned = [header.file for header in headers if header.turned]
    if turned:
        told.append(
            f"{len(turned)} pictures are turned as their EXIF says, such as"
            f" {shown(turned[0])}; {of_turned}"
        )
    alpha = [header.file for header in headers if header.alpha]
    if alpha:
        told.append(
            f"{len(alpha)} pictures are laid over white where they are transparent; if"
            " their last channel is something else, set data.channels=(0,1,2)"
        )
    return told


def check_sound(problems: list[str]) -> None:
    """A Mistake with the first problems, where there are any."""
    more = len(problems) - _MOST_TOLD
    if problems:
        lines = problems[:_MOST_TOLD] + ([f"And {more} more."] if more > 0 else [])
        raise Mistake("\n  ".join(["This folder cannot be trained on:", *lines]))


def stamp(root: Path, others: Sequence[str] = ()) -> str:
    """What changes when a picture of the folder, a table in it or another file does."""
    facts = []
    tables = sorted(p.name for p in root.glob("*.*sv"))
    for file in [*picture_files(root), *tables, *others]:
        with contextlib.suppress(OSError):  # told when it is read
            stat = (root / file).stat()
            facts.append((file, stat.st_size, stat.st_mtime_ns))
    return hashlib.sha256(repr(facts).encode()).hexdigest()
