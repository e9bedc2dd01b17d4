"""Skeletons as maps and back, by hand; joints moved with their pictures; what is
written of people; what is refused."""

import collections
import functools
import itertools
import json
import math
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ml_collections import ConfigDict
from PIL import Image

import segjax
from segjax import data, evaluate, predict, tasks
from segjax.__main__ import main
from segjax.base import VOID, Info, Mistake
from segjax.data import Loading, fit_to_size
from segjax.evaluate._measure import _row
from segjax.ops import losses, skeleton
from segjax.ops.augment import augment
from segjax.predict._objects import as_coco
from segjax.predict._people import as_openpose, describe_people, people_category
from segjax.report._comparison import _table
from segjax.run import Run, load_config
from segjax.tasks import _many_people, _one_person
from segjax.tasks._centers import RARE
from segjax.tasks._draw import skeletons

JOINTS = ("head", "left_hand", "right_hand", "left_foot", "right_foot")
LIMBS = ((0, 1), (0, 2), (0, 3), (0, 4))
MIRROR = (0, 2, 1, 4, 3)
INFO = Info(
    ("background", "person"),
    things=("person",),
    joints=JOINTS,
    limbs=LIMBS,
    mirror=MIRROR,
    provides=("image", "semantic", "instance", "keypoints", "area"),
)

CHAIN, RING = ((0, 1), (1, 2)), ((0, 1), (1, 2), (0, 2))
SLOTS, SHAPE = 3, (20, 20)

heat_of = jax.jit(skeleton.heat, static_argnums=1)
fields_of = jax.jit(skeleton.fields, static_argnums=(1, 2))
peaks_of = jax.jit(skeleton.joint_peaks, static_argnums=(1, 2))
strengths_of = jax.jit(skeleton.limb_strengths)
pair_of = jax.jit(skeleton.pair)
join_of = jax.jit(skeleton.join, static_argnums=2)


def people(*places):
    """f32[p,j,3] of each person's joints, (y, x), None for one that is not there."""
    rows = [[(0, 0, 0) if at is None else (*at, 2) for at in one] for one in places]
    return np.array(rows, np.float32)


def crowd(*places):
    """The same with room for four, of three joints each."""
    return people(*places, *[[None] * 3] * (4 - len(places)))


# Maps of skeletons, by hand.


def test_heat_is_a_bell_and_of_several_the_highest():
    some = crowd([(3, 4), (7, 2.5), None], [(3, 6), None, None])
    found = heat_of(some, SHAPE, 1.5)
    assert found[3, 4, 0] == found[3, 6, 0] == 1
    assert found[3, 5, 0] == pytest.approx(math.exp(-1 / 4.5))
    assert found[3, 3, 0] == pytest.approx(math.exp(-1 / 4.5)), "not the sum of both"
    assert found[5, 2, 1] == pytest.approx(math.exp(-(4 + 0.25) / 4.5))
    assert not found[..., 2].any()


def test_fields_are_ways_on_their_limbs_and_the_mean_of_two():
    across, down = [(4, 2), (4, 6), None], [(2, 4), (6, 4), None]
    half = [(1, 9), None, (9, 9)]
    ways, many = fields_of(crowd(across, down, half), CHAIN, SHAPE, 1.0)
    on = np.zeros(SHAPE)
    on[3:6, 1:8] += 1  # a cell to the sides and beyond the ends
    on[1:8, 3:6] += 1
    np.testing.assert_array_equal(many[..., 0], on)
    ways = np.asarray(ways)
    np.testing.assert_allclose(ways[4, 2, 0], [0, 1], atol=1e-6)
    np.testing.assert_allclose(ways[2, 4, 0], [1, 0], atol=1e-6)
    np.testing.assert_allclose(ways[4, 4, 0], [0.5, 0.5], atol=1e-6)
    assert not ways[..., 0, :][on == 0].any()
    assert not ways[..., 1, :].any()


def test_a_limb_that_is_a_dot_leaves_the_others_alone_and_is_joined():
    """Seen end-on, two joints are in one place; no way leads from one to the other."""
    dot, across = [(9, 9), (9, 9), (14, 9)], [(4, 2), (4, 6), None]
    ways, many = fields_of(crowd(dot, across), CHAIN, SHAPE, 1.0)
    alone, of_one = fields_of(crowd(across), CHAIN, SHAPE, 1.0)
    np.testing.assert_array_equal(ways[..., 0, :], alone[..., 0, :])
    np.testing.assert_array_equal(many[..., 0], of_one[..., 0])
    points, sure = found_again(crowd(dot), CHAIN, 3)
    assert (sure > 0).tolist() == [True, False, False]
    np.testing.assert_allclose(points[0, :, :2], dot, atol=1e-3)


def test_maps_of_nobody():
    assert not heat_of(crowd(), SHAPE, 1.0).any()
    ways, many = fields_of(crowd(), CHAIN, SHAPE, 1.0)
    assert not ways.any()
    assert not many.any()
    found = peaks_of(np.zeros((*SHAPE, 3), np.float32), 3, SLOTS)
    assert not found[..., 2].any()
    points, sure = join_of(found, ways, CHAIN, 1)
    assert not points.any()
    assert (sure == -1).all()
    rowless = jax.eval_shape(lambda x: skeleton.heat(x, SHAPE, 1.0), crowd()[:0])
    assert rowless.shape == (*SHAPE, 3)


@pytest.mark.parametrize("sigma", [0.6, 2.5])
def test_the_top_of_a_bell_is_found_between_the_pixels_and_at_the_edge(sigma):
    tops = np.linspace(-0.45, 11.45, 9)
    places = [*itertools.product(tops, tops + 2)]
    heat = heat_of(people(places), (12, 14), sigma)
    found = peaks_of(heat, 3, 1)
    np.testing.assert_allclose(found[:, 0, :2], places, atol=2e-3)
    np.testing.assert_allclose(found[:, 0, 2], heat.max((0, 1)), rtol=1e-6)


def test_the_highest_tops_come_first_and_close_ones_are_one():
    heat = np.zeros((20, 20, 3), np.float32)
    heat[2, 2, 0], heat[8, 8, 0], heat[8, 9, 0], heat[8, 11, 0] = 0.5, 0.9, 0.8, 0.7
    found = peaks_of(heat, 3, SLOTS)
    assert found[0, :, 2].tolist() == pytest.approx([0.9, 0.7, 0.5])
    heat[2, 2] = 0
    assert peaks_of(heat, 3, SLOTS)[0, :, 2].tolist() == pytest.approx([0.9, 0.7, 0])


