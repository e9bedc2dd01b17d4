"""How a user's pictures are dealt out: by the splits that the folder has, by a table's
columns, or in folds."""

import csv
import io
import itertools
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from segjax.base import Mistake, check_range, did_you_mean
from segjax.data._folder.pairs import Matched, Pair
from segjax.data._folder.words import SPLIT_WORDS
from segjax.data._folds import SPLITS, deal, fold_of_split
from segjax.data._intake import listed, shown

_IMAGE = ("image", "picture", "img", "image_path", "file", "filename", "name", "id")
_MASK = ("mask", "mask_path", "label_file", "segmentation", "annotation")


class Dealt(NamedTuple):
    """The places of each split's pictures, and how that came about."""

    splits: dict[str, np.ndarray]
    told: str


def deal_splits(
    pairs: list[Pair],
    fold: int | None,
    folds: int,
    group: str | None,
    stratify: str | None,
) -> Dealt:
    """Train, val and test of the pairs. A test split that is there is respected."""
    check_range("data.folds", folds, 3)
    own = [pair.split for pair in pairs]
    given = [split for split in SPLITS if split in own]
    if given and "" in own:
        lost = [pair.image for pair in pairs if not pair.split]
        raise Mistake(
            f"The folder has {', '.join(given)}, and pictures in none of them:"
            f" {listed(lost)}. Move them."
        )
    if given and "train" not in given:
        raise Mistake(f"The folder has {', '.join(given)}, and no train.")
    if group and given:
        _check_groups(pairs, group)
    where = {split: np.flatnonzero([s == split for s in own]) for split in given}
    if len(given) == 3:
        if fold is not None:
            raise Mistake(
                "The folder has train, val and test of its own, so there are no folds;"
                " leave data.fold unset."
            )
        return Dealt(where, "the folder's own train, val and test")
    dealt = where.get("train", np.arange(len(pairs)))
    fold_of = _fold_of([pairs[i] for i in dealt], folds, group, stratify)
    k = fold or 0
    how = "".join(
        [
            f", no {group} in two" if group else "",
            f", {stratify} spread evenly" if stratify else "",
        ]
    )
    if len(given) <= 1:
        parts = {s: fold_of_split(s, k, folds) for s in SPLITS}
        splits = {s: dealt[np.isin(fold_of, parts[s])] for s in SPLITS}
        told = f"{folds} folds by name{how}; fold {k} is tested, the next one chooses"
        return Dealt(splits, told)
    fold_of_split("test", k, folds)  # a fold that there is
    tested = given[1]
    splits = {"train": dealt[fold_of != k], "val": dealt[fold_of == k]}
    told = (
        f"the folder's own {tested} is tested, and chooses nothing; of its train, fold"
        f" {k} of {folds} chooses{how}"
    )
    return Dealt(splits | {"test": where[tested]}, told)


def _check_groups(pairs: list[Pair], column: str) -> None:
    """A Mistake where a group is in two of the folder's own splits."""
    places: dict[str, set[str]] = {}
    for pair in pairs:
        places.setdefault(group_of(pair, column), set()).add(pair.split)
    for group, splits in places.items():
        if len(splits) > 1:
            raise Mistake(
                f"{column} {group!r} is in {' and '.join(sorted(splits))}, the folder's"
                " own splits. Move its pictures together, or leave data.group unset."
            )


def _fold_of(pairs, folds: int, group: str | None, stratify: str | None):
    if len(pairs) < folds:
        raise Mistake(
            f"The folder has {len(pairs)} pictures that can be dealt out; each of the"
            f" {folds} folds needs one. Add some, or set data.folds to fewer."
        )
    groups = [group_of(pair, group) for pair in pairs]
    kinds = [_column(pair, stratify) if stratify else "" for pair in pairs]
    if group and len(set(groups)) < folds:
        raise Mistake(
            f"data.group is {group!r}, which has {len(set(groups))} values; {folds}"
            " folds need as many. Set data.folds to fewer."
        )
    return deal(folds, groups, kinds)


def group_of(pair: Pair, column: str | None) -> str:
    """What must stay together: the column's value; where it has none, one picture."""
    return (column and _column(pair, column)) or pair.image


def _column(pair: Pair, column: str) -> str:
    column = column.lower()
    if column not in pair.row:
        if not pair.row:
            raise Mistake(
                f"No table says the {column!r} of {shown(pair.image)}; give one with"
                f" the columns image and {column}: data.table=FILE.csv"
            )
        raise Mistake(
            f"The table has no column {column!r}.{did_you_mean(column, pair.row)} It"
            f" has: {', '.join(pair.row)}."
        )
    return pair.row[column]


