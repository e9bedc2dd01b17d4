"""MATLAB's files of version 5, of which arrays of numbers alone are read.

MATLAB, MAT-File Format, MathWorks: a header of 128 bytes, then elements, each a type, a
length and its bytes; an array is an element of elements. Nothing in it is run.
"""

import struct
import zlib
from collections.abc import Iterator

import numpy as np

from segjax.base import Mistake
from segjax.data._intake import MOST_BYTES, shown

_HEADER = 128
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8"}
_NUMBERS |= {12: "i8", 13: "u8"}
_MATRIX, _COMPRESSED = 14, 15
_OF_NUMBERS = range(6, 16)  # classes of arrays: double to uint64
_COMPLEX = 0x800
_DAMAGED = (ValueError, LookupError, StopIteration, struct.error, zlib.error)


def read_mat(data: bytes, file: str) -> dict[str, np.ndarray | None]:
    """A file's variables by name, None for those that are no arrays of real numbers."""
    _check_version(data, file)
    order = {b"IM": "<", b"MI": ">"}.get(data[126:128])
    try:
        if order is None:
            raise ValueError("no order of bytes")
        arrays = {}
        for kind, content in _elements(memoryview(data)[_HEADER:], order):
            if kind == _COMPRESSED:
                whole = memoryview(_decompressed(content))
                kind, content = next(_elements(whole, order))
            if kind == _MATRIX:
                name, array = _variable(content, order)
                arrays[name] = array
        return arrays
    except _DAMAGED as error:
        told = f" ({error})" if str(error) else ""
        raise Mistake(f"{shown(file)} is cut short or damaged{told}.") from None


def _check_version(data: bytes, file: str) -> None:
    if data[:19] == b"MATLAB 7.3 MAT-file" or data[:8] == b"\x89HDF\r\n\x1a\n":
        raise Mistake(
            f"{shown(file)} is a MATLAB file of version 7.3, which is not read; in"
            " MATLAB write it anew: save('joints.mat', 'joints', '-v7')."
        )
    if data[:10] != b"MATLAB 5.0":
        what = f"it begins with {data[:12]!r}" if data else "it is empty"
        raise Mistake(
            f"{shown(file)} is not a MATLAB file of version 5: {what}. Get it anew."
        )


def _elements(data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """Type and bytes of each element."""
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from(f"{order}II", data, at)
        start, step = at + 8, size
        if kind >> 16:  # a small one, of up to 4 bytes beside its type
            kind, size = kind & 0xFFFF, kind >> 16
            start, step = at + 4, 0
        if size > len(data) - start or (not step and size > 4 and start == at + 4):
            raise ValueError("an element is longer than the file")
        yield kind, data[start : start + size]
        is_padded = kind != _COMPRESSED
        at = at + 8 + (step + 7 & ~7 if is_padded else step)


def _decompressed(content: memoryview) -> bytes:
    inflate = zlib.decompressobj()
    found = inflate.decompress(content, MOST_BYTES)
    if not inflate.eof:
        raise ValueError("compressed data without end")
    return found


def _variable(content: memoryview, order: str) -> tuple[str, np.ndarray | None]:
    """Name and values of an array; its columns lie one after another."""
    parts = _elements(content, order)
    flags, shape, name = [_values(next(parts), order) for _ in range(3)]
    called = bytes(name.astype(np.uint8)).decode("latin-1")
    if int(flags[0]) & 0xFF not in _OF_NUMBERS or int(flags[0]) & _COMPLEX:
        return called, None
    if (shape < 0).any():  # which reshape would take for what is left
        raise ValueError("an array of a size below 0")
    values = _values(next(parts), order).astype(np.float64)
    return called, values.reshape(shape.astype(int).tolist(), order="F")


def _values(element: tuple[int, memoryview], order: str) -> np.ndarray:
    kind, content = element
    return np.frombuffer(content, np.dtype(order + _NUMBERS[kind]))
