"""Objects told apart: matches and scores worked out anew, maps there and back."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from segjax import tasks
from segjax.base import VOID, Info, Mistake
from segjax.data import fit_to_size
from segjax.data._load import _check_objects
from segjax.ops import objects, rle
from segjax.ops.components import components, grown
from segjax.predict._objects import (
    as_coco,
    describe,
    id_picture,
    thing_categories,
)
from segjax.tasks._match import Kinds, match
from segjax.tasks._quality import average_precision, quality_scores

SLOTS, SIDE = 12, 24
CLASSES = Info(
    ("sky", "grass", "sheep", "dog"),
    things=("sheep", "dog"),
    provides=("image", "semantic", "instance"),
)
ALL = Kinds((False, False, True, True), (True,) * 4)
ONE = Info(("none", "cell"), things=("cell",), provides=CLASSES.provides)
OF_ONE = Kinds((False, True), (False, True))
ALL_CELLS = ONE._replace(classes=("cell", "none"))


def labeling(rng, crowd=True):
    """Random rectangles of all classes over one another, with void and crowd."""
    semantic = np.full((SIDE, SIDE), rng.integers(0, 2), np.uint8)
    instance = np.zeros((SIDE, SIDE), np.int32)
    for number in range(1, rng.integers(3, 9)):
        top, left = rng.integers(0, SIDE - 4, 2)
        box = np.s_[top : top + rng.integers(3, 12), left : left + rng.integers(3, 12)]
        kind = rng.integers(0, 4)
        semantic[box], instance[box] = kind, number if kind > 1 else 0
    if crowd:
        box = np.s_[rng.integers(0, 20) :, rng.integers(0, 20) :]
        semantic[box], instance[box] = 2, -1
        semantic[: rng.integers(0, 6)] = VOID
        instance[semantic == VOID] = 0
    left = np.unique(instance[instance > 0])
    for new, old in enumerate(left, 1):
        instance[instance == old] = new
    return semantic, instance


def nudged(rng, semantic, instance):
    """What a network might make of it: moved, some of it lost, some of it invented."""
    move = tuple(rng.integers(-1, 2, 2))
    semantic, instance = (np.roll(a, move, (0, 1)) for a in (semantic, instance))
    wrong = semantic == VOID
    semantic = np.where(wrong, 0, semantic).astype(np.uint8)
    instance = np.where(wrong | (instance < 0), 0, instance)
    if instance.max() > 1 and rng.random() < 0.5:
        instance[instance == instance.max()] = 1  # two of them taken for one
        semantic[instance == 1] = 3
    if rng.random() < 0.5:
        semantic[10:14, 5:17], instance[10:14, 5:17] = 2, instance.max() + 1
    for number in np.unique(instance[instance > 0]):  # an object has one class
        kinds = semantic[instance == number]
        semantic[instance == number] = np.bincount(kinds).argmax()
    left = np.unique(instance[instance > 0])
    for new, old in enumerate(left, 1):
        instance[instance == old] = new
    return semantic, instance


def segments_of(semantic, instance):
    """{(class, number or 'crowd'): mask}, stuff as number 0."""
    found = {}
    for kind in range(4):
        mask = semantic == kind
        if kind < 2:
            if mask.any():
                found[kind, 0] = mask
            continue
        for number in np.unique(instance[mask]):
            key = "crowd" if number < 1 else int(number)
            found[kind, key] = found.get((kind, key), False) | (
                mask & (instance == number)
            )
    return found


def panoptic_by_sets(truth, called):
    """Each class's IoU, matches, false and missed, mask by mask. f64[4,4]"""
    true = segments_of(*truth)
    said = {k: m for k, m in segments_of(*called).items() if k[1] != "crowd"}
    void = truth[0] == VOID
    sums, met = np.zeros((4, 4)), set()
    for (kind, number), mask in true.items():
        if number == "crowd":
            continue
        for key, other in said.items():
            both = (mask & other).sum()
            iou = both / (mask.sum() + other.sum() - both - (other & void).sum())
            if key[0] == kind and iou > 0.5:
                sums[kind] += iou, 1, 0, 0
                met |= {key}
                break
        else:
            sums[kind, 3] += 1
    for (kind, number), mask in said.items():
        if (kind, number) in met:
            continue
        beside = mask & (void | true.get((kind, "crowd"), False))
        if beside.sum() / mask.sum() <= 0.5:
            sums[kind, 2] += 1
    return sums


_match = jax.jit(match, static_argnames=("kinds", "slots"))


