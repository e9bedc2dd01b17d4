"""PH2: 200 dermoscopy pictures of nevi, each with its mask and diagnosis.

T. Mendonça et al., PH2 - a dermoscopic image database for research and benchmarking,
EMBC 2013. The owners' folder is read as it is, at any depth of nesting: a picture is
IMDxxx.bmp, its mask IMDxxx_lesion.bmp, its diagnosis a column of PH2_dataset.txt.
"""

import re
from pathlib import PurePosixPath

import tensorflow_datasets as tfds

from segjax.base import Info, Mistake
from segjax.data._folds import FOLDS, fold_of_split
from segjax.data._intake import Files, listed, shown
from segjax.data._records.build import LocalInfo, PictureBuilder, features
from segjax.data._records.ph2_table import KINDS, read_table
from segjax.data._records.prepared import Rows, open_builder
from segjax.data._records.scan import Found, Record

PICTURES = 200  # of the whole set
SOURCE = (
    "Get it at https://www.fc.up.pt/addi/ph2%20database.html (free for research and"
    " teaching, not to be passed on) and unpack its rar."
)
_NAMED = re.compile(r"(IMD\d+)(_lesion)?", re.IGNORECASE)
_IN_LESION = re.compile(r"(IMD\d+)_lesion", re.IGNORECASE)
_TABLE = re.compile(r"PH2_dataset.*\.(txt|csv|tsv)", re.IGNORECASE)
_LOSSLESS = (".bmp", ".png", ".tif", ".tiff")
_LOSSY = (".jpg", ".jpeg")


def make_info(**config) -> Info:
    """Classes and colours of the set."""
    return Info(
        classes=("skin", "nevus"),
        colors=((0, 0, 0), (0, 200, 170)),  # one that no skin has
        provides=("image", "semantic"),
    )


def open_split(split: str, *, dir: str | None = None, fold: int = 0) -> Rows:
    """Rows of "train", "val" or "test" of the prepared set.

    dir: where it was prepared to, unset for $SEGJAX_DATA or ~/.cache/segjax.
    """
    folds = [f"fold{k}" for k in fold_of_split(split, fold)]
    return Rows(open_builder(BUILDER, "ph2", SOURCE, dir), folds)


def deal(kinds: dict[str, str]) -> dict[str, str]:
    """The fold of each picture: those of each kind in the table, by name, dealt out in
    turn. A picture that is missing moves no other."""
    ordered = sorted(kinds, key=lambda name: (KINDS.index(kinds[name]), name))
    return {name: f"fold{place % FOLDS}" for place, name in enumerate(ordered)}


def assign(records: list[Record]) -> dict[str, list[Record]]:
    """The records of each fold, by name."""
    folds = [f"fold{k}" for k in range(FOLDS)]
    splits = {fold: [r for r in sorted(records) if r.split == fold] for fold in folds}
    empty = [fold for fold in folds if not splits[fold]]
    if empty:
        raise Mistake(
            f"There are {len(records)} whole pictures and none for {', '.join(empty)};"
            f" {FOLDS} folds need more of PH2."
        )
    return splits


def describe_splits(splits: dict[str, list[Record]]) -> list[str]:
    """How many of each kind lie in each fold."""
    kinds = {
        fold: [sum(r.fields["label"] == kind for r in records) for kind in KINDS]
        for fold, records in splits.items()
    }
    return [
        f"{f}: {'/'.join(map(str, n))} of {', '.join(KINDS)}" for f, n in kinds.items()
    ]


