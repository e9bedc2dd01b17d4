"""The drawn pastures: labels that agree, one scene at every size, visible animals."""

import numpy as np
import pytest

from segjax.data import pasture

INFO = pasture.make_info()
THINGS = [INFO.classes.index(name) for name in INFO.things]


@pytest.fixture(scope="module")
def drawn():
    """Thirty pictures of one set."""
    return [pasture.draw(seed=5, index=k, size=128) for k in range(30)]


def animals(example):
    """The mask and the classes of each animal."""
    instance, semantic = example["instance"], example["semantic"]
    for number in range(1, instance.max() + 1):
        mask = instance == number
        yield mask, set(semantic[mask].tolist())


def test_every_pixel_of_an_animal_and_no_other_has_its_number(drawn):
    for example in drawn:
        instance = example["instance"]
        assert instance.dtype == np.int32
        assert set(np.unique(instance)) == set(range(instance.max() + 1))
        thing = np.isin(example["semantic"], THINGS)
        np.testing.assert_array_equal(thing, instance > 0)
        assert all(len(classes) == 1 for _, classes in animals(example))


def test_no_animal_is_too_small_or_too_much_hidden_to_be_seen(drawn):
    found = [mask for example in drawn for mask, _ in animals(example)]
    assert min(mask.sum() for mask in found) >= 40
    tall = [np.ptp(np.flatnonzero(mask.any(1))) / 128 for mask in found]
    assert np.median(tall) > 0.15  # a share of the picture's height
    assert max(tall) > 0.35


def test_flocks_are_of_all_sizes_with_sheep_in_each_and_few_dogs(drawn):
    kinds = [[classes.pop() for _, classes in animals(e)] for e in drawn]
    counts = [len(k) for k in kinds]
    sheep, dog = THINGS
    assert all(sheep in k for k in kinds)
    assert all(k.count(dog) <= max(1, len(k) / 2) for k in kinds)
    assert 0.05 < sum(k.count(dog) for k in kinds) / sum(counts) < 0.3
    assert min(counts) <= 3
    assert 8 <= max(counts) <= 12
    assert 5 <= np.median(counts) <= 9


def test_animals_hide_each_other(drawn):
    """In most pictures some two touch, which a flood fill of the class would join."""
    touch = 0
    for example in drawn:
        left, right = example["instance"][:, :-1], example["instance"][:, 1:]
        touch += bool(((left != right) & (left > 0) & (right > 0)).any())
    assert touch > 15


def test_every_class_is_met_in_some_pictures_and_named_in_colour(drawn):
    seen = np.zeros(len(INFO.classes), int)
    for example in drawn:
        seen[np.unique(example["semantic"])] += 1
    assert seen.min() >= 8
    assert seen[0] == len(drawn)  # grass, the background
    assert len(set(INFO.colors)) == len(INFO.classes)


def test_a_scene_is_the_same_at_every_size(drawn):
    for k in range(6):
        small, large = pasture.draw(seed=5, index=k, size=64), drawn[k]
        column = (np.arange(85) * 2 * 171 / 170 + 1).astype(int)
        for word, least in (("semantic", 0.93), ("instance", 0.93)):
            same = large[word][1::2, column] == small[word]
            assert same.mean() > least
        assert small["instance"].max() == large["instance"].max()
        tone = large["image"].mean((0, 1)) - small["image"].mean((0, 1))
        assert np.abs(tone).max() < 4
    for size in (1, 2, 9):
        tiny = pasture.draw(seed=5, index=3, size=size)["instance"]
        assert set(np.unique(tiny)) | {0} == set(range(tiny.max() + 1))


def test_seed_and_index_alone_make_a_picture(drawn):
    again = pasture.draw(seed=5, index=2, size=128)
    for word in INFO.provides:
        np.testing.assert_array_equal(again[word], drawn[2][word])
    assert again["name"] == "pasture-00002"
    assert len({example["image"].tobytes() for example in drawn}) == len(drawn)
    other = pasture.draw(seed=6, index=2, size=128)
    assert (other["semantic"] != again["semantic"]).any()


def test_classes_differ_in_colour(drawn):
    """The picture shows what the labels say."""
    tone = np.zeros((len(INFO.classes), 3))
    for c in range(len(INFO.classes)):
        tone[c] = np.concatenate(
            [e["image"][e["semantic"] == c] for e in drawn], dtype=float
        ).mean(0)
    away = np.linalg.norm(tone[:, None] - tone, axis=-1)
    assert away[~np.eye(len(tone), dtype=bool)].min() > 15
    grass, sky = tone[INFO.classes.index("grass")], tone[INFO.classes.index("sky")]
    assert grass.argmax() == 1
    assert sky[2] > grass[2]
