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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from segjax.base import Mistake
from segjax.data._cache import data_root
from segjax.data._intake import decode_mask, decode_picture, shown
from segjax.data._scan import Intake

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


class Rows:
    """Examples of a prepared data set by index: of some of its splits together, or of
    some of their pictures."""

    def __init__(self, builder, splits: list[str], picked: np.ndarray | None = None):
        skip = tfds.decode.SkipDecoding()  # Pillow in our hands: OpenCV reads otherwise
        self._source = builder.as_data_source(
            split="+".join(splits), decoders={"image": skip, "semantic": skip}
        )
        self._picked = np.arange(len(self._source)) if picked is None else picked
        self._label = builder.info.features["label"]
        self.root = Path(builder.data_path).parent.parent  # where decoded ones are kept
        contents = (Path(builder.data_path) / _CONTENTS).read_bytes()
        chosen = repr((splits, self._picked.tolist())).encode()
        self.fingerprint = hashlib.sha256(contents + chosen).hexdigest()

    def __len__(self) -> int:
        return len(self._picked)

    def __getitem__(self, row: int) -> dict[str, Any]:
        record = self._source[int(self._picked[row])]
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
        return folder, folder.is_dir()
    except PermissionError as error:
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
    damaged = _damage(folder)
    if damaged:
        raise Mistake(
            f"The {name} prepared in {shown(folder)} is damaged ({damaged}). Prepare it"
            f" again: {command} --again"
        )
    return builder_class(data_dir=str(root))


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
            _write_contents(Path(builder.data_path))
            final.parent.mkdir(exist_ok=True)
            if final.exists():
                final.rename(old)
            Path(builder.data_path).rename(final)
        except (OSError, RuntimeError) as error:  # the latter from array_record
            if not any(word in str(error) for word in _FULL):
                raise
            raise Mistake(
                f"The disk that holds {shown(root)} is full; nothing was kept of the"
                " build. Make room, or give --to another folder."
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
    shutil.rmtree(part, ignore_errors=True)
    if old.exists() and not final.exists():
        old.rename(final)
    shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """TFDS without its bars and lines: the caller counts."""
    tfds.disable_progress_bar()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        tfds.enable_progress_bar()


def _write_contents(folder: Path) -> None:
    def facts(path: Path) -> dict[str, Any]:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return {"bytes": path.stat().st_size, "sha256": digest}

    files = {p.name: facts(p) for p in sorted(folder.iterdir())}
    (folder / _CONTENTS).write_text(json.dumps(files, indent=1) + "\n")


def _damage(folder: Path) -> str:
    """What is wrong with prepared files, by their sizes; '' for nothing."""
    try:
        files = json.loads((folder / _CONTENTS).read_text())
    except (OSError, ValueError):
        return f"{_CONTENTS} is missing or torn"
    for name, facts in files.items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        if path.stat().st_size != facts["bytes"]:
            return f"{name} has {path.stat().st_size} bytes of {facts['bytes']}"
    return ""