def test_limbs_are_as_strong_as_the_field_leads_along_them():
    """A field to the right on the whole picture, of 10 rows."""
    field = np.tile(np.float32([0, 0.5]), (10, 30, 1))
    starts = np.float32([[5, 2, 0.9], [5, 4, 0.0]])
    ends = np.float32(
        [[5, 6, 1], [9, 2, 1], [5, 0, 1], [8, 6, 1], [5, 10, 1], [5, 2, 1], [5, 3, 1]]
    )
    found = strengths_of(field, starts, ends)
    far = 0.5 * 10 / 8 - 1  # 8 is more than half of 10
    # of less than a pixel the least, wherever the field leads
    expected = [0.5, 0, 0, 0.5 * 4 / 5, 0.5 + far, 0.05, 0.5]
    assert found[0].tolist() == pytest.approx(expected, abs=1e-6)
    assert not found[1].any(), "a start that is not there"
    field[:, 6:] = 0  # of 10 places from 2 to 6 it leads on at 8
    assert strengths_of(field, starts, ends)[0, 0] == pytest.approx(0.4)
    field[:, 5:] = 0
    assert strengths_of(field, starts, ends)[0, 0] == 0


def test_the_strongest_pair_first():
    found = np.float32([[0.9, 0.8, 0.0], [0.85, 0.1, 0.0], [0.7, 0.0, 0.0]])
    mate, strength = pair_of(found)
    assert mate.tolist() == [0, 1, 3]
    assert strength.tolist() == pytest.approx([0.9, 0.1, 0])
    mate, strength = pair_of(0 * found)
    assert mate.tolist() == [3, 3, 3]
    assert not strength.any()


def found_again(some, limbs, least):
    """What the true maps of some people are read as."""
    found = peaks_of(heat_of(some, SHAPE, 1.0), 3, SLOTS)
    ways, _ = fields_of(some, limbs, SHAPE, 1.0)
    return join_of(found, ways, limbs, least)


def test_two_people_who_cross_keep_their_limbs():
    one = [(2, 2), (10, 10), (18, 17)]
    other = [(2, 17), (8, 14), (18, 4)]
    points, sure = found_again(crowd(one, other), CHAIN, 3)
    assert (sure > 0.7).tolist() == [True, True, False]
    assert sure[2] == -1
    assert not points[2].any()
    found = {round(float(p[0, 1])): p[:, :2] for p in points[:2]}
    np.testing.assert_allclose(found[2], one, atol=0.2)
    np.testing.assert_allclose(found[17], other, atol=0.2)


def test_a_ring_of_limbs_bridges_a_joint_that_is_missing():
    one = crowd([(3, 3), None, (3, 12)])
    points, sure = found_again(one, RING, 2)
    assert (sure > 0).tolist() == [True, False, False]
    assert (points[0, :, 2] > 0).tolist() == [True, False, True]
    np.testing.assert_allclose(points[0, [0, 2], :2], [(3, 3), (3, 12)], atol=1e-3)
    _, sure = found_again(one, CHAIN, 1)
    assert (sure > 0).tolist() == [True, True, False], "without the limb they are two"
    _, sure = found_again(one, CHAIN, 2)
    assert (sure == -1).all(), "each of too few joints"


def test_a_limb_that_is_refused_makes_nobody_surer():
    """Of one joint 0 two limbs lead to joints 2; the weaker of them joins nothing."""
    at = {"a": (3, 3), "b": (3, 13), "c": (13, 13), "other c": (13, 3)}
    found = np.zeros((3, SLOTS, 3), np.float32)
    found[[0, 1, 2], 0] = [(*at["a"], 1), (*at["b"], 1), (*at["c"], 1)]
    found[2, 1] = *at["other c"], 1
    field = np.zeros((20, 20, 3, 2), np.float32)
    field[3, :, 0] = 0, 1
    field[:, 13, 1] = 1, 0
    field[:, 3, 2] = 0.5, 0
    points, sure = join_of(jnp.array(found), jnp.array(field), RING, 1)
    assert sure.tolist() == pytest.approx([(3 / 3 + 2 / 3) / 2, 1 / 3 / 2, -1])
    np.testing.assert_array_equal(points[0, :, :2], [at["a"], at["b"], at["c"]])
    np.testing.assert_array_equal(points[1, 2, :2], at["other c"])


def test_of_more_people_than_room_some_are_found_whole():
    some = crowd(*([(2 + 5 * k, x) for x in (2, 9, 16)] for k in range(4)))
    points, sure = found_again(some, CHAIN, 2)
    assert (sure > 0.9).all()
    at = {tuple(np.round(p[:, 0]).astype(int).tolist()) for p in points}
    assert len(at) == 3
    assert at < {(y, y, y) for y in (2, 7, 12, 17)}


# Losses, by hand.


def test_soft_focal_by_hand():
    logits = jnp.array([[[0.0], [0.0], [math.log(3)], [jnp.inf]]])
    heat = jnp.array([[[1.0], [0.5], [0.25], [0.0]]])
    counts = jnp.array([[[1.0], [1.0], [1.0], [0.0]]])
    entropy = -0.25 * math.log(0.75) - 0.75 * math.log(0.25)  # of 1/4 with 3/4
    expected = 0.25 * math.log(2) + 0 + 0.25 * entropy
    found = jax.jit(losses.soft_focal)(logits, heat, counts)
    assert found == pytest.approx(expected)


def test_place_cross_entropy_by_hand():
    """Shares of 1/4 and 3/4 among the places that count; a second map that nobody
    knows, a third with half of its heat on each."""
    row = np.array([0.0, math.log(3), 5.0])
    logits = np.stack([row] * 3, -1)[None]
    heat = np.array([[[2.0, 0, 1], [0, 0, 1], [9, 1, 9]]])
    counts = np.array([[1.0, 1.0, 0.0]])
    lost, many = entropy_of(logits, heat, counts)
    third = math.log(0.5) - (math.log(0.25) + math.log(0.75)) / 2
    assert (lost, many) == (pytest.approx(math.log(4) + third, rel=1e-5), 2)
    lost, _ = entropy_of(np.log(heat + 1), heat + 1, counts)
    assert lost == pytest.approx(0, abs=1e-6), "the truth itself"
    slope = jax.jit(
        jax.grad(lambda x: losses.place_cross_entropy(x, heat, 0 * counts)[0])
    )
    assert not slope(logits).any(), "nor nan, where nothing counts"


entropy_of = jax.jit(losses.place_cross_entropy)


MANY = {"wide": 1.0, "limbs": CHAIN, "width": 1.0}


@jax.jit
def encoded_for_many(some, counts):
    return _many_people.encode(some, counts, **MANY)


def test_what_is_off_weighs_as_much_as_what_is_on_a_limb():
    """Limbs of 5 and 7 cells, a cell beyond their ends and to their sides: of 512 cells
    21 and 27."""
    targets = encoded_for_many(crowd([(4, 2), (4, 6), (10, 6)]), np.ones((16, 32)))
    loss = jax.jit(lambda m: _many_people.loss(m, targets, heat=0, field=3.0)["field"])
    maps = {"heatmap": np.zeros((16, 32, 3)), "paf": np.zeros((16, 32, 4))}
    lost, weight = loss(maps)
    assert (lost, weight) == (pytest.approx(3 * 48), pytest.approx(2 * 48))
    assert targets["joints"] == 3
    maps["paf"][0, 0, 0] = -0.5
    more, _ = loss(maps)
    off = 48 / (2 * 512 - 48)
    assert more - lost == pytest.approx(3 * 0.25 * off, rel=1e-3)


