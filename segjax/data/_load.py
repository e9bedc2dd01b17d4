"""Rows decoded, fitted, and brought to the training step: as a store that lies on the
devices whole, or as a stream that is decoded while the step before is computed."""

import collections
import functools
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from segjax.base import VOID, Info, Mistake, Rows
from segjax.data._cache import Allocate, Decoded, cached
from segjax.data._fit import fit_to_size, fitted_size

Batch = dict[str, Any]
_BYTES = {"image": 3, "semantic": 1, "instance": 4}  # a pixel
_AHEAD = 3  # batches that a stream decodes before they are asked for


class Split(NamedTuple):
    """A split's pictures, decoded and of one size: what becomes a device's store."""

    arrays: dict[str, np.ndarray]  # word -> [n, ...]
    names: tuple[str, ...]
    labels: tuple[str, ...]  # '' where the data set has none

    def __len__(self) -> int:
        return len(self.names)

    @property
    def source(self) -> dict[str, np.ndarray]:
        """What lies on the devices from the first step to the last."""
        return self.arrays

    def example(self, index: int) -> dict[str, np.ndarray]:
        """One fitted example."""
        return {word: array[index] for word, array in self.arrays.items()}

    def feed(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """What the step takes beside the source: the indices will do."""
        yield from batches


class Stream:
    """A split too large for the devices; its pictures are fetched batch by batch.

    fetch(index) -> the fitted example, its name, its label; threads: 0 for none.
    """

    source: tuple = ()  # nothing lies on the devices

    def __init__(self, fetch: Callable[[int], tuple], pictures: int, threads: int):
        self._fetch, self._threads = fetch, threads
        self.names, self.labels = [""] * pictures, [""] * pictures  # once fetched

    def __len__(self) -> int:
        return len(self.names)

    def example(self, index: int) -> dict[str, np.ndarray]:
        """One fitted example."""
        fitted, self.names[index], self.labels[index] = self._fetch(index)
        return fitted

    def feed(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Each batch with its examples in place of their indices, in the same order
        whatever the threads."""
        if self._threads == 0:
            for batch in batches:
                yield _filled(batch, [self.example(int(i)) for i in batch["index"]])
            return
        waiting: collections.deque[tuple[Batch, list[Future]]] = collections.deque()
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix="stream")
        try:
            for batch in batches:
                coming = [pool.submit(self.example, int(i)) for i in batch["index"]]
                waiting.append((batch, coming))
                if len(waiting) > _AHEAD:
                    yield _finished(*waiting.popleft())
            while waiting:
                yield _finished(*waiting.popleft())
        finally:
            pool.shutdown(cancel_futures=True)


def fits_devices(
    count: int,
    info: Info,
    /,
    *,
    size: int,
    fit: str = "stretch",
    canvas: int | None = None,
    memory: float = 4.0,
    **config,
) -> bool:
    """Whether so many fitted pictures, with their masks, take up to `memory` GB."""
    side = fitted_size(size, fit, canvas)
    return _bytes(count, side, info) <= memory * 1e9


def load(
    rows: Rows,
    info: Info,
    resident: bool = True,
    say: Callable[[str], None] = lambda line: None,
    /,
    *,
    name: str,
    size: int,
    fit: str = "stretch",
    canvas: int | None = None,
    cache: float = 8.0,
    threads: int = 2,
    **config,
) -> Split | Stream:
    """The rows as a store, if they may be resident on the devices, else as a stream.

    cache: GB of disk for decoded pictures, all data sets' together; threads: of a
    stream, 0 for none; config: what opened the rows.
    """
    side = fitted_size(size, fit, canvas)
    size_on_disk = _bytes(len(rows), side, info)
    fetch = _fetcher(rows, len(info.classes), side, fit)

    def decode(allocate: Allocate) -> Decoded:
        return _decode(fetch, len(rows), name, allocate)

    found, fingerprint = None, getattr(rows, "fingerprint", None)
    if fingerprint and cache > 0:
        key = f"{name}-{fingerprint[:16]}-{fit}-{side}"
        found, why = cached(decode, rows.root, key, size_on_disk, int(cache * 1e9))  # type: ignore[attr-defined]
        if found is None:
            say(f"the decoded pictures are not kept on disk: {why}")
    if resident:
        return Split(*(found or decode(_in_memory)))
    if found is None:
        return Stream(lambda i: fetch(i)[:3], len(rows), threads)
    return Stream(functools.partial(_row, found), len(rows), threads)


def _bytes(pictures: int, side: int, info: Info) -> int:
    pixel = sum(_BYTES.get(word, 0) for word in info.provides)
    return pictures * side * side * pixel


def _row(decoded: Decoded, index: int) -> tuple[dict[str, np.ndarray], str, str]:
    example = {word: array[index] for word, array in decoded.arrays.items()}
    return example, decoded.names[index], decoded.labels[index]


def _fetcher(rows: Rows, classes: int, side: int, fit: str) -> Callable[[int], tuple]:
    """fetch(index) -> the fitted example, its name, its label, its mask's values."""

    def fetch(index: int):
        example = rows[index]
        values = _check_labels(example, classes)
        fitted = fit_to_size(example, side, fit)
        return fitted, example["name"], example.get("label", ""), values

    return fetch


def _decode(fetch: Callable, pictures: int, name: str, allocate: Callable) -> Decoded:
    """All examples, by as many threads as there are cores, in arrays of allocate's."""
    first = fetch(0)[0]
    arrays = {
        word: allocate(word, (pictures, *value.shape), value.dtype)
        for word, value in first.items()
    }

    def put(index: int) -> tuple[str, str, set[int]]:
        example, named, label, values = fetch(index)
        for word, value in example.items():
            arrays[word][index] = value
        return named, label, values

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        names, labels, values = zip(*threads.map(put, range(pictures)))
    if set.union(*values) == {0, VOID}:
        raise Mistake(
            f"The masks of data {name!r} hold 0 and {VOID} alone, and {VOID} is a pixel"
            " that does not count; write the foreground as 1."
        )
    return Decoded(arrays, names, labels)


def _in_memory(word: str, shape: tuple[int, ...], dtype) -> np.ndarray:
    return np.empty(shape, dtype)


def _finished(batch: Batch, coming: list[Future]) -> Batch:
    return _filled(batch, [one.result() for one in coming])


def _filled(batch: Batch, examples: list[dict[str, np.ndarray]]) -> Batch:
    stacked = {word: np.stack([e[word] for e in examples]) for word in examples[0]}
    return {"position": batch["position"], "examples": stacked}


def _check_labels(example: dict, classes: int) -> set[int]:
    """The mask's values; a Mistake if it has another size, or no class ids."""
    mask, image = example.get("semantic"), example["image"]
    if mask is None:
        return set()
    if mask.shape != image.shape[:2]:
        raise Mistake(
            f"The mask of {example['name']} is {list(mask.shape)}, its picture"
            f" {list(image.shape)}; a mask is one number a pixel."
        )
    values = set(np.unique(mask).tolist())
    others = values - {*range(classes), VOID}
    if others:
        raise Mistake(
            f"The mask of {example['name']} holds {sorted(others)[:5]}; a mask holds"
            f" class ids, 0 to {classes - 1}, and {VOID} where a pixel does not count."
        )
    return values