def row_of(truth, called, score=None, kinds=ALL, slots=SLOTS):
    example = {"semantic": jnp.array(truth[0]), "instance": jnp.array(truth[1])}
    score = np.ones(slots, np.float32) if score is None else score
    prediction = {
        "semantic": jnp.array(called[0]),
        "instance": jnp.array(called[1]),
        "score": jnp.array(score),
        "full": False,
    }
    return _match(prediction, example, kinds=kinds, slots=slots)


def decoded(task, example):
    """What a perfect network's maps are read as; and the scores of that."""
    targets = jax.jit(task.encode)(example)
    found = jax.jit(task.decode)(ideal(task, targets))
    row = jax.jit(task.count)(found, example)
    return found, task.score({w: np.asarray(v)[None] for w, v in row.items()})


def test_a_hundred_random_labelings_are_matched_as_panoptic_quality_says():
    rng, matched = np.random.default_rng(0), 0
    for _ in range(100):
        truth = labeling(rng)
        called = nudged(rng, *truth)
        row = row_of(truth, called)
        expected = panoptic_by_sets(truth, called)
        np.testing.assert_allclose(row["quality"], expected, atol=1e-5)
        matched += expected[:, 1].sum()
    assert matched > 150  # it was not all misses


def test_the_truth_itself_scores_one():
    rng = np.random.default_rng(1)
    truth = labeling(rng, crowd=False)
    rows = {w: np.asarray(v)[None] for w, v in row_of(truth, truth).items()}
    scores = quality_scores(rows, CLASSES, ALL)
    perfect = {k: v for k, v in scores.items() if np.isfinite(v)}
    assert perfect.pop("count_error") == 0
    assert set(perfect.values()) == {1.0}
    names = {"pq", "sq", "rq", "pq_things", "rq_stuff", "sq/sheep", "ap", "aji"}
    assert names | {"mean_precision"} <= set(perfect)


def picture(*boxes):
    """A picture of one class with an object in each box (top, left, bottom, right)."""
    ids = np.zeros((SIDE, SIDE), np.int32)
    for number, (top, left, bottom, right) in enumerate(boxes, 1):
        ids[top:bottom, left:right] = number
    return (ids > 0).astype(np.uint8), ids


def scores_of(truth, called, score):
    row = row_of(truth, called, np.pad(score, (0, SLOTS - len(score))), OF_ONE)
    rows = {w: np.asarray(v)[None] for w, v in row.items()}
    return quality_scores(rows, ONE, OF_ONE)


def test_scores_by_hand():
    """Three objects of 16, 16, 12 pixels: one found with IoU 12/16, one wholly, one
    missed; and one called where nothing is."""
    truth = picture((0, 0, 4, 4), (8, 0, 12, 4), (16, 0, 20, 3))
    called = picture((0, 0, 4, 3), (8, 0, 12, 4), (0, 12, 3, 15))
    scores = scores_of(truth, called, [0.9, 0.8, 0.7])
    assert scores["sq"] == pytest.approx((0.75 + 1) / 2)
    assert scores["rq"] == pytest.approx(2 / 3)
    assert scores["pq"] == pytest.approx((0.75 + 1) / 3)
    # up to .70 two of four are right; more than .75 is one
    assert scores["mean_precision"] == pytest.approx((5 * 2 / 4 + 5 * 1 / 5) / 10)
    # recalls up to 2/3 are reached with precision 1: 67 of 101; beyond .75 the first is
    # wrong, so up to 1/3 with precision 1/2: 34 of 101
    assert scores["ap50"] == pytest.approx(67 / 101)
    assert scores["ap"] == pytest.approx((6 * 67 / 101 + 4 * 0.5 * 34 / 101) / 10)
    assert scores["aji"] == pytest.approx((12 + 16) / (16 + 16 + 12 + 9))
    assert scores["count_error"] == 0


def test_average_precision_goes_by_score_over_all_pictures():
    """Two pictures, one object in each: a false alarm between the two."""
    found = np.full((2, 3, 3), -1.0)
    found[0, 0] = 0.9, 0.8, 1
    found[1, 0] = 0.5, 0.8, 1
    found[1, 1] = 0.7, 0.0, 1
    (precision,) = average_precision(found, 1, 2, np.array([0.5]))
    assert precision == pytest.approx((51 * 1 + 50 * 2 / 3) / 101)
    assert np.isnan(average_precision(found, 2, 0, np.array([0.5]))).all()


