"""Rows decoded and fitted: once, for a store or the disk, or as they are asked for."""

import functools
import math
import mmap
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from segjax.base import VOID, Info, Mistake, Rows
from segjax.data._cache import Allocate, cached
from segjax.data._fit import Loading, fit_to_size
from segjax.data._split import Split, Stream

_BYTES = {"image": 3, "semantic": 1, "instance": 4}  # a pixel
_LOOKED_AT = 32  # pictures of a stream whose masks are looked at beforehand


def fits_devices(count: int, info: Info, loading: Loading) -> bool:
    """Whether so many fitted pictures, with their masks, fit in loading.memory."""
    return _bytes(count, loading.side, info) <= loading.memory * 1e9


def load(
    rows: Rows,
    info: Info,
    loading: Loading,
    name: str,
    resident: bool = True,
    say: Callable[[str], None] = lambda line: None,
) -> Split | Stream:
    """The rows as a store, if they may be resident on the devices, else as a stream.

    name: of the data set.
    """
    fetch = _fetcher(rows, info, loading)

    def decode(allocate: Allocate) -> Split:
        return _decode(fetch, len(rows), name, allocate)

    found, content = None, getattr(rows, "cache_key", None)
    if content and loading.cache > 0:
        key = f"{name}-{content[:16]}-{loading.fit}-{loading.side}"
        if "keypoints" in info.provides:
            key += f"-{info.people}"
        size, limit = _bytes(len(rows), loading.side, info), int(loading.cache * 1e9)
        found, why = cached(decode, rows.root, key, size, limit)  # type: ignore[attr-defined]
        if found is None:
            say(f"the decoded pictures are not kept on disk: {why}")
    if resident:
        return found or decode(_in_memory)
    threads = loading.threads
    if threads is None:
        threads = os.cpu_count() or 1
    if found is None:
        looked_at = np.linspace(0, len(rows) - 1, _LOOKED_AT).astype(int)
        _check_coding([fetch(int(i))[3] for i in np.unique(looked_at)], name)
        return Stream(lambda i: fetch(i)[:3], len(rows), threads)
    return Stream(functools.partial(_row, found), len(rows), threads)


def _bytes(pictures: int, side: int, info: Info) -> int:
    pixel = sum(_BYTES.get(word, 0) for word in info.provides)
    return pictures * side * side * pixel


def _row(decoded: Split, index: int) -> tuple[dict[str, np.ndarray], str, str]:
    example = {word: array[index] for word, array in decoded.arrays.items()}
    return example, decoded.names[index], decoded.labels[index]


def _fetcher(rows: Rows, info: Info, loading: Loading) -> Callable[[int], tuple]:
    """fetch(index) -> the fitted example, its name, its label, its mask's values."""

    def fetch(index: int):
        example = rows[index]
        values = _check_labels(example, len(info.classes))
        fitted = fit_to_size(example, loading.side, loading.fit, info.people)
        return fitted, example["name"], example.get("label", ""), values

    return fetch


def _decode(fetch: Callable, pictures: int, name: str, allocate: Callable) -> Split:
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
    _check_coding(values, name)
    return Split(arrays, names, labels)


def _check_coding(values: Iterable[set[int]], name: str) -> None:
    """A Mistake for masks of 0 and 255, the commonest coding that is not ours."""
    if set.union(*values) == {0, VOID}:
        raise Mistake(
            f"The masks of data {name!r} hold 0 and {VOID} alone, and {VOID} is a pixel"
            " that does not count; write the foreground as 1."
        )


def _in_memory(word: str, shape: tuple[int, ...], dtype) -> np.ndarray:
    """Pages of their own, which the devices of a CPU read where they are."""
    count = math.prod(shape)
    pages = mmap.mmap(-1, max(1, count * np.dtype(dtype).itemsize))
    return np.frombuffer(pages, dtype, count).reshape(shape)


def _check_labels(example: dict, classes: int) -> set[int]:
    """The mask's values; a Mistake if it has another size, or no class ids."""
    mask, image = example.get("semantic"), example["image"]
    _check_objects(example)
    if mask is None:
        return set()
    if mask.shape != image.shape[:2]:
        raise Mistake(
            f"The mask of {example['name']} is {list(mask.shape)}, its picture"
            f" {list(image.shape)}; a mask is one number a pixel."
        )
    # counted, not sorted: np.unique takes longer than decoding the mask
    is_u8 = mask.dtype == np.uint8
    found = np.flatnonzero(np.bincount(mask.ravel())) if is_u8 else np.unique(mask)
    values = set(found.tolist())
    others = values - {*range(classes), VOID}
    if others:
        raise Mistake(
            f"The mask of {example['name']} holds {sorted(others)[:5]}; a mask holds"
            f" class ids, 0 to {classes - 1}, and {VOID} where a pixel does not count."
        )
    return values


def _check_objects(example: dict) -> None:
    """A Mistake for objects without classes, of two classes, or of another size."""
    ids, mask, name = example.get("instance"), example.get("semantic"), example["name"]
    if ids is None:
        return
    if mask is None:
        raise Mistake(f"{name} has objects and no class for its pixels; give both.")
    if ids.shape != mask.shape:
        raise Mistake(
            f"The objects of {name} are {list(ids.shape)}, its classes"
            f" {list(mask.shape)}; both are one number a pixel."
        )
    seen = (ids > 0) & (mask != VOID)
    pairs = np.unique(ids[seen].astype(np.int64) << 8 | mask[seen])
    twice = pairs[1:][(pairs[1:] >> 8) == (pairs[:-1] >> 8)]
    if len(twice):
        raise Mistake(
            f"Object {twice[0] >> 8} of {name} has pixels of two classes,"
            f" {', '.join(str(p & 255) for p in pairs if p >> 8 == twice[0] >> 8)}; an"
            " object has one."
        )