def test_a_picture_of_nobody_teaches_that_no_limb_is_there():
    """Two limbs, each as a dot of 3 by 3 cells: 18, on the 512 cells of either."""
    targets = encoded_for_many(crowd(), np.ones((16, 32)))
    np.testing.assert_allclose(targets["on"], 18 / (2 * 512), rtol=1e-6)
    loss = jax.jit(lambda m: _many_people.loss(m, targets, heat=0, field=3.0)["field"])
    maps = {"heatmap": np.zeros((16, 32, 3)), "paf": np.zeros((16, 32, 4))}
    assert loss(maps) == (0, pytest.approx(18))
    maps["paf"][..., 1] = 0.5  # the first goes right all over
    assert loss(maps) == (pytest.approx(3 * 0.25 * 9), pytest.approx(18))
    half = np.ones((16, 32))
    half[:, 4:] = 0
    targets = encoded_for_many(crowd(), half)
    assert targets["on"].sum() == pytest.approx(18), "wherever it counts"
    assert not encoded_for_many(crowd(), 0 * half)["on"].any()


def test_nobody_is_blamed_for_joints_that_were_not_marked():
    """Of the one on the left joint 1 is not marked: about him it may be anywhere."""
    some = crowd([(4, 4), None, (12, 6)], [(4, 24), (8, 25), (12, 26)])
    targets = encoded_for_many(some, np.ones((16, 32)))
    assert targets["counts"][..., (0, 2)].min() == 1
    unknown = np.asarray(targets["counts"][..., 1]) == 0
    y, x = np.nonzero(unknown)
    assert unknown.sum() == 15 * 5
    assert (y.min(), y.max(), x.min(), x.max()) == (
        1,
        15,
        3,
        7,
    )  # a quarter, and a cell
    assert not np.asarray(targets["on"])[unknown].any(), "nor for limbs to it"


def test_a_single_persons_joint_where_nothing_counts_is_not_learnt():
    counts = jnp.ones((12, 12)).at[:, 6:].set(0)

    @jax.jit
    def lost(some):
        targets = _one_person.encode(some, counts, wide=1.0)
        maps = {"heatmap": jnp.zeros((12, 12, 2))}
        return _one_person.loss(maps, targets, heat=1.0)["heat"]

    loss, joints = lost(people([(4, 3), (4, 9)]))
    assert joints == 1
    assert loss == pytest.approx(_one_person_alone(), rel=1e-5)


def _one_person_alone():
    """The loss of the joint at 4, 3 on even maps of the half that counts."""
    y, x = np.mgrid[:12, :6]
    bell = np.exp(-((y - 4) ** 2 + (x - 3) ** 2) / 2)
    share = bell / bell.sum()
    return (share * np.log(share * 72)).sum()


def test_pixels_of_crowds_and_of_people_without_joints_do_not_count():
    """And that no joint is beyond the picture is to be learnt."""
    task = tasks.make_task("pose", INFO, stride=2)
    example = picture_of(people([(2, 2)] * 5, [None] * 5))
    ids = np.zeros((16, 16), np.int32)
    ids[:4, :4], ids[8:12, 8:12], ids[8:12, :4] = 1, 2, -1
    semantic = np.zeros((16, 16), np.uint8)
    semantic[14:] = VOID
    semantic[:, 14:], ids[:, 14:] = VOID, -1  # as a margin has it
    example |= {"instance": jnp.array(ids), "semantic": jnp.array(semantic)}
    counts = np.ones((8, 8))
    counts[4:6, 4:6] = counts[4:6, :2] = counts[7, :7] = 0
    found = jax.jit(task.encode)(example)["counts"]
    np.testing.assert_array_equal(found, counts)


# Joints moved with their pictures.


def picture_of(points, size=16):
    return {"image": jnp.zeros((size, size, 3), jnp.uint8), "keypoints": points}


def handed(points):
    """Whether hand, foot and head turn one way or the other."""
    a, b, c = (np.asarray(p, np.float64) for p in points)
    (ay, ax), (by, bx) = b - a, c - a
    return np.sign(ay * bx - ax * by)


TURNS = {
    "flip": ({"flip": True}, MIRROR, 2),
    "quarter": ({"flip": False, "quarter": True}, MIRROR, 8),
    "no sides": ({"flip": True}, (), 2),
}


@pytest.mark.parametrize(("how", "mirror", "count"), TURNS.values(), ids=TURNS)
def test_joints_turn_with_the_picture_and_change_sides_in_a_mirror(how, mirror, count):
    """A dot of its own brightness at each joint."""
    places = [(2, 3), (4, 1), (5, 9), (11, 2), (13, 14)]
    image = np.zeros((16, 16, 3), np.uint8)
    image[tuple(zip(*places))] = np.arange(50, 55)[:, None]
    old = {"image": jnp.array(image), "keypoints": people(places, [None] * 5)}
    keys = jax.random.split(jax.random.key(0), 64)
    new = jax.jit(jax.vmap(lambda k: augment(k, old, mirror, **how)))(keys)
    seen = set()
    for image, (points, nobody) in zip(*jax.tree.map(np.asarray, new).values()):
        image = image[..., 0]
        dots = [tuple(np.argwhere(image == 50 + k)[0].tolist()) for k in range(5)]
        is_mirror = handed(dots[:3]) != handed(places[:3])
        whose = mirror if is_mirror and mirror else range(5)
        np.testing.assert_array_equal(points[:, :2], [dots[k] for k in whose])
        assert (points[:, 2] == 2).all()
        assert not nobody[:, 2].any()
        seen.add((dots[0], bool(is_mirror)))
    assert len(seen) == count
    assert sum(is_mirror for _, is_mirror in seen) == count // 2


AFFINE = {
    "affine": {"rotate": 40.0, "zoom": 0.3, "shift": 0.2},
    "all": {"rotate": 180.0, "zoom": 0.3, "shift": 0.2, "quarter": True, "crop": 32},
}


@pytest.mark.parametrize("how", AFFINE.values(), ids=AFFINE)
def test_joints_stay_on_their_dots_under_every_change(how):
    """A soft dot at each joint, in a colour of its own: where its middle is, as far as
    it is whole, the joint is; joints whose dots are gone are there no more."""
    places = [(20.3, 14.7), (12, 30), (33, 25.5)]
    y, x = np.mgrid[:48, :48]
    bells = [np.exp(-((y - a) ** 2 + (x - b) ** 2) / 4.5) for a, b in places]
    image = jnp.array(255 * np.stack(bells, -1), jnp.float32)
    old = {"image": image, "keypoints": people(places), "area": jnp.array([100.0])}
    how = {"flip": False, **how}
    keys = jax.random.split(jax.random.key(1), 12)
    new = jax.jit(jax.vmap(lambda k: augment(k, old, **how)))(keys)
    new = jax.tree.map(np.asarray, new)
    whole = gone = 0
    for image, (points,), (area,) in zip(*(new[w] for w in old)):
        side = len(image)
        y, x = np.mgrid[:side, :side]
        mass = image.sum((0, 1))
        for k, (py, px, there) in enumerate(points):
            inside = -0.5 < py < side - 0.5 and -0.5 < px < side - 0.5
            assert (there > 0) == inside
            if min(py, px, side - 1 - py, side - 1 - px) > 6:
                middle = [(v * image[..., k]).sum() / mass[k] for v in (y, x)]
                np.testing.assert_allclose((py, px), middle, atol=0.06)
                # a dot twice as large is of a person twice as large
                assert mass[k] / image_mass(bells[k]) == pytest.approx(
                    area / 100, rel=0.1
                )
                whole += 1
            gone += not inside
    assert whole > 8
    assert gone > 0 or "crop" not in how