def test_what_covers_a_crowd_or_void_is_neither_right_nor_wrong():
    semantic, ids = picture((0, 0, 4, 4), (10, 10, 20, 20))
    ids[ids == 2] = -1
    truth = semantic, ids
    for_one = picture((0, 0, 4, 4), (12, 12, 16, 16))
    scores = scores_of(truth, for_one, [0.5, 0.9])
    assert (scores["pq"], scores["ap"], scores["mean_precision"]) == (1, 1, 1)
    semantic = semantic.copy()
    semantic[10:20, 10:20] = VOID
    scores = scores_of((semantic, ids), for_one, [0.5, 0.9])
    assert (scores["pq"], scores["ap"], scores["count_error"]) == (1, 1, 0)


def test_what_no_slot_is_left_for_is_missed():
    """Four objects, room for two: neither they nor what is called there are right."""
    truth = picture((0, 0, 4, 4), (0, 8, 4, 12), (8, 0, 12, 4), (8, 8, 12, 12))
    called = picture((0, 0, 4, 4), (8, 0, 12, 12))
    row = row_of(truth, called, kinds=OF_ONE, slots=2)
    assert row["quality"][1].tolist() == [1, 1, 0, 3]
    assert row["number"].tolist() == [4, 1, 1, 1]
    assert row["overlap"].tolist() == [16, 4 * 16]
    rows = {w: np.asarray(v)[None] for w, v in row.items()}
    scores = quality_scores(rows, ONE, OF_ONE)
    assert (scores["rq"], scores["count_error"]) == (1 / (1 + 3 / 2), 3)


def test_an_overlap_of_just_a_threshold():
    """Enough for average precision, which asks for at least; the nuclei challenge wants
    more."""
    for pixels in (11, 12, 13, 14, 15, 16, 17, 18, 19):  # of 20: .55 to .95
        truth = picture((0, 0, 1, 20))
        scores = scores_of(truth, picture((0, 0, 1, pixels)), [1.0])
        assert scores["ap"] == pytest.approx((pixels - 9) / 10)
        assert scores["mean_precision"] == pytest.approx((pixels - 10) / 10)


def test_a_picture_rightly_called_empty_counts_as_right():
    scores = scores_of(picture(), picture(), [])
    assert scores["count_error"] == 0
    assert np.isnan(scores["pq"])


def test_objects_become_maps_and_objects_again():
    rng = np.random.default_rng(2)
    _, ids = labeling(rng, crowd=False)
    area, middle = objects.places(jnp.array(ids), SLOTS)
    count = ids.max()
    assert [float(a) for a in area[:count]] == np.bincount(ids.ravel())[1:].tolist()
    y, x = np.nonzero(ids == 1)
    np.testing.assert_allclose(middle[0], [y.mean(), x.mean()], rtol=1e-5)
    way = objects.ways(jnp.array(ids), middle)
    there = middle[0] - jnp.array([y[0], x[0]])
    np.testing.assert_allclose(way[y[0], x[0]], there, rtol=1e-5)
    again = objects.nearest(way, middle, area > 0)
    assert (np.where(ids > 0, again, 0) == ids).all()


def test_peaks_are_found_highest_first_and_once():
    heat = np.zeros((9, 9), np.float32)
    heat[1, 1], heat[1, 2] = 0.8, 0.8  # equals, side by side: one peak
    heat[6, 6], heat[6, 8] = 0.9, 0.5  # the lower within the window of the higher
    height, at = objects.peaks(jnp.array(heat), 5, 3)
    assert height[:2].tolist() == pytest.approx([0.9, 0.8])
    assert at[:2].tolist() == [[6, 6], [1, 1]]
    height, _ = objects.peaks(jnp.array(heat[:2, :2]), 3, 9)  # more slots than pixels
    assert height.shape == (9,)
    assert np.isneginf(np.asarray(height[4:])).all()


def test_a_heat_is_one_at_each_middle_alone():
    area, middle = jnp.array([16.0, 9.0, 0.0]), jnp.array([[4, 4], [4, 9], [0, 0]])
    heat = np.asarray(objects.heat(area, middle, (12, 12)))
    assert (heat == 1).sum() == 2
    assert heat[4, 4] == heat[4, 9] == 1
    assert heat[4, 5] == pytest.approx(np.exp(-0.5 / 0.7**2))


def test_components_touch_by_their_sides():
    spiral = np.array(
        [
            [1, 1, 1, 1, 1, 0, 1],
            [0, 0, 0, 0, 1, 0, 0],
            [1, 1, 1, 0, 1, 0, 1],
            [1, 0, 0, 0, 1, 0, 1],
            [1, 1, 1, 1, 1, 0, 1],
        ],
        bool,
    )
    ids, count = components(jnp.array(spiral), 8)
    assert count == 3
    assert [np.unique(ids[spiral & part]).tolist() for part in _columns()] == [
        [1],
        [2, 3],
    ]
    assert ids[2, 6] == 2  # the larger of the two
    few, count = components(jnp.array(spiral), 2)
    assert (few.max(), count, few[0, 6]) == (2, 3, 0)
    assert components(jnp.zeros((3, 3), bool), 4)[1] == 0


