"""A request to stop, kept until the loop can follow it."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

from segjax.base import STOPPED, Stopped

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_AGAIN = 1.0  # seconds: a hang-up comes twice, from the system and from the shell
_PATIENCE = 2.0  # seconds that a process which may end goes on compiling


class StopRequest:
    """Whether someone has asked."""

    def __init__(self) -> None:
        self.made = False
        self.when_safe = ""  # what to say where nothing would be lost
        # several hosts must agree first, and runs side by side are saved together:
        # then it is followed after a step, and nowhere else
        self.alone = True
        self.finishing: list[Callable[[], None]] = []  # what must be done even then

    @contextlib.contextmanager
    def at_once(self, sentence: str) -> Iterator[None]:
        """Where nothing would be lost: a request raises Stopped right here."""
        self.when_safe = sentence if self.alone else ""
        try:
            if self.made and self.alone:
                raise Stopped(sentence)
            yield
        finally:
            self.when_safe = ""


@contextlib.contextmanager
def stop_requests(may_end: bool = False) -> Iterator[StopRequest]:
    """Signals turned into a request, as long as the block lasts; a second one stops
    at once. A signal that is ignored stays so: nohup means that a hang-up shall not
    count.

    may_end: this process is a command's own, and may end where the compiler does not
    listen.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request  # only the main thread may set handlers
        return
    first = 0.0

    def ask(number, frame):
        nonlocal first
        if not request.made:
            first, request.made = time.monotonic(), True
            if request.when_safe:
                raise Stopped(request.when_safe)
            _say("\nStopping after this step; a second request stops at once.")
        elif number != signal.SIGHUP and time.monotonic() - first > _AGAIN:
            if may_end:
                os._exit(STOPPED)
            restore()
            signal.raise_signal(number)

    def restore():
        for s, handler in before.items():
            signal.signal(s, handler)

    handlers = {s: signal.getsignal(s) for s in _SIGNALS}
    before = {s: h for s, h in handlers.items() if h not in (signal.SIG_IGN, None)}
    for s in before:
        signal.signal(s, ask)
    try:
        with _listening(request) if may_end else contextlib.nullcontext():
            yield request
    finally:
        restore()


@contextlib.contextmanager
def _listening(request: StopRequest) -> Iterator[None]:
    """A thread that hears signals while the main thread compiles, which may take
    minutes in which Python runs no handler; it ends the process then."""
    hears, told = os.pipe()
    os.set_blocking(told, False)
    before = signal.set_wakeup_fd(told, warn_on_full_buffer=False)

    def listen() -> None:
        while heard := os.read(hears, 1):
            if heard[0] not in _SIGNALS:
                continue
            time.sleep(_PATIENCE)
            sentence = request.when_safe
            if sentence and not request.made:
                for finish in request.finishing:
                    with contextlib.suppress(Exception):
                        finish()
                _say(f"\n{sentence}")
                os._exit(STOPPED)
        os.close(hears)

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(told)


def _say(line: str) -> None:
    # the terminal may be gone, or stuck in a line that this one interrupts
    with contextlib.suppress(OSError, RuntimeError):
        print(line, flush=True)
