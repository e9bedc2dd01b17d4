"""python -m segjax COMMAND: each a file of segjax/command."""

import contextlib
import errno
import os
import sys
from collections.abc import Sequence
from typing import NoReturn, TextIO

from segjax.base import (
    DONE,
    GONE_WRONG,
    MISTAKE,
    STOPPED,
    GoneWrong,
    Mistake,
    Stopped,
    find,
    names,
)

LARGE_PAGES = (
    "glibc.malloc.hugetlb=1",
    "glibc.malloc.mmap_threshold=8589934592",  # what is larger is mapped, and unmapped
    "glibc.malloc.trim_threshold=17179869184",  # free at the end before it is returned
    "glibc.malloc.top_pad=268435456",  # asked for at once
)
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_NOT_MINE = (errno.EACCES, errno.EPERM)


def main(arguments: Sequence[str]) -> int:
    """Run a command and give its exit code. A mistake is one sentence on stderr."""
    try:
        return _dispatch(list(arguments))
    except Mistake as mistake:
        return _told(f"segjax: {mistake}", sys.stderr, MISTAKE)
    except Stopped as stopped:
        return _told(str(stopped), sys.stdout, STOPPED)
    except GoneWrong as wrong:
        return _told(f"segjax: {wrong}", sys.stderr, GONE_WRONG)
    except KeyboardInterrupt:  # before the loop listens: nothing to save yet
        return _told("Stopped.", sys.stderr, STOPPED)
    except OSError as error:
        where = f"{error.filename} cannot be written" if error.filename else "The disk"
        if error.errno in _NO_ROOM:
            sentence = f"{where}: {error.strerror}. Make room and try again."
        elif error.errno in _NOT_MINE and error.filename:
            sentence = f"{error.filename}: {error.strerror}. Ask its owner for access."
        else:
            raise
        return _told(f"segjax: {sentence}", sys.stderr, MISTAKE)


def _told(sentence: str, out: TextIO, code: int) -> int:
    with contextlib.suppress(OSError):  # the terminal may be gone
        print(f"\n{sentence}", file=out, flush=True)
    return code


def _dispatch(arguments: list[str]) -> int:
    commands = names("command")
    if not arguments or arguments[0] in ("-h", "--help"):
        print(f"python -m segjax COMMAND: {', '.join(commands)}.")
        print("Each takes --help.")
        return DONE
    name, *rest = arguments
    return find("command", name).main(rest)


def run_command(arguments: Sequence[str]) -> NoReturn:
    """Run a command as this process, and end it."""
    _keep_pages(list(arguments))
    code = main(arguments)
    if code == STOPPED and "segjax.parallel" in sys.modules:
        from segjax import parallel

        if parallel.hosts() == 1:
            # a compiler that is still at work would be waited for, and then crash
            with contextlib.suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)
    sys.exit(code)


def _keep_pages(arguments: list[str]) -> None:
    """Begin this process anew with a malloc that keeps large pages from one training
    step to the next, which on a CPU takes up to half as long again without. glibc reads
    its tunables at the start of a process alone."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        if not (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc "):
            return
        # not a notebook's process, or another's that only borrows this function
        is_own = arguments and sys.orig_argv[-len(arguments) :] == arguments
        if is_own and "GLIBC_TUNABLES" not in os.environ:
            sys.stdout.flush()
            environment = {**os.environ, "GLIBC_TUNABLES": ":".join(LARGE_PAGES)}
            os.execve(sys.executable, sys.orig_argv, environment)


def entry() -> NoReturn:
    """The `segjax` command of an installed package."""
    run_command(sys.argv[1:])


if __name__ == "__main__":
    entry()
