"""What is in the files that an owner hands out: pictures matched to masks, and checked
one by one before anything is written."""

import collections
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from segjax.base import Mistake
from segjax.data._intake import (
    Files,
    decode_mask,
    decode_picture,
    encode_png,
    listed,
    open_files,
    shown,
)

Tick = Callable[[str, int, int], None]  # what is being done, done, of how many


def silent(what: str, done: int, total: int) -> None:
    pass


class Record(NamedTuple):
    """A picture, its mask, and what else the data set says of it."""

    name: str
    split: str  # of the builder
    image: str  # file of the picture
    mask: str  # file of the mask
    fields: dict[str, Any]  # the builder's other features


class Found(NamedTuple):
    """What a scan found. A problem names what is broken; a remark is only told."""

    records: list[Record]
    problems: list[str]
    remarks: list[str]


class Intake(NamedTuple):
    """What a builder writes: the records of each split, from which files."""

    files: Files
    splits: dict[str, list[Record]]
    tick: Tick = silent


class Checked(NamedTuple):
    """Records whose files are whole."""

    records: list[Record]
    sizes: list[tuple[int, int]]  # of each: height, width
    shares: list[float]  # of each: the mask's foreground
    problems: list[str]


def in_threads(work: Callable, items: Iterable) -> Iterator:
    """work(item) for each, in order, by as many threads as there are cores."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        yield from threads.map(work, items)


def check_records(files: Files, records: list[Record], tick: Tick) -> Checked:
    """Every picture and mask decoded once."""
    checked = Checked([], [], [], [])
    done = in_threads(lambda record: _look_at(files, record), records)
    for k, (record, result) in enumerate(zip(records, done), 1):
        if isinstance(result, Mistake):
            checked.problems.append(str(result))
        else:
            checked.records.append(record)
            checked.sizes.append(result[0])
            checked.shares.append(result[1])
        tick("checking", k, len(records))
    if checked.records and not any(checked.shares):
        raise Mistake("Every mask is empty; they are not this data set's.")
    return checked


def look_through(
    scan: Callable[[Files], Found], files: Files, tick: Tick = silent
) -> tuple[Checked, list[str]]:
    """The records that are whole with the problems of all others, and the remarks."""
    found = scan(files)
    checked = check_records(files, found.records, tick)
    problems = [*files.problems, *found.problems, *checked.problems]
    return checked._replace(problems=problems), found.remarks


def take_in(look_through: Callable, assign: Callable, folder: str) -> Intake:
    """What lies in a folder, checked, each record in its split; or a Mistake."""
    files = open_files(folder)
    checked, _ = look_through(files)
    if checked.problems:
        raise Mistake(" ".join(checked.problems[:20]))
    return Intake(files, assign(checked.records))


def examples(intake: Intake, split: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """A split's keys and examples as a builder writes them: PNG, without loss."""
    files, every = intake.files, list(intake.splits)
    before = sum(len(intake.splits[s]) for s in every[: every.index(split)])
    total = sum(map(len, intake.splits.values()))

    def example(record: Record) -> tuple[str, dict[str, Any]]:
        semantic = encode_png(foreground(files, record))
        image = _as_png(files.read(record.image), record.image)
        words = {"image": image, "semantic": semantic, "name": record.name}
        return record.name, words | record.fields

    for k, written in enumerate(in_threads(example, intake.splits[split]), before + 1):
        yield written
        intake.tick("writing", k, total)


def describe(checked: Checked) -> list[str]:
    """Counts by label, sizes and shares, a line each."""
    counts = collections.Counter(r.fields["label"] for r in checked.records)
    sizes = collections.Counter(checked.sizes)
    (h, w), most = sizes.most_common(1)[0]
    tallest, widest = np.max(checked.sizes, axis=0)
    lowest, narrowest = np.min(checked.sizes, axis=0)
    shares = np.array(checked.shares)
    lines = [
        ", ".join(f"{count} {name}" for name, count in counts.items()),
        f"sizes: {lowest} to {tallest} high, {narrowest} to {widest} wide; {most} of"
        f" {len(checked.sizes)} are {h}x{w}",
        f"foreground: {shares.mean():.1%} of a picture, {shares.min():.1%} to"
        f" {shares.max():.1%}",
    ]
    for share, word in ((0, "empty"), (1, "all foreground")):
        names = [r.name for r, s in zip(checked.records, shares) if s == share]
        if names:
            lines.append(f"masks that are {word}: {listed(names)}")
    return lines


def foreground(files: Files, record: Record) -> np.ndarray:
    """The mask: what is brighter than half of its brightest pixel, since masks are 0/1,
    0/255, or any two greys. u8[h,w] 0|1"""
    mask = decode_mask(files.read(record.mask), record.mask)
    return (mask > mask.max() // 2).astype(np.uint8)


def _look_at(files: Files, record: Record):
    """((height, width), share of foreground), or the Mistake."""
    try:
        image = decode_picture(files.read(record.image), record.image)
        mask = foreground(files, record)
        if mask.shape != image.shape[:2]:
            return Mistake(
                f"{shown(record.mask)} is {mask.shape[0]}x{mask.shape[1]}, its picture"
                f" {image.shape[0]}x{image.shape[1]}; a mask has its picture's size."
            )
        return mask.shape, float(mask.mean())
    except Mistake as mistake:
        return mistake


def _as_png(data: bytes, name: str) -> bytes:
    """The picture as an 8-bit RGB PNG: the file's own bytes where it is one."""
    is_png = data[:8] == b"\x89PNG\r\n\x1a\n"
    if is_png and data[24:26] == b"\x08\x02":  # bit depth 8, colour type RGB
        return data
    return encode_png(decode_picture(data, name))
