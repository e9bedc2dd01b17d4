"""Data prepared as TFDS records: how it comes to be whole.

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

import tensorflow_datasets as tfds

from segjax.base import Mistake
from segjax.data._intake import Files, shown
from segjax.data._records.prepared import (
    CONTENTS,
    as_bytes,
    file_facts,
    prepared_folder,
)
from segjax.data._records.scan import (
    Found,
    Intake,
    Record,
    Tick,
    describe,
    examples,
    look_through,
    silent,
    take_in,
)

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


class LocalInfo(tfds.core.DatasetInfo):
    """What TFDS tells of a data set that is on this machine alone."""

    def initialize_from_bucket(self) -> None:
        """Nothing: no bucket knows it, and TFDS, asking, leaves an empty folder in the
        machine's temporary one each time."""


class PictureBuilder(  # type: ignore[call-arg]
    tfds.core.GeneratorBasedBuilder, skip_registration=True
):
    """A builder of pictures and binary masks: it says how its owner's files are found
    (scan) and dealt out to splits (assign); the rest is the same for all, unless the
    masks are of another kind (look_through, describe, examples, content_of)."""

    scan: Callable[[Files], Found]
    assign: Callable[[list[Record]], dict[str, list[Record]]]
    describe = staticmethod(describe)
    examples = staticmethod(examples)

    def __init__(self, *, intake: Intake | None = None, **kwargs):
        self._intake = intake  # checked already, by `segjax prepare`
        super().__init__(**{"file_format": "array_record"} | kwargs)

    @classmethod
    def look_through(cls, files: Files, tick: Tick = silent):
        """The records that are whole, with the problems of the others; remarks."""
        return look_through(cls.scan, files, tick)

    @staticmethod
    def content_of(record: dict[str, Any]) -> bytes:
        """What tells a record from one of other pictures, masks or labels."""
        words = b"".join(record[word] for word in ("name", "image", "semantic"))
        return words + str(record["label"]).encode()

    def _split_generators(self, dl_manager):
        folder = dl_manager.manual_dir
        intake = self._intake or take_in(self.look_through, self.assign, folder)
        return {
            split: self._generate_examples(intake, split) for split in intake.splits
        }

    def _generate_examples(self, intake, split):
        yield from self.examples(intake, split)


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
        for record in builder.as_data_source(split=split, decoders=as_bytes(builder)):
            digest.update(builder.content_of(record))
    files = {p.name: file_facts(p) for p in sorted(folder.iterdir())}
    content = {"pictures": digest.hexdigest(), "files": files}
    (folder / CONTENTS).write_text(json.dumps(content, indent=1) + "\n")
