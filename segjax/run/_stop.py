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
    """Signals turned into a request, as long as the block lasts."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request  # only the main thread may set handlers
        return

    def ask(number, frame):
        request.made = True
        for s in _SIGNALS:
            signal.signal(s, before[s])

    before = {s: signal.getsignal(s) for s in _SIGNALS}
    for s in _SIGNALS:
        signal.signal(s, ask)
    try:
        yield request
    finally:
        for s in _SIGNALS:
            signal.signal(s, before[s])
