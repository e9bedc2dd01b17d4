"""Decoded pictures kept on disk, so that the second start is quick.

A folder a split and way of fitting, <root>/decoded/<key>, with one .npy file a word,
which is mapped rather than read. It appears whole or not at all, one process makes it
while others wait, and it may be deleted at any time: it is made again."""

import contextlib
import fcntl
import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from segjax.data._split import Split

_FORM = 1  # raised when the same settings come to give other pixels
_FACTS = "rows.json"

# allocate(word, shape, dtype) -> an array to be filled
Allocate = Callable[[str, tuple[int, ...], np.dtype], np.ndarray]


def data_root(dir: str | None = None) -> Path:
    """Where prepared data lies: the folder given, $SEGJAX_DATA, or ~/.cache/segjax."""
    found = dir or os.environ.get("SEGJAX_DATA") or "~/.cache/segjax"
    return Path(os.path.expanduser(found))


def cached(
    decode: Callable[[Allocate], Split], root: Path, key: str, size: int, limit: int
) -> tuple[Split | None, str]:
    """What decode gives, read from disk or else written there on the way.

    size, limit: bytes. None and the reason where the disk cannot keep it: larger than
    the limit, full, or not ours to write. What was used longest ago makes place.
    """
    folder = root / "decoded" / f"{key}-{_FORM}"
    found = _read(folder)
    if found is not None:
        return found, ""
    if size > limit:
        return None, f"they are {size / 1e9:.1f} GB, more than data.cache"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            found = _read(folder)  # another process may have made it meanwhile
            if found is None:
                _make_room(folder.parent, limit - size)
                _write(folder, decode)
                found = _read(folder)
        return found, "it was deleted at once"
    except OSError as error:
        return None, str(error.strerror)


@contextlib.contextmanager
def _alone(folder: Path, wait: bool = True) -> Iterator[None]:
    """The only process that makes this entry. The lock falls with the process."""
    with folder.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield


def _write(folder: Path, decode: Callable[[Allocate], Split]) -> None:
    """The entry, whole or not at all."""
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)  # a killed process's

    def allocate(word, shape, dtype):
        path = part / f"{word}.npy"
        array = np.lib.format.open_memmap(path, "w+", dtype, shape)
        with path.open("r+b") as file:  # a full disk shows here, not as a crash later
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        return array

    try:
        part.mkdir()
        made = decode(allocate)
        for array in made.arrays.values():
            array.flush()  # type: ignore[attr-defined]
        facts = {
            "names": made.names,
            "labels": made.labels,
            "checksums": {
                word: _checksum(array) for word, array in made.arrays.items()
            },
        }
        (part / _FACTS).write_text(json.dumps(facts))
        shutil.rmtree(folder, ignore_errors=True)  # torn or altered
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _read(folder: Path) -> Split | None:
    """The arrays as they were written; None if they are not there, or not whole."""
    try:
        facts = json.loads((folder / _FACTS).read_text())
        arrays = {
            word: np.load(folder / f"{word}.npy", mmap_mode="r", allow_pickle=False)
            for word in facts["checksums"]
        }
        named = tuple(facts["names"]), tuple(facts["labels"])
        whole = all(
            {len(array)} == {len(names) for names in named}
            and _checksum(array) == facts["checksums"][word]
            for word, array in arrays.items()
        )
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None
    with contextlib.suppress(OSError):
        os.utime(folder)  # used just now
    return Split(arrays, *named) if whole else None


def _checksum(array: np.ndarray) -> int:
    value = 0
    for row in array:
        value = zlib.crc32(np.ascontiguousarray(row), value)
    return value


def _make_room(folder: Path, allowed: float) -> None:
    """The least recently used are deleted until the rest is within what is allowed."""
    kept = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):  # another process may delete as well
            if path.suffix == ".part":
                with _alone(path, wait=False):  # its maker was killed
                    shutil.rmtree(path)
            elif path.is_dir():
                size = sum(p.stat().st_size for p in path.iterdir())
                kept.append((path.stat().st_mtime, size, path))
    held = 0
    for _, size, path in sorted(kept, reverse=True):
        held += size
        if held > allowed:
            shutil.rmtree(path, ignore_errors=True)
