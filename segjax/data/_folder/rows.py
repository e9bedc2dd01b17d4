"""Rows of a user's pictures: what those with masks and those with joints share."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from segjax.data._cache import data_root
from segjax.data._folder.pairs import Pair
from segjax.data._folder.splits import group_of
from segjax.data._intake import Files, shown


class PictureRows:
    """Pictures of a folder by index, with what a table says of them.

    label, group: columns of the table.
    """

    def __init__(
        self, root: Path, pairs: Sequence[Pair], label: str, group: str | None
    ):
        self._files, self._pairs = Files(root, [], []), pairs
        self._label, self._group = label, group
        self.root = data_root()  # where decoded ones are kept

    def __len__(self) -> int:
        return len(self._pairs)

    @property
    def groups(self) -> list[str] | None:
        """What each comes from."""
        if self._group is None:
            return None
        return [shown(group_of(pair, self._group)) for pair in self._pairs]

    def _said_of(self, pair: Pair) -> dict[str, Any]:
        """An example's words beside its arrays."""
        said = {
            "name": shown(pair.name),
            "label": shown(pair.row.get(self._label, "")),
            "fields": {word: shown(text) for word, text in pair.row.items()},
        }
        group = {"group": shown(group_of(pair, self._group))} if self._group else {}
        return said | group

    def _content_of(self, pair: Pair, files: Sequence[str]) -> tuple:
        """What tells an example from others: all bytes of its files."""
        contents = [self._files.read(file) for file in files]
        digests = [hashlib.blake2b(data, digest_size=16).digest() for data in contents]
        return pair.name, pair.split, pair.row.get(self._label, ""), *digests


def digest(content: Any) -> str:
    """A name for what its text tells from others."""
    return hashlib.sha256(repr(content).encode()).hexdigest()