def _columns():
    left = np.zeros((5, 7), bool)
    left[:, :6] = True
    return left, ~left


def test_parts_grow_no_farther_than_said():
    ids = jnp.array([[1, 0, 0, 0, 0, 2, 0]])
    mask = jnp.array([[1, 1, 1, 1, 1, 1, 0]], bool)
    assert grown(ids, mask, 1).tolist() == [[1, 1, 0, 0, 2, 2, 0]]
    assert grown(ids, mask, 9).tolist() == [[1, 1, 1, 2, 2, 2, 0]]


def ideal(task, targets):
    """The maps that a perfect network would emit."""
    if "classes" not in targets:
        return {"semantic": 20 * jnp.eye(3)[targets["labels"]]}
    labels = targets["classes"]["labels"]
    heat = jnp.clip(targets["heat"], 1e-4, 1 - 1e-4)
    classes = task.heads.get("semantic", 2)
    semantic = 20 * jnp.eye(classes)[jnp.minimum(labels, classes - 1)]
    return {
        "semantic": semantic,
        "mask": semantic[..., 1:] - 10,
        "center": jnp.log(heat / (1 - heat))[..., None],
        "offset": targets["way"],
    }


def test_perfect_borders_find_every_object():
    task = tasks.make_task("border", ONE, objects=4)
    semantic, ids = map(jnp.array, picture((2, 2, 9, 9), (2, 9, 9, 15), (9, 4, 20, 12)))
    example = {"semantic": semantic, "instance": ids}
    found, scores = decoded(task, example)
    assert (scores["rq"], bool(found["full"])) == (1, False)
    assert scores["sq"] > 0.97  # a corner where three meet may be another's
    found, _ = decoded(tasks.make_task("border", ONE, objects=2), example)
    assert found["full"]
    assert (found["instance"][ids == 3] > 0).all()  # the largest


@pytest.mark.parametrize("name", ["instance", "panoptic"])
def test_perfect_maps_of_random_labelings_decode_perfectly(name):
    task = tasks.make_task(name, CLASSES, objects=SLOTS, apart=0.0)
    rng, looked_at = np.random.default_rng(3), 0
    for _ in range(12):
        semantic, instance = map(jnp.array, labeling(rng, crowd=False))
        area, middle = objects.places(instance, SLOTS)
        middle = np.asarray(middle)[np.asarray(area) > 0]
        away = abs(middle[:, None] - middle).max(-1) + 9 * np.eye(len(middle))
        if not len(middle) or away.min() < 2:
            continue  # middles that touch are one peak
        example = {"semantic": semantic, "instance": instance}
        _, scores = decoded(task, example)
        assert scores["pq"] == 1, scores
        looked_at += 1
    assert looked_at > 5


def test_ways_grow_with_the_picture():
    """Half-size maps, enlarged as a run enlarges them, mean the same objects."""
    from segjax.run._use import _resize

    task = tasks.make_task("instance", ONE, objects=SLOTS)
    semantic, ids = map(jnp.array, picture((2, 2, 10, 10), (2, 12, 10, 20)))
    example = {"semantic": semantic, "instance": ids}
    maps = ideal(task, jax.jit(task.encode)(example))
    large = _resize(maps, (2 * SIDE, 3 * SIDE), task.vectors)
    found = jax.jit(task.decode)(large)
    true = np.kron(np.asarray(ids), np.ones((2, 3), int))
    inner = np.zeros_like(true, bool)
    inner[8:16, 9:27] = inner[8:16, 39:57] = True
    assert (np.asarray(found["instance"])[inner] == true[inner]).all()
    assert (found["score"] >= 0).sum() == 2


@pytest.mark.parametrize(
    ("name", "info", "config", "words"),
    [
        ("instance", CLASSES._replace(things=()), {}, "data.objects=true"),
        ("panoptic", CLASSES._replace(things=()), {}, "data.objects=true"),
        ("border", CLASSES, {}, "the objects of one class apart; the data has sheep"),
        ("instance", ONE, {"objects": 0}, "task.objects is 0"),
        ("instance", ONE, {"apart": 0.7}, "task.apart is 0.7"),
        ("panoptic", CLASSES, {"center": -1}, "task.center is -1"),
        ("border", ONE, {"grow": -1}, "task.grow is -1"),
        ("border", ALL_CELLS, {}, "of this data that is 'cell', which has objects"),
        ("instance", ALL_CELLS, {}, "data.form=instances has a background"),
        (
            "instance",
            ONE._replace(provides=("image", "semantic")),
            {},
            "needs instance",
        ),
    ],
)
def test_mistakes_name_the_culprit(name, info, config, words):
    with pytest.raises(Mistake, match=words):
        tasks.make_task(name, info, **config)


