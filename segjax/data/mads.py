"""MADS: 1,192 pictures of people who dance, fight and play, each with a silhouette.

W. Zhang et al., Martial Arts, Dancing and Sports dataset, Image and Vision Computing
2017; masks by TrainingData on Kaggle. Three cameras filmed each sequence at once, so
which pictures may stand in training together with a test picture matters: `by` says.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
import tensorflow_datasets as tfds

from segjax.base import Info, Mistake, check_choice
from segjax.data._folds import FOLDS, fold_of_split, rows_of
from segjax.data._intake import Files, listed, shown
from segjax.data._records.build import LocalInfo, PictureBuilder, features
from segjax.data._records.prepared import Rows, open_builder
from segjax.data._records.scan import Found, Record

PICTURES = 1192  # of the whole set
SOURCE = (
    "Get 'Segmentation Full Body MADS Dataset' by TrainingData at"
    " https://www.kaggle.com/datasets/tapakah68/segmentation-full-body-mads-dataset"
    " (CC BY-ND 4.0); its zip is read as it comes."
)
WAYS = ("sequence", "action", "random")
LEAKY = "leaky: random split, the same instants by other cameras are in training"
_NAMED = re.compile(r"([^\W_]+)_([\w. -]+)_C(\d{1,9})_(\d{1,9})", re.ASCII)


class Shot(NamedTuple):
    """What a picture's name says: <Action>_<Sequence>_C<camera>_<frame>."""

    action: str
    sequence: str
    camera: int
    frame: int


def make_info(*, by: str = "sequence", **config) -> Info:
    """Classes and colours of the set."""
    check_choice("data.by", by, WAYS)
    return Info(
        classes=("background", "person"),
        colors=((0, 0, 0), (0, 200, 80)),  # of a chroma key
        provides=("image", "semantic"),
        caution=LEAKY if by == "random" else "",
    )


def open_split(
    split: str, *, dir: str | None = None, fold: int = 0, by: str = "sequence"
) -> Rows:
    """Rows of "train", "val" or "test" of the prepared set.

    dir: where it was prepared to, unset for $SEGJAX_DATA or ~/.cache/segjax; by: what
    no two splits share: a sequence, an action, or, with "random", nothing (leaky).
    """
    builder = open_builder(BUILDER, "mads", SOURCE, dir)
    sizes = {name: info.num_examples for name, info in builder.info.splits.items()}
    picked = places(split, fold, by, sizes)
    return Rows(builder, sorted(sizes), picked, group="sequence")


def places(split: str, fold: int, by: str, sizes: dict[str, int]) -> np.ndarray:
    """Which pictures make up a split, counted through all sequences in order of name.

    sizes: the pictures of each sequence, {"Jazz_Jazz1": 40}. -> i64[n]
    """
    check_choice("data.by", by, WAYS)
    if by == "random":
        order = np.random.default_rng(0).permutation(sum(sizes.values()))
        return np.sort(order[rows_of(split, len(order), fold)])
    fold_of, of_split = folds_by(by, list(sizes)), fold_of_split(split, fold)
    chosen = [fold_of[name] in of_split for name in sorted(sizes)]
    return np.flatnonzero(np.repeat(chosen, [sizes[name] for name in sorted(sizes)]))


def folds_by(by: str, sequences: list[str]) -> dict[str, int]:
    """The fold of each sequence, {"Jazz_Jazz1": 1}: sequences, or whole actions, dealt
    out in order of name, so that a picture more or less moves no other."""
    part_of = {s: s.split("_")[0] if by == "action" else s for s in sequences}
    parts = sorted(set(part_of.values()))
    if len(parts) < FOLDS:
        raise Mistake(
            f"There are {len(parts)} {by}s, {', '.join(parts)}; {FOLDS} folds need at"
            f" least {FOLDS}."
        )
    return {s: parts.index(part) % FOLDS for s, part in part_of.items()}


def read_name(name: str) -> Shot | None:
    """What a picture's name says, or None for a name of another kind."""
    found = _NAMED.fullmatch(name)
    if found is None:
        return None
    return Shot(found[1], found[2], int(found[3]), int(found[4]))


def leaked(train: Sequence[str], test: Sequence[str]) -> float:
    """The share of test pictures whose instant is in training, by another camera."""
    seen = {_instant(name) for name in train}
    return float(np.mean([_instant(name) in seen for name in test]))


def assign(records: list[Record]) -> dict[str, list[Record]]:
    """The records of each sequence, by name."""
    splits: dict[str, list[Record]] = {}
    for record in sorted(records):
        splits.setdefault(record.split, []).append(record)
    folds_by("sequence", list(splits))
    return splits


