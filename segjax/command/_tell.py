"""Lines for a reader who may have read enough, as `| head` has."""

import os
import sys
from collections.abc import Iterable


def tell(lines: Iterable[str]) -> None:
    try:
        print(*lines, sep="\n", flush=True)
    except BrokenPipeError:
        # or Python would complain once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
