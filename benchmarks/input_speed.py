"""How fast do pictures come? The store, the stream, and Grain, in one run.

    python -m segjax prepare ph2 --from PH2Dataset
    python benchmarks/input_speed.py [--data DIR] [--size 256]

Start: the train split read for the first time, and again. Then batches of 16, in turns,
so that a noisy machine is noisy for all: decoded anew for each batch (PNG, fitted), or
taken from the decoded pictures on disk; by 0, 1, 2 and 4 threads. Medians of several
rounds. Grain reads the same rows, fitted by the same function (pip install grain; left
out where it is not installed).
"""

import argparse
import importlib.util
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import jax
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from segjax import data, parallel
from segjax.base import Mistake

BATCH = 16


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="where ph2 was prepared to")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=12)
    flags = parser.parse_args()
    where = {"dir": flags.data} if flags.data else {}
    try:
        rows = data.open_split("ph2", "train", **where)
    except Mistake as mistake:
        print(f"input_speed: {mistake}", file=sys.stderr)
        return 2
    h, w = rows[0]["image"].shape[:2]
    print(f"{len(rows)} pictures of PH2 such as {h}x{w}, fitted to {flags.size}")
    rows.root = Path(tempfile.mkdtemp())  # a cache of our own
    try:
        starts(rows, flags.size)
        report(ways(rows, flags.size), flags)
    finally:
        shutil.rmtree(rows.root)
    check_equal(rows, flags.size)
    return 0


def starts(rows, size: int) -> None:
    for what in ("first", "second"):
        started = time.perf_counter()
        loaded(rows, size)
        print(f"{what} start: {time.perf_counter() - started:.2f} s")


def loaded(rows, size: int, resident: bool = True, **config):
    how = data.Loading(size, **config)
    return data.load(rows, data.make_info("ph2"), how, "ph2", resident)


def ways(rows, size: int) -> dict:
    """{what: batches -> the seconds that they took}"""
    found = {"store (indices only; the step gathers)": from_store(rows, size)}
    for threads in (0, 1, 2, 4):
        for cache, kind in ((0.0, "decoded anew"), (8.0, "decoded on disk")):
            split = loaded(rows, size, False, threads=threads, cache=cache)
            found[f"stream, {kind}, {threads} threads"] = from_stream(split)
    if importlib.util.find_spec("grain"):
        for threads in (1, 2, 4):
            found[f"Grain, decoded anew, {threads} threads"] = grain(
                rows, size, threads
            )
    return found


def plans(pictures: int, batches: int):
    return (data.make_batch(0, k, BATCH, pictures) for k in range(batches))


def from_store(rows, size: int):
    split = loaded(rows, size)
    source = parallel.replicate(split.source)
    gather = jax.jit(
        lambda store, index: {word: array[index] for word, array in store.items()}
    )

    def take(batches: int) -> float:
        started = time.perf_counter()
        for batch in split.feed(plans(len(split), batches)):
            jax.block_until_ready(gather(source, batch["index"]))
        return time.perf_counter() - started

    take(1)  # compiles
    return take


def from_stream(split):
    def take(batches: int) -> float:
        started = time.perf_counter()
        for _ in split.feed(plans(len(split), batches)):
            pass
        return time.perf_counter() - started

    return take


def grain(rows, size: int, threads: int):
    import grain.python as grain_

    def fit(index: int):
        return data.fit_to_size(rows[int(index)], size)

    def take(batches: int) -> float:
        order = np.concatenate([p["index"] for p in plans(len(rows), batches)])
        options = grain_.ReadOptions(
            num_threads=threads, prefetch_buffer_size=3 * BATCH
        )
        started = time.perf_counter()
        read = grain_.MapDataset.source(order).map(fit).to_iter_dataset(options)
        for _ in read.batch(BATCH):
            pass
        return time.perf_counter() - started

    return take


def report(takes: dict, flags) -> None:
    """In turns: one round of every way, then the next."""
    seconds: dict[str, list[float]] = {what: [] for what in takes}
    for _ in range(flags.rounds):
        for what, take in takes.items():
            seconds[what].append(take(flags.batches))
    pictures = BATCH * flags.batches
    for what, taken in seconds.items():
        rates = sorted(pictures / t for t in taken)
        print(
            f"{what:<42}{statistics.median(rates):>9,.0f} pictures/s"
            f"  ({rates[0]:,.0f} to {rates[-1]:,.0f})"
        )


def check_equal(rows, size: int) -> None:
    store = loaded(rows, size, cache=0.0)
    for threads in (0, 1, 2, 4):
        stream = loaded(rows, size, False, threads=threads, cache=0.0)
        fed = stream.feed(plans(len(rows), 50))
        for plan, batch in zip(plans(len(rows), 50), fed, strict=True):
            for word, array in store.arrays.items():
                np.testing.assert_array_equal(
                    array[plan["index"]], batch["examples"][word]
                )
    print("50 batches of the stream equal the store's, with 0, 1, 2 and 4 threads")


if __name__ == "__main__":
    sys.exit(main())
