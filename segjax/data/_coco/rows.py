"""Examples of prepared COCO by index."""

import hashlib
from typing import Any

import numpy as np

from segjax.data._coco.labels import CROWD, distinct, from_rgb
from segjax.data._coco.legend import Legend, recoding
from segjax.data._intake import decode_mask, decode_picture
from segjax.data._records.prepared import Rows

_CROWD_AS_WRITTEN = 2**24 - 1  # -1 in three bytes


class CocoRows(Rows):
    """Examples of some of the builder's splits, or of some of their pictures.

    legend: as prepared; picked: as wanted, with all of its classes or some.
    """

    def __init__(
        self,
        builder,
        splits: list[str],
        places: np.ndarray | None,
        legend: Legend,
        picked: Legend,
    ):
        super().__init__(builder, splits, places)
        self._recoding = None
        if picked != legend:
            self._recoding = recoding(legend, picked)
            things = [name in picked.things for name in picked.classes]
            self._is_thing = np.pad(things, (0, 256 - len(things)))
            key = repr((self.fingerprint, picked.classes))
            self.cache_key = hashlib.sha256(key.encode()).hexdigest()

    def __getitem__(self, row: int) -> dict[str, Any]:
        record = self._record(int(self._picked[row]))
        name = record["name"].decode()
        instance = from_rgb(decode_picture(record["instance"], name))
        instance[instance == _CROWD_AS_WRITTEN] = CROWD
        semantic = decode_mask(record["semantic"], name)
        if self._recoding is not None:
            semantic = self._recoding[semantic]
            instance = renumber(instance, self._is_thing[semantic])
        example = {
            "image": decode_picture(record["image"], name),
            "semantic": semantic,
            "instance": instance,
            "name": name,
        }
        points = [word for word in ("keypoints", "area") if word in record]
        return example | {word: record[word] for word in points}


def renumber(instance: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The objects that are kept, numbered 1, 2, .. in their order; crowds stay.

    instance: i32[h,w]; kept: bool[h,w] -> i32[h,w]
    """
    instance = np.where(kept, instance, 0)
    known = distinct(instance)
    numbers = np.cumsum(known > 0) * (known > 0) + CROWD * (known == CROWD)
    return numbers.astype(np.int32)[np.searchsorted(known, instance)]
