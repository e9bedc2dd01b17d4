"""Silence for what a failed read or write still says after it was told."""

from collections.abc import Callable


def without_echoes(show: Callable) -> Callable:
    """The hook for exceptions that nobody can catch, deaf to storage threads that
    report to a loop which ended with the failure that they report: thousands of
    tracebacks of no use."""

    def hook(unraisable) -> None:
        is_echo = str(unraisable.exc_value) == "Event loop is closed"
        if not is_echo or unraisable.exc_type is not RuntimeError:
            show(unraisable)

    return hook
