"""What every data set promises; the order of pictures; folds; the drawn nevi."""

import itertools
import json

import numpy as np
import pytest
from PIL import Image

from segjax import data
from segjax.base import VOID, Mistake, find, names
from segjax.data import nevi
from segjax.data._folds import fold_of_split, rows_of

SMALL = {"size": 48, "pictures": 25}
DRAWN = dict.fromkeys(("dancers", "nevi", "pasture"), SMALL)
DRAWN |= {"folder": {}, "joints": {}}
OF_FILES = ("folder", "joints")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Drawn nevi as files, as a user would have them, and joints of nobody."""
    root = tmp_path_factory.mktemp("folder")
    person = [[k + 1, 2 * k + 1, 1] for k in range(14)]
    joints = {str(k): [[*person[:k], None, *person[k + 1 :]]] for k in range(10)}
    (root / "joints.json").write_text(json.dumps(joints))
    for k in range(10):
        example = nevi.draw(seed=1, index=k, size=48)
        for word, array in (("image", example["image"]), ("mask", example["semantic"])):
            path = root / f"{word}s" / f"{k}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(array).save(path)
    return root


@pytest.fixture(params=DRAWN)
def drawn(request, folder):
    name = request.param
    return name, DRAWN[name] | ({"dir": str(folder)} if name in OF_FILES else {})


def pictures_in(config):
    return config.get("pictures", 10)


def test_every_drawn_data_set_is_tested_here():
    prepared = {n for n in names("data") if hasattr(find("data", n), "BUILDER")}
    assert set(names("data")) - prepared == set(DRAWN)


def test_an_example_holds_what_the_data_set_provides(drawn):
    name, config = drawn
    info = data.make_info(name, **config)
    rows = data.open_split(name, "train", **config)
    for example in (rows[0], rows[len(rows) - 1]):
        assert set(info.provides) <= set(example)
        assert example["name"]
        assert example["image"].dtype == np.uint8
        assert example["image"].ndim == 3
        if "semantic" in info.provides:
            semantic = example["semantic"]
            assert semantic.dtype == np.uint8
            assert semantic.shape == example["image"].shape[:2]
            assert set(np.unique(semantic)) <= {*range(len(info.classes)), VOID}
        if "keypoints" in info.provides:
            points = example["keypoints"]
            assert points.dtype == np.float32
            assert points.shape[1:] == (len(info.joints), 3)
            assert set(np.unique(points[..., 2])) <= {0, 1, 2}
            assert len(points) <= info.people
            labelled = points[points[..., 2] > 0]
            assert len(labelled)
            assert (labelled[:, :2] >= -0.5).all()
            assert (labelled[:, :2] <= example["image"].shape[:2]).all()
            joints = list(range(len(info.joints)))
            assert [info.mirror[k] for k in info.mirror] == joints
            assert {end for limb in info.limbs for end in limb} <= set(joints)
    with pytest.raises(IndexError):
        rows[len(rows)]


def test_a_picture_is_the_same_every_time_and_splits_share_none(drawn):
    name, config = drawn
    seen = {}
    for split in data.SPLITS:
        rows = data.open_split(name, split, **config)
        again = data.open_split(name, split, **config)
        for i in range(len(rows)):
            example = rows[i]
            np.testing.assert_array_equal(example["image"], again[i]["image"])
            seen.setdefault(example["image"].tobytes(), []).append((split, i))
    assert len(seen) == pictures_in(config)


def test_folds_test_every_picture_once(drawn):
    name, config = drawn
    tested = [
        data.open_split(name, "test", fold=fold, **config)[i]["name"]
        for fold in range(5)
        for i in range(pictures_in(config) // 5)
    ]
    assert len(set(tested)) == pictures_in(config)


def test_folds_follow_the_rule():
    assert fold_of_split("test", 4) == (4,)
    assert fold_of_split("val", 4) == (0,)
    assert fold_of_split("train", 4) == (1, 2, 3)
    splits = [rows_of(split, 23, 2) for split in data.SPLITS]
    assert sorted(np.concatenate(splits)) == list(range(23))


def test_batches_depend_on_seed_and_step_alone_and_epochs_wrap():
    steps = [data.indices(7, step, 4, 10) for step in range(10)]
    assert [s.tolist() for s in steps] != [
        data.indices(8, k, 4, 10).tolist() for k in range(10)
    ]
    np.testing.assert_array_equal(steps[6], data.indices(7, 6, 4, 10))
    samples = list(itertools.chain(*steps))
    epochs = [samples[k : k + 10] for k in range(0, 40, 10)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4


def test_a_split_is_loaded_in_order_and_fitted():
    split = data.load_split("nevi", "val", size=20, pictures=10)
    rows = data.open_split("nevi", "val", size=20, pictures=10)
    assert len(split) == 2
    assert split.names == tuple(rows[i]["name"] for i in range(2))
    assert {w: a.shape for w, a in split.arrays.items()} == {
        "image": (2, 20, 20, 3),
        "semantic": (2, 20, 20),
    }
    assert split.labels[0] in ("typical nevus", "atypical nevus", "melanoma")


def test_fitting_averages_pictures_and_invents_no_label():
    image = np.zeros((4, 8, 3), np.uint8)
    image[:, ::2] = 100
    semantic = np.full((4, 8), 7, np.uint8)
    semantic[:, 4:] = VOID
    fitted = data.fit_to_size({"image": image, "semantic": semantic}, 4)
    np.testing.assert_array_equal(fitted["image"], np.full((4, 4, 3), 50))
    np.testing.assert_array_equal(fitted["semantic"], [[7, 7, VOID, VOID]] * 4)


def test_nevi_come_in_the_shares_of_ph2():
    """The share of the frame by kind, as measured on PH2: about .25, .25 and .63; the
    melanomas mostly touch the frame's border, the others seldom."""
    rows = data.open_split("nevi", "train", size=48, pictures=500)
    share, touch = {}, {}
    for i in range(len(rows)):
        example = rows[i]
        mask, kind = example["semantic"] == 1, example["label"]
        share.setdefault(kind, []).append(mask.mean())
        border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
        touch.setdefault(kind, []).append(border.any())
    counts = {kind: len(values) for kind, values in share.items()}
    assert counts == {"typical nevus": 120, "atypical nevus": 120, "melanoma": 60}
    assert 0.15 < np.mean(share["typical nevus"]) < 0.35
    assert 0.15 < np.mean(share["atypical nevus"]) < 0.38
    assert 0.5 < np.mean(share["melanoma"]) < 0.75
    assert np.mean(touch["melanoma"]) > 0.6
    assert np.mean(touch["typical nevus"]) < 0.35


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: data.open_split("nevus", "train"), "Did you mean 'nevi'"),
        (lambda: data.open_split("nevi", "validation", size=8), "the split is"),
        (lambda: data.open_split("nevi", "test", size=8, fold=5), "data.fold is 5"),
        (
            lambda: data.open_split("nevi", "test", size=8, pictures=3),
            "The data has 3 pictures",
        ),
        (lambda: data.load_split("nevi", "test", size=8, fit="fill"), "data.fit"),
    ],
)
def test_mistakes_name_the_culprit(call, words):
    with pytest.raises(Mistake, match=words):
        call()


class Masks(list):
    """Rows of one mask each."""

    def __getitem__(self, i):
        mask = super().__getitem__(i)
        image = np.zeros((4, 4, 3), np.uint8)
        return {"image": image, "semantic": mask, "name": f"picture {i}"}


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (np.full((4, 4), 7, np.uint8), r"The mask of picture 0 holds \[7\]"),
        (np.zeros((4, 4, 3), np.uint8), "a mask is one number a pixel"),
        (np.eye(4, dtype=np.uint8) * 255, "write the foreground as 1"),
    ],
)
def test_masks_of_another_coding_are_refused(mask, words, monkeypatch):
    monkeypatch.setattr(nevi, "open_split", lambda split, **_: Masks([mask]))
    with pytest.raises(Mistake, match=words):
        data.load_split("nevi", "train", size=4)
