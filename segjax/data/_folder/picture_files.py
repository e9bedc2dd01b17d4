"""The picture files below a user's folder, masks among them."""

import os
from pathlib import Path

from segjax.base import Mistake
from segjax.data._intake import MOST_FILES, shown

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif", ".webp", ".ppm")


def picture_files(folder: Path) -> list[str]:
    """Files that may be pictures, below the folder; links to folders are followed, each
    folder once."""
    found: list[str] = []
    seen: set[str] = set()

    def closed(error: OSError) -> None:
        raise Mistake(f"{shown(error.filename)} cannot be read: {error.strerror}.")

    for at, folders, files in os.walk(folder, onerror=closed, followlinks=True):
        real = os.path.realpath(at)
        if real in seen:
            folders.clear()  # a link back up, or the same folder by two ways
            continue
        seen.add(real)
        folders[:] = sorted(f for f in folders if not _is_spared(f))
        inside = Path(at).relative_to(folder).as_posix()
        for file in files:
            if file.lower().endswith(PICTURES) and not _is_spared(file):
                found.append(file if inside == "." else f"{inside}/{file}")
        if len(found) > MOST_FILES:
            raise Mistake(
                f"{shown(folder)} holds more than {MOST_FILES:,} pictures; give the"
                " folder of the data set itself."
            )
    return sorted(found)


def _is_spared(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"