@pytest.mark.parametrize("name", ["instance", "panoptic", "border"])
def test_more_objects_than_slots_is_a_sentence_at_launch(name):
    examples = [
        {"instance": np.arange(n), "semantic": np.ones(n, np.uint8)} for n in (3, 6)
    ]
    found = tasks.settle(name, ONE, iter(examples), objects=5)
    assert found == {"objects": 5}
    with pytest.raises(Mistake, match=r"has 5 objects, and task\.objects is 4"):
        tasks.settle(name, ONE, iter(examples), objects=4)


@pytest.mark.parametrize("name", ["instance", "panoptic"])
def test_class_weights_can_be_measured(name):
    examples = [{"instance": np.zeros(4), "semantic": np.array([0, 0, 0, 1], np.uint8)}]
    asked = {"class_weights": "median_frequency", "objects": 5}
    found = tasks.settle(name, ONE, iter(examples), **asked)
    assert found["class_weights"] == (pytest.approx(2 / 3, rel=1e-5), 2.0)


def test_full_slots_are_told():
    task = tasks.make_task("instance", ONE, objects=2)
    rows = {"number": np.array([[1, 1, 0, 1], [3, 2, 1, 1]])}
    assert "all 2 slots for objects are full in 1 of 2 pictures" in task.remark(rows)
    assert task.remark({"number": np.array([[1, 1, 0, 1]])}) == ""
    maps = {name: np.ones((8, 8, c), np.float32) for name, c in task.heads.items()}
    maps["center"][::4, ::4] = 9  # four peaks for two slots
    assert task.decode(maps)["full"]
    maps["center"][:] = -9
    assert not task.decode(maps)["full"]


def test_what_is_written_of_objects_can_be_read_as_coco():
    semantic, ids = picture((2, 3, 6, 5), (10, 10, 13, 20))
    prediction = {"semantic": semantic, "instance": ids, "score": np.array([0.9, 0.4])}
    first, second = described = describe(prediction, ONE)
    assert (first["area"], first["bbox"], first["class"]) == (8, [3, 2, 2, 4], "cell")
    assert second["score"] == pytest.approx(0.4)
    mask = first["segmentation"]
    assert (rle.decode(mask["counts"], mask["size"]) == (ids == 1)).all()
    about = {"size": [SIDE, SIDE], "source": {"file": "a.png"}, "objects": described}
    content = json.loads(json.dumps(as_coco([about, about], thing_categories(ONE))))
    assert content["categories"] == [{"id": 1, "name": "cell"}]
    assert [one["id"] for one in content["annotations"]] == [1, 2, 3, 4]
    assert [one["image_id"] for one in content["annotations"]] == [1, 1, 2, 2]
    many = np.arange(70_000, dtype=np.int32).reshape(700, 100) % 60_000
    assert (np.asarray(id_picture(many)) == many).all()  # more than 255


def test_objects_without_classes_or_of_two_classes_are_refused():
    semantic, ids = picture((0, 0, 4, 4))
    example = {"image": np.zeros((SIDE, SIDE, 3), np.uint8), "name": "a"}
    with pytest.raises(Mistake, match="a has objects and no class for its pixels"):
        _check_objects(example | {"instance": ids})
    semantic[0, 0] = 0
    with pytest.raises(Mistake, match="Object 1 of a has pixels of two classes, 0, 1"):
        _check_objects(example | {"instance": ids, "semantic": semantic})
    with pytest.raises(Mistake, match="both are one number a pixel"):
        _check_objects(example | {"instance": ids[1:], "semantic": semantic})


def test_fitted_objects_are_numbered_without_gaps():
    """A small object is gone at the smaller size."""
    semantic, ids = picture((0, 0, 8, 8), (9, 9, 10, 10), (12, 0, 24, 24))
    example = {"image": np.zeros((SIDE, SIDE, 3), np.uint8), "semantic": semantic}
    fitted = fit_to_size(example | {"instance": ids}, SIDE // 4, "stretch")
    assert np.unique(fitted["instance"]).tolist() == [0, 1, 2]
    wide = {w: v[:12] for w, v in (example | {"instance": ids}).items()}
    padded = fit_to_size(wide, SIDE, "pad")["instance"]
    assert (padded[12:] == -1).all()
    assert (padded[:12] == np.where(ids[:12] > 2, 3, ids[:12])).all()
