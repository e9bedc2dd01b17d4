"""A split at hand: as a store that lies on the devices whole, or as a stream that is
fetched while the step before is computed. Both feed the same batches."""

import collections
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

Batch = dict[str, Any]
_AHEAD = 3  # batches that a stream fetches before they are asked for


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

    def feed(self, batches: Iterable[Batch]) -> Generator[Batch]:
        """What the step takes beside the source: the indices will do."""
        yield from batches


class Part(NamedTuple):
    """Some pictures of a store that several splits lie in: on the devices once, for
    all folds of a comparison."""

    whole: Split
    at: np.ndarray  # places in it  i64[n]

    def __len__(self) -> int:
        return len(self.at)

    @property
    def source(self) -> dict[str, np.ndarray]:
        return self.whole.source

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.whole.names[i] for i in self.at)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.whole.labels[i] for i in self.at)

    def example(self, index: int) -> dict[str, np.ndarray]:
        return self.whole.example(int(self.at[index]))

    def feed(self, batches: Iterable[Batch]) -> Generator[Batch]:
        """The batches, with the places of their pictures in the whole."""
        for batch in batches:
            yield batch | {"index": self.at[batch["index"]]}


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

    def feed(self, batches: Iterable[Batch]) -> Generator[Batch]:
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


def _finished(batch: Batch, coming: list[Future]) -> Batch:
    return _filled(batch, [one.result() for one in coming])


def _filled(batch: Batch, examples: list[dict[str, np.ndarray]]) -> Batch:
    stacked = {word: np.stack([e[word] for e in examples]) for word in examples[0]}
    return {"position": batch["position"], "examples": stacked}
