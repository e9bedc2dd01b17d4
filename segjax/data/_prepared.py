"""Data prepared once, as TFDS records: where it lies, how it comes to be whole.

A build goes to a folder of its own and is moved into place when it is whole; so a full
disk, a kill or a second process never leaves half a data set under its name.
"""

import contextlib
import errno
import fcntl
import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from segjax.base import Mistake
from segjax.data._cache import data_root
from segjax.data._intake import Files, decode_mask, decode_picture, shown
from segjax.data._scan import Found, Intake, Record, examples, take_in

_CONTENTS = "contents.json"  # of each file its size and checksum
_FULL = [os.strerror(n) for n in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)]


def features(label: tfds.features.FeatureConnector, **more):
    """What the records of every data set of pictures and binary masks hold."""
    features = tfds.features
    return features.FeaturesDict(
        {
            "image": features.Image(shape=(None, None, 3), encoding_format="png"),
            "semantic": features.Image(shape=(None, None, 1), encoding_format="png"),
            "name": features.Text(),
            "label": label,
            **more,
        }
    )


class PictureBuilder(  # type: ignore[call-arg]
    tfds.core.GeneratorBasedBuilder, skip_registration=True
):
    """A builder of pictures and binary masks: it says how its owner's files are found
    (scan) and dealt out to splits (assign); the rest is the same for all."""

    scan: Callable[[Files], Found]
    assign: Callable[[list[Record]], dict[str, list[Record]]]

    def __init__(self, *, intake: Intake | None = None, **kwargs):
        self._intake = intake  # checked already, by `segjax prepare`
        super().__init__(**{"file_format": "array_record"} | kwargs)

    def _split_generators(self, dl_manager):
        intake = self._intake or take_in(self.scan, self.assign, dl_manager.manual_dir)
        return {
            split: self._generate_examples(intake, split) for split in intake.splits
        }

    def _generate_examples(self, intake, split):
        yield from examples(intake, split)


class Rows:
    """Examples of a prepared data set by index: of some of its splits together, or of
    some of their pictures."""

    def __init__(self, builder, splits: list[str], picked: np.ndarray | None = None):
        self._folder = Path(builder.data_path)
        contents = (self._folder / _CONTENTS).read_bytes()
        self._source = builder.as_data_source("+".join(splits), decoders=_skipped())
        self._picked = np.arange(len(self._source)) if picked is None else picked
        self._label = builder.info.features["label"]
        self.root = self._folder.parent.parent  # where decoded ones are kept
        self._open_every_file(builder, splits)
        if (self._folder / _CONTENTS).read_bytes() != contents:
            raise Mistake(
                f"{shown(self._folder)} has just been prepared anew; try again."
            )
        # of what was written, not of the files: a build repeated gives other bytes
        pictures = json.loads(contents)["pictures"], splits, self._picked.tolist()
        self.fingerprint = hashlib.sha256(repr(pictures).encode()).hexdigest()

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

    def __getitem__(self, row: int) -> dict[str, Any]:
        record = self._record(int(self._picked[row]))
        name, label = record["name"].decode(), record["label"]
        named = isinstance(self._label, tfds.features.ClassLabel)
        return {
            "image": decode_picture(record["image"], name),
            "semantic": decode_mask(record["semantic"], name),
            "name": name,
            "label": self._label.int2str(label) if named else label.decode(),
        }


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
        raise Mistake(
            f"{name} is not prepared in {shown(root)}. {source} Then type: {command}"
        )
    damaged = damage(folder)
    if damaged:
        raise Mistake(
            f"The {name} prepared in {shown(folder)} is damaged ({damaged}). Prepare it"
            f" again: {command} --again"
        )
    return builder_class(data_dir=str(root))


def check_writable(root: Path) -> None:
    """A Mistake unless the folder, or the first there is above it, is ours to write."""
    for folder in (root, *root.absolute().parents):
        if folder.exists():
            if not os.access(folder, os.W_OK | os.X_OK):
                raise Mistake(
                    f"{shown(folder)} cannot be written to; give --to another folder."
                )
            return


