"""From rows to batches: fits, the store, the stream, and decoded pictures on disk."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from segjax import data
from segjax.base import VOID, Info, Mistake
from segjax.data import Loading

TWO = Info(("no", "yes"), provides=("image", "semantic"))


class Rows:
    """Eleven pictures of several sizes, each of its own grey."""

    cache_key = "0123456789abcdef"

    def __init__(self, root=None):
        self.root, self.read = root, 0

    def __len__(self):
        return 11

    def __getitem__(self, i):
        self.read += 1
        shape = (6 + i % 3, 9 - i % 2)
        mask = np.zeros(shape, np.uint8)
        mask[: i % 5] = 1
        image = np.random.default_rng(i).integers(0, 256, (*shape, 3), np.uint8)
        named = {"name": f"p{i}", "label": "even" if i % 2 == 0 else "odd"}
        return {"image": image, "semantic": mask, **named}


def load(rows, info, resident=True, say=print, **changes):
    how = Loading(**{"size": 8, "cache": 0.0} | changes)
    return data.load(rows, info, how, "mine", resident, say)


def batches(split, steps=50):
    plans = (data.make_batch(3, k, 4, len(split)) for k in range(steps))
    source = {w: np.asarray(a) for w, a in (split.source or {}).items()}
    for batch in split.feed(plans):
        if source:
            yield {word: array[batch["index"]] for word, array in source.items()}
        else:
            yield batch["examples"]


@pytest.mark.parametrize("threads", [0, 1, 2, 4])
@pytest.mark.parametrize("fit", ["stretch", "pad"])
@pytest.mark.parametrize("cache", [0.0, 1.0])
def test_a_stream_gives_the_batches_of_the_store(threads, fit, cache, tmp_path):
    store = load(Rows(), TWO, fit=fit)
    how = {"fit": fit, "threads": threads, "cache": cache}
    stream = load(Rows(tmp_path), TWO, False, **how)
    assert isinstance(store, data.Split)
    assert isinstance(stream, data.Stream)
    count = 0
    for one, other in zip(batches(store), batches(stream), strict=True):
        count += 1
        for word in one:
            np.testing.assert_array_equal(one[word], other[word])
    assert count == 50
    assert tuple(stream.names) == store.names
    assert tuple(stream.labels) == store.labels


def test_a_stream_reads_ahead_but_not_far_and_can_be_left():
    rows = Rows()
    stream = load(rows, TWO, False, threads=2)
    endless = (data.make_batch(0, k, 4, 11) for k in range(10**9))
    fed = stream.feed(endless)
    next(fed)
    patience = time.monotonic() + 10
    while rows.read - 11 <= 4 and time.monotonic() < patience:
        time.sleep(0.01)
    fed.close()
    assert 4 < rows.read - 11 <= 5 * 4  # 11 looked at beforehand


def test_a_mistake_in_a_streamed_picture_reaches_the_loop():
    rows = Rows()
    bad = Info(("only",), provides=("image", "semantic"))
    with pytest.raises(Mistake, match=r"The mask of p\d+ holds \[1\]"):
        list(load(rows, bad, False).feed([data.make_batch(0, 0, 11, 11)]))


def test_a_stream_refuses_masks_of_another_coding():
    class Others(Rows):
        def __getitem__(self, i):
            example = super().__getitem__(i)
            return example | {"semantic": example["semantic"] * 255}

    with pytest.raises(Mistake, match="write the foreground as 1"):
        load(Others(), TWO, False)


def test_what_fits_the_budget_is_told_by_hand():
    # 1,000 pictures of 4 bytes a pixel: 10 x 10 x 4 x 1,000 = 400 kB
    assert data.fits_devices(1000, TWO, Loading(size=10, memory=0.0004))
    assert not data.fits_devices(1000, TWO, Loading(size=10, memory=0.000399))
    # canvases of a crop are half as large again, so 2.25 times the bytes
    assert not data.fits_devices(1000, TWO, Loading(size=10, memory=0.0004, fit="crop"))
    assert data.fits_devices(1000, TWO, Loading(size=10, memory=0.0009, fit="crop"))


def test_pad_keeps_proportions_and_what_is_beyond_does_not_count():
    image = np.full((2, 4, 3), 200, np.uint8)
    semantic = np.array([[0, 0, 1, 1], [0, 0, 1, 1]], np.uint8)
    fitted = data.fit_to_size({"image": image, "semantic": semantic}, 4, "pad")
    v = VOID
    np.testing.assert_array_equal(
        fitted["semantic"], [[0, 0, 1, 1], [0, 0, 1, 1], [v] * 4, [v] * 4]
    )
    np.testing.assert_array_equal(fitted["image"][:2], image)
    assert (fitted["image"][2:] == 0).all()
    assert data.covered((2, 4), 4, "pad") == (2, 4)
    assert data.covered((300, 200, 3), 64, "crop") == (64, 43)
    assert data.covered((300, 200, 3), 64, "stretch") == (64, 64)


def test_crop_holds_canvases_larger_than_the_crop():
    assert Loading(64, "crop").side == 96
    assert Loading(64, "crop", 70).side == 70
    split = load(Rows(), TWO, fit="crop", canvas=12)
    assert split.arrays["image"].shape == (11, 12, 12, 3)
    with pytest.raises(Mistake, match=r"larger than data\.size, 64"):
        Loading(64, "crop", 64).check()
    with pytest.raises(Mistake, match=r"data\.canvas is for data\.fit=crop"):
        Loading(64, "pad", 96).check()


def test_the_second_start_decodes_nothing(tmp_path):
    rows = Rows(tmp_path)
    first = load(rows, TWO, cache=1.0)
    assert rows.read > 0
    rows.read = 0
    again = load(rows, TWO, cache=1.0)
    assert rows.read == 0
    assert again.names == first.names
    plain = load(Rows(), TWO)
    for word in plain.arrays:
        np.testing.assert_array_equal(again.arrays[word], plain.arrays[word])
    load(rows, TWO, cache=1.0, size=7)
    assert rows.read > 0, "another size is other pictures"


def folders(root):
    return sorted(p for p in (root / "decoded").iterdir() if p.is_dir())


def tear(folder):
    (folder / "image.npy").write_bytes((folder / "image.npy").read_bytes()[:-9])


def alter(folder):
    with (folder / "image.npy").open("r+b") as file:
        file.seek(-3, os.SEEK_END)
        file.write(b"xyz")


def forget(folder):
    (folder / "rows.json").write_text(json.dumps({"names": []}))


def shorten(folder):
    facts = json.loads((folder / "rows.json").read_text())
    facts["names"] = facts["names"][:8]
    (folder / "rows.json").write_text(json.dumps(facts))


@pytest.mark.parametrize("harm", [tear, alter, forget, shorten])
def test_decoded_pictures_that_were_harmed_are_made_again(harm, tmp_path):
    whole = load(Rows(tmp_path), TWO, cache=1.0)
    kept = {word: np.array(array) for word, array in whole.arrays.items()}
    harm(*folders(tmp_path))
    rows = Rows(tmp_path)
    again = load(rows, TWO, cache=1.0)
    assert rows.read > 0
    for word, array in kept.items():
        np.testing.assert_array_equal(again.arrays[word], array)


def test_the_cache_stays_within_its_limit(tmp_path):
    """What was used longest ago goes first; what is larger than the limit stays out."""
    one = 11 * 8 * 8 * 4  # bytes of pictures at size 8; files have headers on top
    load(Rows(tmp_path), TWO, cache=1.0)
    (old,) = folders(tmp_path)
    os.utime(old, (0, 0))
    load(Rows(tmp_path), TWO, cache=1.0, fit="pad")
    assert len(folders(tmp_path)) == 2
    load(Rows(tmp_path), TWO, cache=3 * one / 1e9, size=7)
    assert old not in folders(tmp_path)
    said = []
    found = load(Rows(tmp_path), TWO, True, said.append, cache=1e-9, size=9)
    assert isinstance(found, data.Split)
    assert "not kept on disk: they are 0.0 GB, more than data.cache" in said[0]


def test_a_full_disk_costs_only_the_cache(tmp_path, monkeypatch):
    def full(file, start, length):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    said = []
    found = load(Rows(tmp_path), TWO, True, said.append, cache=1.0)
    assert len(found) == 11
    assert "No space left" in said[0]
    assert folders(tmp_path) == []


def test_launches_at_once_decode_once(tmp_path):
    every = [Rows(tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda rows: load(rows, TWO, cache=1.0), every))
    assert sum(rows.read > 0 for rows in every) == 1
    for one in found[1:]:
        np.testing.assert_array_equal(one.arrays["image"], found[0].arrays["image"])


def test_what_a_killed_process_left_is_cleared(tmp_path):
    dead = tmp_path / "decoded" / "mine-x-1.part"
    dead.mkdir(parents=True)
    load(Rows(tmp_path), TWO, cache=1.0)
    assert dead not in folders(tmp_path)