def scan(files: Files) -> Found:
    """Pictures, masks and rows of the table, matched by IMDxxx."""
    pictures, masks, lossy = _sort_files(files)
    if not pictures:
        raise Mistake(_nothing(files))
    table = _find_table(files)
    kinds, problems, unknown = read_table(files.read(table), table)
    folds, records = deal(kinds), []
    for name in sorted(pictures):
        pair = _pair(name, pictures[name], masks.get(name, []), lossy)
        if isinstance(pair, str):
            problems.append(pair)
        elif name in unknown:
            continue  # told already
        elif name not in kinds:
            problems.append(
                f"{shown(pair[0])} has no row in {shown(table)}; its diagnosis is not"
                " known."
            )
        else:
            records.append(Record(name, folds[name], *pair, {"label": kinds[name]}))
    lone = sorted(masks.keys() - pictures.keys())
    problems += [f"{shown(masks[n][0])} is a mask without its picture." for n in lone]
    absent = sorted(kinds.keys() - pictures.keys() - set(lone))
    return Found(records, problems, _remarks(len(pictures), absent, lossy))


def _sort_files(files: Files):
    """The lossless pictures and masks of each name, and the lossy ones."""
    pictures: dict[str, list[str]] = {}
    masks: dict[str, list[str]] = {}
    lossy: dict[str, list[str]] = {}
    for file in files.names:
        path = PurePosixPath(file)
        folder = _IN_LESION.fullmatch(path.parent.name)
        found = _NAMED.fullmatch(path.stem)
        if path.name.startswith("._") or not (folder or found):
            continue  # what a Mac adds; regions of interest and the like
        name = (folder or found)[1].upper()  # type: ignore[index]
        if path.suffix.lower() in _LOSSY:
            lossy.setdefault(name, []).append(file)
        elif path.suffix.lower() in _LOSSLESS:
            is_mask = folder or found[2]  # type: ignore[index]
            (masks if is_mask else pictures).setdefault(name, []).append(file)
    return pictures, masks, lossy


def _find_table(files: Files) -> str:
    tables = [f for f in files.names if _TABLE.fullmatch(PurePosixPath(f).name)]
    if not tables:
        raise Mistake(
            f"{shown(files.where)} holds pictures of PH2 but no PH2_dataset.txt, the"
            " table of diagnoses; give the folder that holds both."
        )
    return min(tables, key=lambda f: (f.count("/"), not f.endswith(".txt"), f))


def _pair(name, pictures, masks, lossy) -> tuple[str, str] | str:
    """The picture and the mask of a name, or the sentence that says why not."""
    for what, found in (("pictures", pictures), ("masks", masks)):
        if len(found) > 1:
            return f"{name} has {len(found)} {what}: {listed(found)}; leave one."
    if masks:
        return pictures[0], masks[0]
    blurred = [f for f in lossy.get(name, []) if "lesion" in f]
    twin = f" ({shown(blurred[0])} is lossy and not taken)" if blurred else ""
    return f"{shown(pictures[0])} has no mask {name}_lesion.bmp{twin}."


def _remarks(pictures: int, absent: list[str], lossy: dict[str, list[str]]):
    remarks = []
    if pictures < PICTURES:
        remarks.append(f"a part of PH2: {pictures} of its {PICTURES} pictures")
    if absent:
        remarks.append(f"rows of the table without picture: {listed(absent)}")
    if lossy:
        count = sum(map(len, lossy.values()))
        remarks.append(f"left aside, since JPEG is lossy: {count} files")
    return remarks


def _nothing(files: Files) -> str:
    archives = [f for f in files.names if f.lower().endswith((".rar", ".7z", ".zip"))]
    unpack = f" Unpack {shown(archives[0])} first." if archives else ""
    return (
        f"{shown(files.where)} holds no picture of PH2, IMDxxx.bmp; give the folder"
        f" PH2Dataset.{unpack}"
    )


class SegjaxPh2(PictureBuilder):
    """PH2 in its own resolution, in five splits with an even share of each kind."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Pictures, masks, diagnoses; stratified folds."}  # noqa: RUF012
    MANUAL_DOWNLOAD_INSTRUCTIONS = SOURCE + " manual_dir is the folder it makes."

    scan = staticmethod(scan)
    assign = staticmethod(assign)

    def _info(self):
        return LocalInfo(
            builder=self,
            description=__doc__,
            features=features(tfds.features.ClassLabel(names=KINDS)),
            homepage="https://www.fc.up.pt/addi/ph2%20database.html",
            disable_shuffling=True,
        )


BUILDER = SegjaxPh2
