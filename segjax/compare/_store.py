"""The pictures of all folds in one store: each lies on the devices once."""

from typing import Any

import numpy as np
from ml_collections import ConfigDict

from segjax import data, parallel, run
from segjax.base import Info, Rows
from segjax.log import Progress


class Store:
    """Gives the splits of a fold as parts of one store; pictures that do not fit the
    devices are streamed, each fold's for itself."""

    def __init__(self) -> None:
        self._wholes: dict[str, data.Split] = {}  # by how they are loaded

    def load_splits(
        self, config: ConfigDict, info: Info, rows: dict[str, Rows], progress: Progress
    ) -> dict[str, Any]:
        """As run.load_splits."""
        splits = run.load_splits(config, info, rows, progress)
        stores = [split for split in splits.values() if isinstance(split, data.Split)]
        if len(stores) < len(splits):
            return splits
        names = sorted(name for split in splits.values() for name in split.names)
        loading = data.Loading.of(run.options(config.data))
        key = repr((loading.fit, loading.side, names))
        if key not in self._wholes:
            self._wholes[key] = _joined(stores)
        whole = self._wholes[key]
        place = {name: i for i, name in enumerate(whole.names)}
        return {
            word: data.Part(whole, np.array([place[n] for n in split.names]))
            for word, split in splits.items()
        }


def _joined(splits: list[data.Split]) -> data.Split:
    words = splits[0].arrays
    arrays = {w: np.concatenate([s.arrays[w] for s in splits]) for w in words}
    return data.Split(
        parallel.replicate(arrays),
        tuple(name for s in splits for name in s.names),
        tuple(label for s in splits for label in s.labels),
    )