def image_mass(bell):
    return 255 * bell.sum()


# Joints fitted with their pictures.


def blocks(h, w, corners, joints=2):
    """A picture with a block of 4 x 4 at each of a person's joints, a colour each."""
    image = np.zeros((h, w, 3), np.uint8)
    points = np.zeros((1, joints, 3), np.float32)
    for k, (top, left) in enumerate(corners):
        image[top : top + 4, left : left + 4, k] = 200
        points[0, k] = top + 1.5, left + 1.5, 2
    return {"image": image, "keypoints": points, "name": "a"}


FITTED = {"stretch": (24, 24), "pad": (24, 16), "crop": (24, 16)}


@pytest.mark.parametrize("fit", FITTED)
def test_fitted_joints_lie_on_their_blocks(fit):
    example = blocks(48, 32, [(8, 4), (40, 24)])
    fitted = fit_to_size(example, 24, fit, people=3)
    points, image = fitted["keypoints"], fitted["image"].astype(float)
    assert points.shape == (3, 2, 3)
    assert points.dtype == np.float32
    y, x = np.mgrid[:24, :24]
    for k in (0, 1):
        middle = [(v * image[..., k]).sum() / image[..., k].sum() for v in (y, x)]
        np.testing.assert_allclose(points[0, k, :2], middle, atol=0.02)
    assert points[0, :, 2].tolist() == [2, 2]
    assert not points[1:].any()
    h, w = FITTED[fit]
    area = fit_to_size(example | {"area": np.array([90.0])}, 24, fit, people=3)["area"]
    assert area.tolist() == pytest.approx([90 * h * w / (48 * 32), 0, 0])


def test_who_vanishes_by_fitting_comes_last():
    """The second of four objects has a single pixel, the fourth person none."""
    ids = np.zeros((40, 40), np.int32)
    ids[:10], ids[11, 11], ids[20:] = 1, 2, 3
    points = np.arange(4)[:, None, None] + np.ones((4, 2, 3), np.float32)
    example = {
        "image": np.zeros((40, 40, 3), np.uint8),
        "semantic": (ids > 0).astype(np.uint8),
        "instance": ids,
        "keypoints": points,
        "area": np.array([1, 2, 3, 4], np.float32),
        "name": "a",
    }
    fitted = fit_to_size(example, 10, "stretch", people=6)
    assert np.unique(fitted["instance"]).tolist() == [0, 1, 2]
    assert fitted["keypoints"][:, 0, 2].tolist() == [1, 3, 2, 4, 0, 0]
    assert (fitted["area"] * 16).tolist() == [1, 3, 2, 4, 0, 0]
    assert (points.T == [1, 2, 3, 4]).all(), "the example itself is as it was"
    with pytest.raises(Mistake, match=r"a shows 4 people, and .* shows 3 at most"):
        fit_to_size(example, 10, "stretch", people=3)
    assert fit_to_size(example, 10, "stretch")["keypoints"].shape == (4, 2, 3)
    nobody = example | {"keypoints": points[:0], "area": np.zeros(0)}
    assert not fit_to_size(nobody, 10, "stretch", people=2)["keypoints"].any()


