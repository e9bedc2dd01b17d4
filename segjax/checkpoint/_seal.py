"""What tells that a checkpoint holds what was saved: a checksum of every array, and
one of the record that holds them."""

import json
import os
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np


class Damaged(Exception):
    """A checkpoint is not what was saved; why."""


def describe(tree: Any, shapes_alone: bool = False) -> dict[str, list]:
    """Each array by its name: its shape, type and checksum. {name: [shape, type, crc]}

    shapes_alone: without checksums; shapes will do for arrays.
    """
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    named = {_name(path): leaf for path, leaf in leaves}
    found = {
        name: [list(leaf.shape), np.dtype(leaf.dtype).name]
        for name, leaf in named.items()
    }
    if shapes_alone:
        return found
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        sums = threads.map(_checksum, named.values())
    return {name: [*found[name], crc] for name, crc in zip(named, sums)}


def broken_array(saved: dict[str, list], tree: Any) -> str | None:
    """The name of the first array that is not the one described, if any."""
    found = describe(tree)
    wanted = {n: d for n, d in saved.items() if n.split("/")[0] in tree}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            return name
    return None


def seal(record: dict[str, Any]) -> dict[str, Any]:
    """The record with its own checksum."""
    return record | {"checksum": _of_json(record)}


def unseal(sealed: Any) -> dict[str, Any]:
    """The record, or a ValueError where it was altered."""
    record = dict(sealed)
    if record.pop("checksum", None) != _of_json(record):
        raise ValueError("it was altered")
    return record


def _of_json(record: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(record, sort_keys=True).encode())


def _checksum(array: np.ndarray) -> int:
    flat = np.ascontiguousarray(array).reshape(-1)
    return zlib.crc32(flat.view(np.uint8)) if flat.size else 0


def _name(path) -> str:
    return jax.tree_util.keystr(path, simple=True, separator="/")
