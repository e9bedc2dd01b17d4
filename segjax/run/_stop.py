"""A request to stop, kept until the loop can follow it."""

import contextlib
import signal
import threading
from collections.abc import Iterator

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StopRequest:
    """Whether someone has asked. A second request stops at once."""

    def __init__(self) -> None:
        self.made = False


@contextlib.contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Signals turned into a request, as long as the block lasts.

    A signal that is ignored stays so: nohup means that a hang-up shall not count.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request  # only the main thread may set handlers
        return

    def ask(number, frame):
        request.made = True
        print(
            "\nStopping at the next step; a second request stops at once.", flush=True
        )
        restore()

    def restore():
        for s, handler in before.items():
            signal.signal(s, handler)

    handlers = {s: signal.getsignal(s) for s in _SIGNALS}
    before = {s: h for s, h in handlers.items() if h not in (signal.SIG_IGN, None)}
    for s in before:
        signal.signal(s, ask)
    try:
        yield request
    finally:
        restore()