def read_table(data: bytes, file: str) -> list[dict[str, str]]:
    """A csv's rows, by its header's words in small letters; tab and semicolon too."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines = [line for line in text.replace("\0", "").splitlines() if line.strip()]
    if len(lines) < 2:
        raise Mistake(f"{shown(file)} has no rows; a table has a header and rows.")
    parted_by = max(",\t;", key=lines[0].count)
    try:
        rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=parted_by))
    except csv.Error as error:
        raise Mistake(f"{shown(file)} is no table ({error}).") from None
    head = [cell.strip().lower() for cell in rows[0]]
    if _first(_IMAGE, head) is None:
        raise Mistake(
            f"{shown(file)} has no column 'image', the picture's file; it has:"
            f" {listed(head)}."
        )
    cells = ([cell.strip() for cell in row] for row in rows[1:])
    return [
        dict(itertools.zip_longest(head, row[: len(head)], fillvalue=""))
        for row in cells
    ]


def by_table(
    rows: list[dict[str, str]],
    table: str,
    matched: Matched,
    root: Path,
    what: str = "mask",
) -> list[Pair]:
    """The pairs as a table has them: by its columns image and mask, or, where it has
    no masks, the pairs found, with its columns. what: a pair's picture comes with."""
    head = list(rows[0])
    image, mask, split = (_first(w, head) for w in (_IMAGE, _MASK, ("split", "set")))
    mask = mask if what == "mask" else None
    pictures, masks = _files_of(matched)
    paired = {pair.image: pair for pair in matched.pairs}
    found: dict[str, Pair] = {}
    problems = []
    for number, row in enumerate(rows, 2):
        at = f"Line {number} of {shown(table)}"
        named = as_path(row.get(image or "", ""), root)
        picture, of_mask = (
            pictures.get(named.lower()),
            as_path(row.get(mask or "", ""), root),
        )
        told_mask = masks.get(of_mask.lower()) if mask else ""
        if picture is None:
            problems.append(f"{at}: there is no picture {shown(named)!r}.")
        elif picture in found:
            problems.append(f"{at} gives {shown(picture)} a second time.")
        elif told_mask is None:
            problems.append(f"{at}: there is no mask {shown(of_mask)!r}.")
        elif not mask and picture not in paired:
            problems.append(f"{at}: {shown(picture)} has no {what}.")
        else:
            path = str(PurePosixPath(picture).with_suffix(""))
            pair = Pair(path, picture, told_mask) if mask else paired[picture]
            own = _split_word(row.get(split, ""), at) if split else pair.split
            found[picture] = pair._replace(split=own, row=row)
    if problems:
        more = f" And {len(problems) - 5} more such lines." if problems[5:] else ""
        raise Mistake(" ".join(problems[:5]) + more)
    return [found[picture] for picture in sorted(found)]


def as_path(text: str, root: Path) -> str:
    """A file's name as it is below the folder: Windows' strokes, ./ and whole paths are
    understood."""
    path = PurePosixPath(text.replace("\\", "/"))
    for whole in (root, root.absolute(), root.resolve()):
        if path.is_relative_to(whole):
            path = path.relative_to(whole)
    return str(path) if text else ""


def _files_of(matched: Matched) -> tuple[dict[str, str], dict[str, str]]:
    """Pictures and masks by all names that a table may have for them."""
    pictures = [pair.image for pair in matched.pairs] + matched.lone_images
    masks = [p.mask for p in matched.pairs if p.mask] + matched.lone_masks
    every = _by_any_name([*pictures, *masks, *matched.aside])
    return every | _by_any_name(pictures), every | _by_any_name(masks)


def _split_word(word: str, at: str) -> str:
    word = SPLIT_WORDS.get(word.lower(), word.lower())
    if word not in SPLITS:
        raise Mistake(f"{at}: the split is {word!r}; it must be train, val or test.")
    return word


def _first(wanted: Sequence[str], head: list[str]) -> str | None:
    return next((word for word in wanted if word in head), None)


def _by_any_name(files: list[str]) -> dict[str, str]:
    """Files by path and by name, with and without ending, where it means one file."""
    names: dict[str, str | None] = {}
    for file in files:
        path = PurePosixPath(file)
        short = str(path.with_suffix(""))
        for name in {n.lower() for n in (file, short, path.name, path.stem)}:
            names[name] = None if name in names else file
    for file in files:
        names[file.lower()] = file
    return {name: file for name, file in names.items() if file is not None}
