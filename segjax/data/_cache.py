"""Decoded pictures kept on disk, so that the second start is quick.

A folder a split and way of fitting, <root>/decoded/<key>, with one .npy file a word,
which is mapped rather than read. It appears whole or not at all, and it may be deleted
at any time: it is made again."""

import contextlib
import json
import os
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

_FORM = 1  # raised when the same settings come to give other pixels
_FACTS = "rows.json"


class Decoded(NamedTuple):
    """Fitted examples, stacked."""

    arrays: dict[str, np.ndarray]  # word -> [n, ...]
    names: tuple[str, ...]
    labels: tuple[str, ...]  # '' where the data set has none


# allocate(word, shape, dtype) -> an array to be filled
Allocate = Callable[[str, tuple[int, ...], np.dtype], np.ndarray]


def data_root(dir: str | None = None) -> Path:
    """Where prepared data lies: the folder given, $SEGJAX_DATA, or ~/.cache/segjax."""
    found = dir or os.environ.get("SEGJAX_DATA") or "~/.cache/segjax"
    return Path(found).expanduser()


def cached(
    decode: Callable[[Allocate], Decoded], root: Path, key: str, bytes_: int, limit: int
) -> tuple[Decoded | None, str]:
    """What decode gives, read from disk or else written there on the way.

    None and the reason where the disk cannot keep it: larger than the limit, full, or
    not ours to write. What was used longest ago makes place for the new.
    """
    folder = root / "decoded" / f"{key}-{_FORM}"
    with contextlib.suppress(OSError, ValueError, KeyError):
        found = _read(folder)
        os.utime(folder)  # used just now
        return found, ""
    if bytes_ > limit:
        return None, f"they are {bytes_ / 1e9:.1f} GB, more than data.cache"
    part = folder.with_name(f"{folder.name}.part-{os.getpid()}")
    try:
        shutil.rmtree(folder, ignore_errors=True)  # torn or altered
        part.mkdir(parents=True)
        _make_room(folder.parent, limit - bytes_)
        if shutil.disk_usage(part).free < bytes_ + 2**26:
            return None, "the disk is full"
        _write(part, decode)
        part.rename(folder)
        return _read(folder), ""
    except OSError as error:
        return None, str(error.strerror)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write(part: Path, decode: Callable[[Allocate], Decoded]) -> None:
    def allocate(word, shape, dtype):
        return np.lib.format.open_memmap(part / f"{word}.npy", "w+", dtype, shape)

    made = decode(allocate)
    for array in made.arrays.values():
        array.flush()  # type: ignore[attr-defined]
    facts = {
        "names": made.names,
        "labels": made.labels,
        "checksums": {word: _checksum(array) for word, array in made.arrays.items()},
    }
    (part / _FACTS).write_text(json.dumps(facts))


def _read(folder: Path) -> Decoded:
    """The arrays as they were written, or a ValueError."""
    facts = json.loads((folder / _FACTS).read_text())
    arrays = {
        word: np.load(folder / f"{word}.npy", mmap_mode="r", allow_pickle=False)
        for word in facts["checksums"]
    }
    for word, checksum in facts["checksums"].items():
        if _checksum(arrays[word]) != checksum:
            raise ValueError(f"{folder} is altered")
    return Decoded(arrays, tuple(facts["names"]), tuple(facts["labels"]))


def _checksum(array: np.ndarray) -> int:
    value = 0
    for row in array:
        value = zlib.crc32(np.ascontiguousarray(row), value)
    return value


def _make_room(folder: Path, allowed: float) -> None:
    """The least recently used are deleted until the rest is within what is allowed."""
    kept = []
    for path in folder.iterdir():
        if ".part-" in path.name:
            _drop_if_dead(path)
            continue
        size = sum(p.stat().st_size for p in path.iterdir())
        kept.append((path.stat().st_mtime, size, path))
    held = 0
    for _, size, path in sorted(kept, reverse=True):
        held += size
        if held > allowed:
            shutil.rmtree(path, ignore_errors=True)


def _drop_if_dead(part: Path) -> None:
    """What a killed process left; one that lives still writes to its own."""
    try:
        os.kill(int(part.name.rpartition("-")[2]), 0)
    except ProcessLookupError:
        shutil.rmtree(part, ignore_errors=True)
    except (OSError, ValueError):
        pass