def test_joints_are_kept_on_disk_and_streamed_for_as_many_people(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGJAX_DATA", str(tmp_path / "kept"))
    folder = tmp_path / "mine"
    (folder / "images").mkdir(parents=True)
    rng, joints = np.random.default_rng(0), {}
    for k in range(10):
        image = rng.integers(0, 256, (12, 16, 3), np.uint8)
        Image.fromarray(image).save(folder / "images" / f"{k}.png")
        joints[f"{k}.png"] = (rng.uniform(1, 11, (2, 14, 2))).tolist()
    (folder / "joints.json").write_text(json.dumps(joints))
    of_two, of_three = (
        data.load_split("joints", "train", dir=str(folder), size=8, people=n)
        for n in (2, 3)
    )
    assert of_two.arrays["keypoints"].shape == (6, 2, 14, 3)
    assert of_three.arrays["keypoints"].shape == (6, 3, 14, 3)
    assert len(list((tmp_path / "kept" / "decoded").glob("joints-*/"))) == 2
    rows = data.open_split("joints", "train", dir=str(folder))
    assert data.make_info("joints", dir=str(folder)).people == 2, "as it is found"
    info = data.make_info("joints", dir=str(folder), people=3)
    loading = Loading(size=8, cache=0, threads=0)
    stream = data.load(rows, info, loading, "joints", resident=False)
    for index in (0, 5):
        for word, values in stream.example(index).items():
            np.testing.assert_array_equal(values, of_three.arrays[word][index])


# Read at the network's own size, and written.


def ideal(points, shape, stride, limbs=()):
    """The maps that mean joints, as fine as their picture."""
    h, w = (-(-n // stride) for n in shape)
    y, x = np.mgrid[:h, :w].astype(np.float32)[..., None, None]
    points = points.copy()
    points[..., :2] = (points[..., :2] + 0.5) / stride - 0.5
    away = (y - points[..., 0]) ** 2 + (x - points[..., 1]) ** 2
    heat = (np.exp(-away / 2) * (points[..., 2] > 0)).max(2)
    coarse = {"heatmap": np.log(np.maximum(heat, 1e-9))}
    if limbs:
        odds = np.clip(heat, 1e-6, 1 - 1e-6)
        ways, _ = fields_of(points, limbs, (h, w), 1.0)
        coarse = {"heatmap": np.log(odds / (1 - odds)) - RARE}
        coarse["paf"] = np.asarray(ways).reshape(h, w, -1)
    h, w = shape
    return {
        name: np.repeat(np.repeat(m, stride, 0), stride, 1)[:h, :w]
        for name, m in coarse.items()
    }


class Knowing(Run):
    """A run whose network says the same of all pictures, and rightly of one."""

    def outputs(self, images):
        return {name: maps[None] for name, maps in self.variables.items()}


def knowing(folder, example, size, fit, people=1, stride=2):
    task = tasks.make_task("pose", INFO, people=people, stride=stride)
    side = Loading(size, fit).side
    points = fit_to_size(example, side, fit, people)["keypoints"]
    maps = ideal(points, (side, side), stride, LIMBS if people > 1 else ())
    config = {"data": {"name": "dancers", "size": size, "fit": fit}}
    config |= {"task": {"name": "pose"}, "model": {"name": "none"}}
    return Knowing(folder, ConfigDict(config), INFO, task, None, maps, 0)


ONE = [(10.3, 12.1), (22, 4.4), (26.6, 27.2), (43.7, 8), (45, 29.5)]


@pytest.mark.parametrize(("fit", "stride"), [("stretch", 1), ("pad", 2), ("crop", 3)])
def test_joints_are_found_where_the_picture_has_them(fit, stride, tmp_path):
    """At another size and shape than the network's, to a fifth of a network's pixel."""
    image = np.zeros((48, 32, 3), np.uint8)
    example = {"image": image, "keypoints": people(ONE)}
    of = knowing(tmp_path, example, 24, fit, stride=stride)
    (found,) = of.predict([image])
    np.testing.assert_allclose(found["keypoints"][0, :, :2], ONE, atol=0.4)
    assert (found["keypoints"][..., 2] > 0.5).all()
    assert found["score"].shape == (1,)
    again = of.read(of.seen(image), image.shape)
    np.testing.assert_array_equal(again["keypoints"], found["keypoints"])


def in_a_mirror(points, width):
    """Left and right have changed sides."""
    mirrored = points[:, list(MIRROR)].copy()
    mirrored[..., 1] = width - 1 - mirrored[..., 1]
    return mirrored


# arms whose mirror is the other, told the other way round; hands, whose mirror is
# themselves; legs, each the other's; a limb across that has no twin
SIDED = ((0, 1), (2, 0), (1, 2), (0, 3), (0, 4), (1, 4))


def test_a_picture_and_its_mirror_picture_say_the_same_of_limbs_and_joints():
    info = INFO._replace(limbs=SIDED)
    some = people(ONE, [(y, 31 - x / 2) for y, x in ONE])
    shape = 48, 32
    maps, mirrored = (
        {
            "heatmap": np.asarray(skeleton.heat(of, shape, 2.0)),
            "paf": np.reshape(fields_of(of, SIDED, shape, 1.0)[0], (*shape, -1)),
        }
        for of in (some, in_a_mirror(some, 32))
    )
    back = {name: m[:, ::-1] for name, m in mirrored.items()}
    mean = tasks.make_task("pose", info).mirrored
    alike = mean(maps, back)
    for name in maps:
        np.testing.assert_allclose(alike[name], maps[name], atol=1e-5)
    nothing = {name: 0 * m for name, m in maps.items()}
    half = mean(nothing, back)
    np.testing.assert_allclose(half["heatmap"], maps["heatmap"] / 2, atol=1e-5)
    np.testing.assert_allclose(
        half["paf"][..., :10], maps["paf"][..., :10] / 2, atol=1e-5
    )
    assert not half["paf"][..., 10:].any(), "without a twin, as the picture says"
    sideless = tasks.make_task("pose", info._replace(mirror=())).mirrored
    turned = maps["paf"] * np.tile([0.5, -0.5], len(SIDED))
    np.testing.assert_array_equal(sideless(nothing, maps)["paf"], turned)


class Seeing(Knowing):
    """One whose network knows the picture, its top left lit, and its mirror picture."""

    def outputs(self, images):
        maps = self.variables["mirror" if not images[0, 0, 0].any() else "picture"]
        return {name: m[None] for name, m in maps.items()}


@pytest.mark.parametrize("silhouette", [0.0, 1.0])
def test_joints_are_read_from_a_picture_and_its_mirror_picture(silhouette, tmp_path):
    image = np.zeros((48, 32, 3), np.uint8)
    image[:2, :2] = 200
    points = fit_to_size({"image": image, "keypoints": people(ONE)}, 24, "pad")
    points = points["keypoints"]
    known = {"picture": points, "mirror": in_a_mirror(points, 24)}
    maps = {which: ideal(of, (24, 24), 2) for which, of in known.items()}
    if silhouette:
        left = np.where(np.arange(24) < 8, 3.0, -1.0)[None, :, None] * np.ones(
            (24, 1, 1)
        )
        maps["picture"]["mask"], maps["mirror"]["mask"] = left, 0 * left
    task = tasks.make_task("pose", INFO, silhouette=silhouette)
    config = {"data": {"name": "dancers", "size": 24, "fit": "pad"}}
    config |= {"task": {"name": "pose"}, "model": {"name": "none"}}
    of = Seeing(tmp_path, ConfigDict(config), INFO, task, None, maps, 0)
    (both,) = of.predict([image], tta=True)
    np.testing.assert_allclose(both["keypoints"][0, :, :2], ONE, atol=0.4)
    assert "uncertainty" not in both
    if silhouette:
        sure = 1 / (1 + np.exp(-1.5)), 1 / (1 + np.exp(0.5))
        assert both["probability"][9, [2, 30], 1] == pytest.approx(sure)
    maps["mirror"] = maps["picture"]  # one that has not seen that it is a mirror
    (astray,) = of.predict([image], tta=True)
    assert abs(astray["keypoints"][0, :, :2] - ONE).max() > 2


TWO = (
    [(9, 8), (24, 4), (24, 14), (42, 5), (42, 13)],
    [
        (8, 41),
        (22, 36),
        (30, 48),
        (44, 37),
        (41, 47),
    ],
)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A run that finds two people in pictures of 48 x 56, and has room for no more."""
    folder = tmp_path_factory.mktemp("two")
    some = people(*TWO)
    some[1, 2] = 0  # a hand that nobody marked
    example = {"image": np.zeros((48, 56, 3), np.uint8), "keypoints": some}
    return knowing(folder / "run", example, 28, "pad", people=2), folder


def test_people_are_written_for_coco_and_for_openpose(two, capsys):
    of, folder = two
    for name in ("a", "deep/b"):
        (folder / "pictures" / name).parent.mkdir(parents=True, exist_ok=True)
        image = Image.new("RGB", (56, 48))
        image.save(folder / "pictures" / f"{name}.png")
    out = folder / "out"
    assert predict.predict_files(of, [str(folder / "pictures")], out) == 0
    said = capsys.readouterr().out
    assert "a.png has as many people as there is room for, 2, or more" in said
    assert "Train with a larger task.people." in said
    assert {str(p.relative_to(out)) for p in out.rglob("*.*")} == {
        *(".prediction.json", "coco.json", "a.json", "a_keypoints.json"),
        *(
            "a-overlay.png",
            "deep/b.json",
            "deep/b_keypoints.json",
            "deep/b-overlay.png",
        ),
    }
    left_hand = TWO[0][1]
    about = json.loads((out / "a.json").read_text())
    coco = json.loads((out / "coco.json").read_text())
    openpose = json.loads((out / "deep" / "b_keypoints.json").read_text())
    assert about["files"]["openpose"] == "a_keypoints.json"
    assert coco["categories"][0]["keypoints"] == list(JOINTS)
    assert coco["categories"][0]["skeleton"][0] == [1, 2], "counted from 1"
    assert [one["image_id"] for one in coco["annotations"]] == [1, 1, 2, 2]
    assert len(openpose["people"]) == 2
    for one, other in zip(coco["annotations"][2:], openpose["people"]):
        assert len(one["keypoints"]) == len(other["pose_keypoints_2d"]) == 15
        is_first = one["num_keypoints"] == 5
        if is_first:
            assert one["keypoints"][3:5] == pytest.approx(left_hand[::-1], abs=0.3)
            assert other["pose_keypoints_2d"][3:5] == one["keypoints"][3:5]
            y, x = np.array(TWO[0]).T
            box = [x.min(), y.min(), np.ptp(x), np.ptp(y)]
            assert one["bbox"] == pytest.approx(box, abs=0.5)
        else:
            assert one["keypoints"][6:9] == [0, 0, 0]
            assert other["pose_keypoints_2d"][6:9] == [0, 0, 0]
    assert {one["num_keypoints"] for one in coco["annotations"]} == {4, 5}
    drawn = np.asarray(Image.open(out / "a-overlay.png"))
    assert drawn[9, 8].any()
    assert not drawn[9, 25].any()
    assert predict.predict_files(of, [str(folder / "pictures")], out) == 0
    assert "2 of 2 are done already" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["a_keypoints", "coco"])
def test_a_picture_does_not_take_the_name_of_what_is_written(two, name, tmp_path):
    of, _ = two
    for one in ("a", name):
        Image.new("RGB", (56, 48)).save(tmp_path / f"{one}.png")
    with pytest.raises(Mistake, match=rf"{name}\.png would be told of in {name}\.json"):
        predict.predict_files(of, [f"{tmp_path}/*.png"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_written_of_people_by_hand():
    points = np.zeros((3, 5, 3), np.float32)
    points[0, :2] = (4, 7, 0.5), (10, 3, 0.25)
    points[2, 4] = 1, 2, 1
    prediction = {"keypoints": points, "score": np.array([0.75, -1, 0.5])}
    first, second = found = describe_people(prediction, INFO)
    assert first["keypoints"][:6] == [7, 4, 2, 3, 10, 2]
    assert first["keypoints"][6:] == [0] * 9
    assert (first["bbox"], first["area"]) == ([3, 4, 4, 6], 24)
    assert first["num_keypoints"] == 2
    assert (first["score"], first["class"], second["id"]) == (0.75, "person", 2)
    laid_out = as_openpose(found)
    (one, _) = laid_out["people"]
    assert one["pose_keypoints_2d"][:6] == [7, 4, 0.5, 3, 10, 0.25]
    assert one["pose_keypoints_3d"] == one["hand_left_keypoints_2d"] == []
    about = {"size": [20, 30], "source": {"file": "a.png"}, "objects": found}
    content = as_coco([about], people_category(INFO))
    assert content["annotations"][1]["keypoints"][12:] == [2, 1, 2]
    assert "joint_scores" not in content["annotations"][0]
    assert content["images"][0] == {
        "id": 1,
        "file_name": "a.png",
        "height": 20,
        "width": 30,
    }
    empty = {"keypoints": np.zeros((1, 5, 3)), "score": np.array([0.0])}
    (nothing,) = describe_people(empty, INFO)  # of no joints, and still someone
    assert nothing["bbox"] == [0, 0, 0, 0]


def test_skeletons_are_drawn_as_far_as_they_were_found():
    image = np.zeros((40, 40, 3), np.uint8)
    some = people([(5, 20), (20, 5), (20, 35), (36, 10), None])
    drawn = skeletons(image, some, INFO)
    middle = drawn[11:15, 11:15], drawn[11:15, 26:30], drawn[19:23, 13:17]
    assert all(some.any() for some in middle), "a limb each"
    assert drawn[20, 5, 2] > drawn[20, 5, 0], "cold on the left"
    assert drawn[20, 35, 0] > drawn[20, 35, 2], "warm on the right"
    assert not drawn[:3, :3].any(), "a foot that was not found, at 0, 0"
    assert not image.any()


def test_a_silhouette_is_drawn_below_the_skeleton_where_one_was_asked_for():
    image = np.full((40, 40, 3), 100, np.uint8)
    true, found = (np.zeros((40, 40), np.uint8) for _ in range(2))
    true[:, :10], found[:, 30:] = 1, 1
    some = people([(5, 20), (20, 5), (20, 35), (36, 10), None])
    truth = {"semantic": true, "keypoints": some}
    prediction = {"semantic": found, "keypoints": 0 * some}
    info = INFO._replace(colors=((0, 0, 0), (0, 200, 80)))
    strips = {
        weight: tasks.make_task("pose", info, silhouette=weight).draw
        for weight in (0.0, 1.0)
    }
    bare, tinted = (draw(image, prediction, truth) for draw in strips.values())
    tint = [65, 135, 93]  # 35 parts of 100 the class's colour
    columns = 40 + 2, 40 + 25, 80 + 25, 80 + 35  # in the truth, and in the prediction
    assert [tinted[2, x].tolist() == tint for x in columns] == [
        True,
        False,
        False,
        True,
    ]
    assert (bare[2, columns] == 100).all()
    np.testing.assert_array_equal(tinted[20, 40 + 5], bare[20, 40 + 5])  # a hand on top
    np.testing.assert_array_equal(
        strips[1.0](image, prediction), tinted[:, [*range(40), *range(80, 120)]]
    )
    assert "on the classes" in tasks.make_task("pose", info, silhouette=1.0).panels


# What is scored on what.


def test_other_pictures_must_have_the_joints_that_the_run_knows():
    info = data.make_info("dancers")
    task = tasks.make_task("pose", info)
    config = ConfigDict({"task": {"name": "pose"}, "data": {"name": "dancers"}})
    of = Run(Path("run"), config, info, task, None, {}, 0)
    few = [("data.pictures", "10"), ("data.size", "8")]
    assert len(evaluate.open_pictures(of, "test", "dancers", few)) == 2
    with pytest.raises(Mistake, match="'pose' is scored by keypoints; nevi provides"):
        evaluate.open_pictures(of, "test", "nevi", few)
    other = of._replace(info=info._replace(joints=("toe", *info.joints[1:])))
    with pytest.raises(Mistake, match=r"knows the joints toe, right_knee.*one order"):
        evaluate.open_pictures(other, "test", "dancers", few)


def test_a_picture_is_counted_with_room_for_a_power_of_two_people():
    shapes = {}

    def count(prediction, words):
        shapes.update({word: values.shape for word, values in words.items()})
        return {"people": (words["keypoints"][..., 2] > 0).any(-1).sum()}

    task = tasks.make_task("pose", INFO)._replace(count=count)
    prediction = {"keypoints": np.zeros((1, 5, 3), np.float32)}
    for there, room in ((0, 1), (1, 1), (2, 2), (3, 4), (9, 16)):
        example = {
            "image": np.zeros((4, 5, 3), np.uint8),
            "keypoints": np.ones((there, 5, 3), np.float32),
            "area": np.ones(there, np.float32),
            "name": "a",
        }
        assert _row(task, prediction, example, 2.0)["people"] == there
        assert shapes == {"keypoints": (room, 5, 3), "area": (room,)}


@pytest.mark.parametrize("fit", ["stretch", "pad"])
def test_pictures_of_many_sizes_are_read_and_counted_by_few_programs(fit, tmp_path):
    """And as without a margin: the second of three is a crowd, the third has no joint;
    a joint is called beyond the edge."""
    made = collections.Counter()

    def counted(name, function):
        def told(*words):
            made[name] += 1  # once for each program
            return function(*words)

        return told

    task = tasks.make_task("pose", INFO, people=2, silhouette=1.0)
    told = {name: counted(name, getattr(task, name)) for name in ("decode", "count")}
    config = {"data": {"name": "dancers", "size": 16, "fit": fit}}
    rng = np.random.default_rng(0)
    maps = {n: rng.normal(-2, 2, (16, 16, c)) for n, c in task.heads.items()}
    info, config = INFO, ConfigDict(config)
    of = Knowing(tmp_path, config, info, task._replace(**told), None, maps, 0)
    for h, w in ((33, 256), (48, 32)):
        ids = np.zeros((h, w), np.int32)
        ids[5:20, 4:20], ids[21:, :9], ids[22:, 10:] = 1, -1, 2
        points = people([(9, 8), (12, 19), (14, 4), None, None], [None] * 5)
        example = {
            "semantic": (ids != 0).astype(np.uint8),
            "instance": ids,
            "keypoints": points,
            "area": np.array([240, 99], np.float32),
        }
        image = np.zeros((h, w, 3), np.uint8)
        (found,) = of.predict([image])
        assert found["semantic"].shape == (h, w)
        found["keypoints"][0, 0, :2] = h + 1, 3
        row = _row(of.task, found, example | {"image": image, "name": "a"}, 2.0)
    assert made == {"decode": 1, "count": 1}
    alone = jax.device_get(jax.jit(task.count)(found, example))
    jax.tree.map(np.testing.assert_array_equal, row, alone)


def test_the_report_of_a_comparison_shows_what_decides_of_poses():
    figures = {"mean": 0.5, "low": 0.4, "high": 0.6, "n": 3, "pooled": 0.5}
    for score, others in (("pck", ("ap", "pckh")), ("ap", ("pck", "count_error"))):
        names = [score, "oks", "pck/head", *others]
        content = {
            "score": score,
            "chosen": "one",
            "falling": ["count_error"],
            "table": {"one": dict.fromkeys(names, figures)},
            "choosing": {"one": 0.5},
        }
        text = "".join(_table(content))
        heads = [part.split("<")[0] for part in text.split("<th>")[1:]]
        assert heads[1] == score
        assert {score, "oks", *others} <= set(heads)
        assert "pck/head" not in heads


def test_scores_of_poses_have_their_names_before_anything_is_trained():
    both = tasks.make_task("pose", INFO, people=2, silhouette=1.0)
    found = tasks.score_names(both, INFO)
    assert found[0] == "ap"
    assert {"oks", "count_error", "dice", "iou"} <= set(found)
    alone = tasks.make_task("pose", INFO)
    assert tasks.score_names(alone, INFO)[:2] == ("oks", "ap"), "it has no torso"


def test_the_doctor_looks_at_as_many_people_as_are_asked_for(tmp_path, capsys):
    command = ["doctor", "dancers", f"--sheet={tmp_path / 's.png'}"]
    command += ["--config.data.pictures=10", "--config.data.size=32"]
    assert main([*command, "--config.data.people=3"]) == 0
    assert "1 to 3 a picture; joints span" in capsys.readouterr().out
    bare = tasks.sheet([{"name": "a", **shown(people(ONE))}], INFO)
    assert (bare != tasks.sheet([{"name": "a", **shown(people())}], INFO)).any()


def shown(points):
    """Of 48 x 32, with nobody's mask."""
    image, mask = np.zeros((48, 32, 3), np.uint8), np.zeros((48, 32), np.uint8)
    keypoints = np.asarray(points).reshape(-1, 5, 3)
    return {"image": image, "semantic": mask, "keypoints": keypoints}


# What is refused.

HALVES = INFO._replace(limbs=((0, 1), (0, 2), (3, 4)))
MISTAKES = {
    "no joints": (
        INFO._replace(joints=()),
        {},
        "needs joints, and the data names none",
    ),
    "no key points": (
        INFO._replace(provides=("image",)),
        {},
        "'pose' needs keypoints; the data provides image",
    ),
    "no limbs": (
        INFO._replace(limbs=()),
        {"people": 2},
        r"along limbs, and the data names none.* shows one, --config\.task\.people=1",
    ),
    "a joint that no limb leads to": (
        INFO._replace(limbs=LIMBS[:-1]),
        {"people": 2},
        "No limbs lead from head to right_foot; of several people nobody could say",
    ),
    "a limb to nowhere": (
        INFO._replace(limbs=((0, 99),)),
        {},
        r"limb \(0, 99\) does not join two of its 5 joints",
    ),
    "a mirror of other joints": (
        INFO._replace(mirror=(1, 0)),
        {},
        r"mirror is \(1, 0\); it must say of each of the 5 joints",
    ),
    "a mirror that does not turn back": (
        INFO._replace(mirror=(1, 2, 0, 3, 4)),
        {},
        "and two joints change places",
    ),
    "a crowd in the data": (INFO._replace(people=300), {}, "task.people is 300"),
    "halves": (HALVES, {"people": 2}, "lead from head to left_foot, right_foot"),
    "nobody": (INFO, {"people": 0}, "task.people is 0; it must be from 1 to 256"),
    "everybody": (INFO, {"people": 257}, "task.people is 257"),
    "no stride": (INFO, {"stride": 0}, "task.stride is 0; it must be from 1 to 64"),
    "another length": (INFO, {"lengths": ("foot",)}, "lengths is 'foot'"),
    "no part": (INFO, {"people": 2, "parts": 0}, "task.parts is 0"),
    "too many parts": (INFO, {"people": 2, "parts": 6}, "task.parts is 6; .* 1 to 5"),
    "heat below 0": (INFO, {"heat": -1}, "task.heat is -1"),
    "a field below 0": (INFO, {"field": -1}, "task.field is -1"),
    "no width": (INFO, {"width": 0}, "task.width is 0"),
    "no sigma": (INFO, {"sigma": 0}, "task.sigma is 0"),
    "too far apart": (INFO, {"apart": 0.6}, "task.apart is 0.6"),
    "more than sure": (INFO, {"least": 1.5}, "task.least is 1.5"),
    "nothing to learn": (INFO, {"heat": 0}, "no joint is learnt; set it to 1."),
    "no joints to learn": (
        INFO,
        {"heat": 0, "silhouette": 1},
        "for the silhouette alone take task.name=semantic",
    ),
    "a silhouette of nothing": (
        INFO._replace(provides=("image", "keypoints")),
        {"silhouette": 1},
        r"and the data provides image, keypoints \(.*masks beside them are not read\)",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_a_sentence_each(case):
    info, config, words = MISTAKES[case]
    with pytest.raises(Mistake, match=words) as told:
        tasks.make_task("pose", info, **config)
    assert "\n" not in str(told.value)


def test_too_few_cells_are_told_when_they_are_made():
    example = {"image": np.zeros((96, 96, 3)), "keypoints": people([(5, 5)] * 5)}
    coarse = tasks.make_task("pose", INFO, stride=32)
    with pytest.raises(Mistake, match=r"task\.stride=32 leaves 3 x 3 cells"):
        jax.eval_shape(coarse.encode, example)
    jax.eval_shape(tasks.make_task("pose", INFO, stride=24).encode, example)


def test_one_person_needs_no_limbs_and_no_parts():
    bare = INFO._replace(joints=JOINTS[:2], limbs=(), mirror=())
    assert tasks.make_task("pose", bare).heads == {"heatmap": 2}


def test_two_people_of_two_joints_need_no_option():
    few = INFO._replace(joints=JOINTS[:2], limbs=((0, 1),), mirror=())
    assert tasks.make_task("pose", few, people=2).heads == {"heatmap": 2, "paf": 2}


def test_what_decides_can_be_measured_in_the_pictures():
    """Of people who are shown from the waist up, likeness."""
    info = data.make_info("dancers")._replace(provides=("image", "keypoints"))
    points = np.ones((4, 1, len(info.joints), 3), np.float32)
    examples = [{"keypoints": some} for some in points]
    settled = functools.partial(tasks.settle, "pose", info)
    assert settled(examples) == {}
    points[..., [k for k, name in enumerate(info.joints) if "hip" in name], 2] = 0
    found = settled(examples)
    assert found == {"lengths": ("head",)}
    assert settled(examples, lengths=("torso",)) == {"lengths": ()}
    task = tasks.make_task("pose", info, **found)
    assert tasks.score_names(task, info)[:2] == ("pckh", "oks")
    task = tasks.make_task("pose", info, lengths=())
    assert tasks.score_names(task, info)[0] == "oks"


def test_more_people_than_room_and_joints_of_nobody_are_told_at_launch():
    some = np.zeros((3, 4, 5, 3), np.float32)
    some[1, :3, 0, 2] = 1
    examples = [{"keypoints": one} for one in some]
    settled = functools.partial(tasks.settle, "pose", INFO)
    assert settled(examples, people=3, stride=4) == {"people": 3, "stride": 4}
    assert tasks.settle("pose", INFO._replace(people=3), examples) == {}
    with pytest.raises(Mistake, match=r"shows 3 people, and task\.people is 2; leave"):
        settled(examples, people=2)
    with pytest.raises(Mistake, match="None of the 2 training pictures has a joint"):
        settled(examples[::2])
    named = {"joints": ("a",), "limbs": (), "mirror": (0,)}
    for name, wrong, of in (
        ("dancers", 0, {}),
        ("dancers", 13, {}),
        ("joints", 0, named),
    ):
        with pytest.raises(Mistake, match=rf"data\.people is {wrong}; it must be"):
            data.make_info(name, people=wrong, **of)


def test_there_is_room_for_as_many_people_as_the_data_says_unless_the_task_does():
    slots = {}
    for there, asked in ((1, None), (5, None), (5, 8), (5, 1)):
        info = data.make_info("dancers", people=there)
        task = tasks.make_task("pose", info, people=asked)
        maps = {n: jnp.ones((16, 16, c)) for n, c in task.heads.items()}
        slots[there, asked] = jax.eval_shape(task.decode, maps)["score"].shape
    assert [*slots.values()] == [(1,), (5,), (8,), (1,)]
    split = data.load_split("dancers", "train", size=16, pictures=10, people=5)
    assert split.arrays["keypoints"].shape == (6, 5, 14, 3)
    for preset in ("small", "many"):
        config = load_config(f"pose:{preset}", [("batch", "8")])
        assert "people" not in config.task
    assert segjax.run.build_parts(config).info.people == 5


def test_the_mirror_is_the_datas_and_no_option():
    with pytest.raises(Mistake, match=r"no option 'augment\.mirror'"):
        load_config("pose", [("augment.mirror", "(1, 0)")])
    small = [("data.size", "16"), ("model.depth", "1"), ("batch", "8")]
    config = load_config("pose", small)
    parts = segjax.run.build_parts(config)
    assert parts.augment.keywords["mirror"] == parts.info.mirror != ()


# Whole runs, of two steps.

SMALL = {
    "steps": "2",
    "batch": "8",
    "data.size": "16",
    "data.pictures": "10",
    "model.width": "2",
    "model.depth": "1",
    "log.evaluate": "2",
    "log.pictures": "0",
    "log.tensorboard": "false",
}


def test_one_dancers_joints_are_learnt_and_scored_at_the_pictures_own_size(
    tmp_path, capsys
):
    folder = tmp_path / "run"
    words = [f"--config.{option}={value}" for option, value in SMALL.items()]
    config = "--config=configs/pose.py:small"
    assert main(["train", config, *words, f"--workdir={folder}"]) == 0
    assert (folder / "pictures" / "000000-train.png").is_file()
    assert main(["evaluate", str(folder)]) == 0
    scores = json.loads((folder / "scores.json").read_text())
    assert scores["size"] == "native"
    assert [*scores["scores"]][:4] == ["pck", "pck10", "pckh", "oks"]
    assert {"pck/left_wrist", "ap", "ar"} <= scores["scores"].keys()
    text = (folder / "report.html").read_text()
    assert "Task pose" in text
    assert "each limb in a colour of its own" in text
    of = segjax.load_run(folder)
    (found,) = of.predict([np.zeros((20, 30, 3), np.uint8)])
    assert found["keypoints"].shape == (1, 14, 3)
    Image.new("RGB", (30, 20)).save(tmp_path / "a.png")
    capsys.readouterr()
    assert main(["evaluate", str(folder), "--tta"]) == 0
    assert "their own size, by the mean of two views" in capsys.readouterr().out
    words = [str(tmp_path / "a.png"), f"--out={tmp_path / 'out'}"]
    assert main(["predict", str(folder), *words, "--tta"]) == 0
    assert main(["predict", str(folder), *words, "--calibrated"]) == 2
    said = capsys.readouterr().err
    assert "is not read from probabilities alone; leave --calibrated out" in said


def test_many_dancers_are_learnt_from_a_stream(tmp_path):
    more = {"data.memory": "0", "data.fit": "pad", "data.threads": "0"}
    more |= {"model.stages": "1"}
    config = load_config("configs/pose.py:many", (SMALL | more).items())
    scores = segjax.train_and_evaluate(config, tmp_path / "run")
    assert next(iter(scores["scores"])) == "ap"
    assert scores["scores"]["count_error"]["n"] == 2
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert {"loss/heat", "loss/field", "loss/earlier"} <= json.loads(lines[0]).keys()
