"""Data that was prepared: where it lies, whether it is whole, and its rows."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from segjax.base import Mistake
from segjax.data._cache import data_root
from segjax.data._intake import decode_mask, decode_picture, shown

CONTENTS = "contents.json"  # what each file and all pictures were when written


class Rows:
    """Examples of a prepared data set by index: of some of its splits together, or of
    some of their pictures. group: the field that says which belong together."""

    def __init__(
        self,
        builder,
        splits: list[str],
        picked: np.ndarray | None = None,
        group: str | None = None,
    ):
        self._folder = Path(builder.data_path)
        contents = (self._folder / CONTENTS).read_bytes()
        self._source = builder.as_data_source(
            "+".join(splits), decoders=as_bytes(builder)
        )
        self._picked = np.arange(len(self._source)) if picked is None else picked
        features, self._group = dict(builder.info.features), group
        self._label: Any = features.get("label")  # not every data set has any
        self.root = self._folder.parent.parent  # where decoded ones are kept
        self._open_every_file(builder, splits)
        if (self._folder / CONTENTS).read_bytes() != contents:
            raise Mistake(
                f"{shown(self._folder)} has just been prepared anew; try again."
            )
        # of what was written, not of the files: a build repeated gives other bytes
        pictures = json.loads(contents)["pictures"], splits, self._picked.tolist()
        self.fingerprint = hashlib.sha256(repr(pictures).encode()).hexdigest()
        self.cache_key = self.fingerprint

    def _open_every_file(self, builder, splits: list[str]) -> None:
        """Files are opened at their first record; another build that takes their place
        later is then of no consequence."""
        sizes = [builder.info.splits[split].num_examples for split in splits]
        for first in np.cumsum([0, *sizes[:-1]]):
            self._record(int(first))

    def _record(self, place: int) -> dict[str, Any]:
        try:
            return self._source[place]
        except (RuntimeError, ValueError, OSError) as error:
            raise Mistake(
                f"{shown(self._folder)} is damaged ({str(error)[:80]}). Prepare it"
                " again: python -m segjax prepare, with --again"
            ) from None

    def __len__(self) -> int:
        return len(self._picked)

    @property
    def groups(self) -> list[str] | None:
        """What each comes from, read without its picture."""
        if self._group is None:
            return None
        records = (self._record(int(place)) for place in self._picked)
        return [self._group_of(record) for record in records]

    def _group_of(self, record: dict[str, Any]) -> str:
        assert self._group is not None
        return f"{self._label_of(record)} {record[self._group].decode()}"

    def _label_of(self, record: dict[str, Any]) -> str:
        named = isinstance(self._label, tfds.features.ClassLabel)
        label = record["label"]
        return self._label.int2str(label) if named else label.decode()

    def __getitem__(self, row: int) -> dict[str, Any]:
        record = self._record(int(self._picked[row]))
        name = record["name"].decode()
        example = {
            "image": decode_picture(record["image"], name),
            "semantic": decode_mask(record["semantic"], name),
            "name": name,
            "label": self._label_of(record),
            "fields": {
                word: value.decode() if isinstance(value, bytes) else str(value)
                for word, value in record.items()
                if word not in ("image", "semantic", "name", "label")
            },
        }
        if self._group:
            example["group"] = self._group_of(record)
        return example


def prepared_folder(builder_class, root: Path) -> tuple[Path, bool]:
    """Where this version of the data set lies, and whether it is there."""
    folder = root / builder_class.name / str(builder_class.VERSION)
    try:
        if root.exists() and not root.is_dir():
            raise Mistake(f"{shown(root)} is a file; prepared data lies in a folder.")
        return folder, folder.is_dir() and any(folder.iterdir())
    except OSError as error:  # not ours to read, a name too long
        raise Mistake(f"{shown(root)} cannot be read: {error.strerror}.") from None


def open_builder(builder_class, name: str, source: str, dir: str | None):
    """The builder of prepared data; or a Mistake that says what to type.

    source: where the data is to be had, under which terms, and how to unpack it.
    """
    root = data_root(dir)
    folder, there = prepared_folder(builder_class, root)
    to = f" --to {shown(root)}" if dir else ""
    command = f"python -m segjax prepare {name} --from FOLDER{to}"
    if not there:
        others = sorted(p.name for p in folder.parent.glob("[0-9]*"))
        if others:
            raise Mistake(
                f"The {name} in {shown(root)} was prepared by another version of segjax"
                f" ({others[-1]}; this one reads {folder.name}). Prepare it again:"
                f" {command}"
            )
        hint = ", which data.dir names as the place it was prepared to" if dir else ""
        raise Mistake(
            f"{name} is not prepared in {shown(root)}{hint}. {source} Then type:"
            f" {command}"
        )
    damaged = damage(folder)
    if damaged:
        raise Mistake(
            f"The {name} prepared in {shown(folder)} is damaged ({damaged}). Prepare it"
            f" again: {command} --again"
        )
    return builder_class(data_dir=str(root))


def file_facts(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": digest}


def damage(folder: Path) -> str:
    """What is wrong with prepared files; '' for nothing. Of records only the size is
    looked at here: they carry checksums of their own."""
    try:
        files = json.loads((folder / CONTENTS).read_text())["files"]
        for name, facts in files.items():
            path = folder / name
            if not path.is_file():
                return f"{name} is missing"
            if path.stat().st_size != facts["bytes"]:
                return f"{name} has {path.stat().st_size} bytes of {facts['bytes']}"
            if ".array_record-" not in name and file_facts(path) != facts:
                return f"{name} is altered"
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return f"{CONTENTS} is missing or torn"
    return ""


def as_bytes(builder) -> dict[str, Any]:
    """Pictures as bytes: Pillow reads them in our hands, where TFDS may use OpenCV,
    which reads some otherwise."""
    features = builder.info.features.items()
    pictures = [word for word, f in features if isinstance(f, tfds.features.Image)]
    return dict.fromkeys(pictures, tfds.decode.SkipDecoding())