def describe_splits(splits: dict[str, list[Record]]) -> list[str]:
    """For each way to split: the size of each fold, and how much of it leaks."""
    sizes = {split: len(records) for split, records in splits.items()}
    names = np.array([r.name for split in sorted(splits) for r in splits[split]])
    lines = []
    for way in WAYS:
        try:
            tests = [names[places("test", k, way, sizes)] for k in range(FOLDS)]
            trains = [names[places("train", k, way, sizes)] for k in range(FOLDS)]
        except Mistake as mistake:  # a part of the set may lack actions
            lines.append(f"by {way}: not possible. {mistake}")
            continue
        shares = [leaked(train, test) for train, test in zip(trains, tests)]
        told = "/".join(str(len(test)) for test in tests)
        leak = f"leaky: of {np.mean(shares):.1%}" if any(shares) else "of none"
        lines.append(
            f"by {way}: folds of {told}; {leak} of the test pictures another camera's"
            " picture of the same instant is in training"
        )
    return lines


def scan(files: Files) -> Found:
    """Pictures in a folder `images`, masks of the same names in `masks` beside it, and
    df.csv, which names them all."""
    pictures, masks = (_in_folder(files, folder) for folder in ("images", "masks"))
    if not pictures:
        raise Mistake(
            f"{shown(files.where)} holds no pictures in a folder 'images'; give the"
            " zip of MADS as it comes, or the folder it unpacks to."
        )
    listed_there, problems = _read_list(files)
    records = []
    for name, found in sorted(pictures.items()):
        shot, mask = read_name(name), masks.get(name, [])
        if shot is None:
            problems.append(
                f"{shown(found[0])} is not named <Action>_<Sequence>_C<camera>_<frame>."
            )
        elif len(found) > 1 or len(mask) > 1:
            twins = found if len(found) > 1 else mask
            problems.append(f"{name} is there {len(twins)} times: {listed(twins)}.")
        elif not mask:
            problems.append(f"{shown(found[0])} has no mask of its name in 'masks'.")
        else:
            fields = shot._asdict() | {"label": shot.action}
            del fields["action"]
            split = re.sub(r"\W", "_", f"{shot.action}_{shot.sequence}")
            records.append(Record(name, split, found[0], mask[0], fields))
    lone = sorted(masks.keys() - pictures.keys())
    problems += [f"{shown(masks[n][0])} is a mask without its picture." for n in lone]
    return Found(records, problems, _remarks(pictures, listed_there))


def _in_folder(files: Files, folder: str) -> dict[str, list[str]]:
    """The pictures in folders of this name, at any depth: stem -> files."""
    found: dict[str, list[str]] = {}
    for file in files.names:
        path = PurePosixPath(file)
        is_picture = path.suffix.lower() in (".png", ".jpg", ".jpeg", ".bmp")
        if path.parent.name == folder and is_picture and path.name[:2] != "._":
            found.setdefault(path.stem, []).append(file)
    return found


def _read_list(files: Files) -> tuple[set[str] | None, list[str]]:
    """The names in df.csv, None without one; and what is wrong with it."""
    tables = [f for f in files.names if PurePosixPath(f).name == "df.csv"]
    if not tables:
        return None, []
    table = min(tables, key=lambda f: (f.count("/"), f))
    text = files.read(table).decode("utf-8-sig", "replace").replace("\0", "")
    names = re.findall(r"images[/\\]+([^/\\,;\t\"]+)\.\w+", text)
    if not names:
        return None, [f"{shown(table)} names no pictures; it is not MADS's list."]
    return set(names), []


def _remarks(pictures: dict[str, list[str]], there: set[str] | None) -> list[str]:
    remarks = []
    if len(pictures) < PICTURES:
        remarks.append(f"a part of MADS: {len(pictures)} of its {PICTURES} pictures")
    if there is None:
        remarks.append("no df.csv: whether pictures are missing cannot be told")
        return remarks
    absent, new = sorted(there - pictures.keys()), sorted(pictures.keys() - there)
    if absent:
        remarks.append(f"rows of df.csv without picture: {listed(absent)}")
    if new:
        remarks.append(f"pictures without row in df.csv: {listed(new)}")
    return remarks


def _instant(name: str) -> tuple[str, str, int] | str:
    """When a picture was taken, whichever camera took it."""
    shot = read_name(name)
    return name if shot is None else (shot.action, shot.sequence, shot.frame)


class SegjaxMads(PictureBuilder):
    """MADS in its own resolution, a split a sequence; open_split adds them up."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Pictures, silhouettes, sequences."}  # noqa: RUF012
    MANUAL_DOWNLOAD_INSTRUCTIONS = SOURCE + " manual_dir is the folder it lies in."

    scan = staticmethod(scan)
    assign = staticmethod(assign)

    def _info(self):
        text, number = tfds.features.Text(), tfds.features.Scalar(np.int32)
        return LocalInfo(
            builder=self,
            description=__doc__,
            features=features(text, sequence=text, camera=number, frame=number),
            homepage="https://www.kaggle.com/datasets/tapakah68/segmentation-full-body-mads-dataset",
            license="CC BY-ND 4.0",
            disable_shuffling=True,
        )


BUILDER = SegjaxMads
