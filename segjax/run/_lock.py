"""A lock on a run folder: the system's own, which falls with its process, and a sign of
life in the file, for other hosts, which the system's lock may not reach."""

import contextlib
import errno
import fcntl
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from segjax.base import Mistake

_SIGN = 10.0  # seconds between two signs of life
_DEAD_AFTER = 60.0  # seconds without one
_NO_LOCKS_HERE = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


@contextlib.contextmanager
def held_alone(path: Path) -> Iterator[None]:
    """The lock, for this process alone; a Mistake where another that has it lives."""
    me = {"host": socket.gethostname(), "process": os.getpid()}
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _NO_LOCKS_HERE:
                raise refusal(path.parent, _holder(path)) from None
        holder, silent = _holder(path), time.time() - path.stat().st_mtime
        elsewhere = holder and holder.get("host") != me["host"]
        if elsewhere and silent < _DEAD_AFTER:
            raise refusal(path.parent, holder, silent)
        path.write_text(json.dumps(me))
        ended = threading.Event()
        signs = threading.Thread(target=_live, args=(path, ended), daemon=True)
        signs.start()
        try:
            yield
        finally:
            ended.set()
            signs.join()
            with contextlib.suppress(OSError):
                path.write_text("")  # nobody's


def _live(path: Path, ended: threading.Event) -> None:
    while not ended.wait(_SIGN):
        with contextlib.suppress(OSError):
            os.utime(path)


def _holder(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def refusal(
    folder: Path | str, holder: dict[str, Any], silent: float | None = None
) -> Mistake:
    """What the second process is told. silent: seconds, of a holder on another host."""
    who = "Another process"
    if holder:
        since = (
            "" if silent is None else f"; its last sign of life is {silent:.0f} s old"
        )
        who += f" ({holder.get('process')} on {holder.get('host')}{since})"
    return Mistake(
        f"{who} is training in {folder}; wait for it, or give --workdir another folder."
    )