def build(builder_class, intake: Intake, root: Path) -> None:
    """The data set written whole, in place of one that is there; or a Mistake, and
    what was there stays."""
    name, (final, _) = builder_class.name, prepared_folder(builder_class, root)
    part, old = root / f"{name}.part", root / f"{name}.old"
    with _alone(root, name):
        _tidy(part, old, final)
        try:
            builder = builder_class(data_dir=str(part), intake=intake)
            config = tfds.download.DownloadConfig(
                manual_dir=str(intake.files.where.parent),  # it must be a folder
                try_download_gcs=False,
            )
            with _quiet():
                builder.download_and_prepare(download_config=config)
            _write_contents(builder)
            final.parent.mkdir(exist_ok=True)
            if final.exists():
                final.rename(old)
            Path(builder.data_path).rename(final)
        except (OSError, RuntimeError) as error:  # the latter from array_record
            full = any(word in str(error) for word in _FULL)
            if not full and not isinstance(error, OSError):
                raise
            told = "The disk is full" if full else str(error)
            raise Mistake(
                f"{told}: {name} cannot be written to {shown(root)}, and nothing was"
                " kept of the build. Make room, or give --to another folder."
            ) from None
        finally:
            _tidy(part, old, final)


@contextlib.contextmanager
def _alone(root: Path, name: str) -> Iterator[None]:
    """This process alone builds the data set there. The lock falls with the process."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = (root / f"{name}.lock").open("a+")
    except OSError as error:
        raise Mistake(
            f"{shown(root)} cannot be written to ({error.strerror}); give --to another"
            " folder."
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Mistake(
                f"Another process is preparing {name} in {shown(root)}; wait for it."
            ) from None
        yield


def _tidy(part: Path, old: Path, final: Path) -> None:
    """What a build that was killed left: its part goes; what it had moved away to make
    place, if the place is empty, comes back."""
    if old.exists() and not final.exists():
        old.rename(final)
    for path in (part, old):
        if path.is_file():
            path.unlink()
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """TFDS without its bars and lines: the caller counts."""
    tfds.disable_progress_bar()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        tfds.enable_progress_bar()


def _write_contents(builder) -> None:
    """contents.json: what every file and every picture was when it was written. So all
    is read back once."""
    folder = Path(builder.data_path)
    digest = hashlib.sha256()
    for split in sorted(builder.info.splits):
        for record in builder.as_data_source(split=split, decoders=_skipped()):
            for word in ("name", "image", "semantic"):
                digest.update(record[word])
            digest.update(str(record["label"]).encode())
    files = {p.name: _facts(p) for p in sorted(folder.iterdir())}
    content = {"pictures": digest.hexdigest(), "files": files}
    (folder / _CONTENTS).write_text(json.dumps(content, indent=1) + "\n")


def _skipped() -> dict[str, Any]:
    """Pictures as bytes: Pillow reads them in our hands, where TFDS may use OpenCV,
    which reads some otherwise."""
    return dict.fromkeys(("image", "semantic"), tfds.decode.SkipDecoding())


def _facts(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": digest}


def damage(folder: Path) -> str:
    """What is wrong with prepared files; '' for nothing. Of records only the size is
    looked at here: they carry checksums of their own."""
    try:
        files = json.loads((folder / _CONTENTS).read_text())["files"]
        for name, facts in files.items():
            path = folder / name
            if not path.is_file():
                return f"{name} is missing"
            if path.stat().st_size != facts["bytes"]:
                return f"{name} has {path.stat().st_size} bytes of {facts['bytes']}"
            if ".array_record-" not in name and _facts(path) != facts:
                return f"{name} is altered"
    except (OSError, ValueError, TypeError, KeyError):
        return f"{_CONTENTS} is missing or torn"
    return ""
