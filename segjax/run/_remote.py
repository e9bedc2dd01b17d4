"""A run folder elsewhere, gs://bucket/run: a local spool, copied there at each save."""

import contextlib
import json
import os
import shutil
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec

from segjax.base import Mistake
from segjax.run._lock import refusal

_COMMITTED = "record/metadata"  # of a checkpoint: copied last, so it tells that all is
_SIGN, _DEAD_AFTER = 30.0, 120.0  # seconds between signs of life; and without one


class Remote:
    """A folder elsewhere, and the local one that stands for it."""

    def __init__(self, url: str):
        self.url = url.rstrip("/")
        try:
            self.files, self.root = fsspec.core.url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            raise Mistake(
                f"{url} cannot be reached: {error}. A package for such addresses may be"
                " missing (gs:// needs `pip install gcsfs`)."
            ) from None
        name = f"{self.url.rsplit('/', 1)[-1]}-{zlib.crc32(self.url.encode()):08x}"
        self.spool = Path("~/.cache/segjax/spool").expanduser() / name
        self.copied: dict[str, tuple[int, int]] = {}  # file -> (size, time)

    def fetch(self) -> None:
        """What lies there, where it is further than the spool: on a new machine, or
        after another one went on with the run."""
        with self._reached():
            there = self._steps_there()
            if (
                there <= _steps_here(self.spool)
                and (self.spool / "config.json").exists()
            ):
                return
            if not self.files.exists(f"{self.root}/config.json"):
                return
            part = self.spool.with_name(f"{self.spool.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            part.parent.mkdir(parents=True, exist_ok=True)
            self.files.get(f"{self.root}/", f"{part}/", recursive=True)
            for folder in (part / "checkpoints").glob("*"):
                if not (folder / _COMMITTED).exists():
                    shutil.rmtree(folder, ignore_errors=True)  # half copied
            (part / "lock").unlink(missing_ok=True)
            shutil.rmtree(self.spool, ignore_errors=True)
            part.replace(self.spool)

    def copy(self) -> None:
        """What is new here, to there; then what is gone here goes there too."""
        here = {
            str(path.relative_to(self.spool)): (
                path.stat().st_size,
                path.stat().st_mtime_ns,
            )
            for path in self.spool.rglob("*")
            if path.is_file() and path.name != "lock" and _is_whole(path)
        }
        # a checkpoint's record after all else of it
        for name in sorted(here, key=lambda name: (name.endswith(_COMMITTED), name)):
            if self.copied.get(name) != here[name]:
                self.files.makedirs(f"{self.root}/{Path(name).parent}", exist_ok=True)
                self.files.put_file(str(self.spool / name), f"{self.root}/{name}")
                self.copied[name] = here[name]
        kept = {name.split("/")[1] for name in here if name.startswith("checkpoints/")}
        for path in self._ls("checkpoints"):
            step = path.rsplit("/", 1)[-1]
            newer = step.isdigit() and int(step) > _steps_here(self.spool)
            if step not in kept and not newer:  # nobody's work is deleted unseen
                with contextlib.suppress(FileNotFoundError):
                    self.files.rm(f"{self.root}/checkpoints/{step}/{_COMMITTED}")
                self.files.rm(f"{self.root}/checkpoints/{step}", recursive=True)

    @contextlib.contextmanager
    def held_alone(self) -> Iterator[None]:
        """The folder, for this machine alone; a Mistake where another lives there."""
        place = f"{self.root}/lock"
        with self._reached():
            holder = self._holder(place)
        silent = time.time() - holder.get("time", 0)
        if (
            holder.get("host") not in (None, socket.gethostname())
            and silent < _DEAD_AFTER
        ):
            raise refusal(self.url, holder, silent)
        ended = threading.Event()
        with self._reached():
            self.files.makedirs(self.root, exist_ok=True)
            self._sign(place)
        signs = threading.Thread(target=self._live, args=(place, ended), daemon=True)
        signs.start()
        try:
            yield
        finally:
            ended.set()
            signs.join()
            with contextlib.suppress(Exception):
                self.files.rm(place)

    def _live(self, place: str, ended: threading.Event) -> None:
        while not ended.wait(_SIGN):
            with contextlib.suppress(Exception):  # the next one may get through
                self._sign(place)

    def _sign(self, place: str) -> None:
        me = {"host": socket.gethostname(), "process": os.getpid(), "time": time.time()}
        self.files.pipe_file(place, json.dumps(me).encode())

    def _holder(self, place: str) -> dict[str, Any]:
        try:
            return dict(json.loads(self.files.cat_file(place)))
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError):
            return {}

    def _steps_there(self) -> int:
        steps = [p.rsplit("/", 1)[-1] for p in self._ls("checkpoints")]
        whole = [
            int(s)
            for s in steps
            if s.isdigit()
            and self.files.exists(f"{self.root}/checkpoints/{s}/{_COMMITTED}")
        ]
        return max(whole, default=0)

    def _ls(self, name: str) -> list[str]:
        try:
            found = self.files.ls(f"{self.root}/{name}", detail=False, refresh=True)
        except FileNotFoundError:
            return []
        except TypeError:  # no such option here
            found = self.files.ls(f"{self.root}/{name}", detail=False)
        return [path.rstrip("/") for path in found]

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except Mistake:
            raise
        except Exception as error:  # of whichever kind its package raises
            raise Mistake(f"{self.url} cannot be reached: {error}.") from None


def _steps_here(folder: Path) -> int:
    steps = [p.name for p in (folder / "checkpoints").glob("*") if p.name.isdigit()]
    return max(map(int, steps), default=0)


def _is_whole(path: Path) -> bool:
    """Not a part of something that is still being written."""
    return not any("orbax-checkpoint-tmp" in p for p in path.parts) and (
        path.suffix != ".part"
    )


def local_folder(folder: str | Path) -> Path:
    """The folder, or the local one that stands for an address, fetched."""
    if not is_remote(folder):
        return Path(folder)
    remote = Remote(str(folder))
    remote.fetch()
    return remote.spool


def is_remote(workdir: str | Path) -> bool:
    return "://" in str(workdir)
