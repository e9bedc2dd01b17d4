"""The drawn dancers: labels that agree, joints on bodies, people in sight."""

import itertools

import numpy as np
import pytest

from segjax import data
from segjax.base import Mistake
from segjax.data import dancers
from segjax.data._canvas import canvas_shape
from segjax.data._dancers.dancer import make_build
from segjax.data._dancers.moves import MOVES, make_pose
from segjax.data._dancers.paint import silhouette
from segjax.data._dancers.scene import plan_scene
from segjax.data._dancers.skeleton import ANKLE, JOINTS, pose_body

INFO = dancers.make_info()
SEEN, HIDDEN, OUT = 2, 1, 0


@pytest.fixture(scope="module")
def crowds():
    """Forty pictures of up to five dancers."""
    return [dancers.draw(seed=5, index=k, size=128, people=5) for k in range(40)]


@pytest.fixture(scope="module")
def small():
    """Twenty small ones of one dancer."""
    return [dancers.draw(seed=5, index=k, size=48) for k in range(20)]


def check_labels(example, size):
    """What holds of the labels of every picture."""
    shape = canvas_shape(size)
    instance, keypoints = example["instance"], example["keypoints"]
    count = len(keypoints)
    assert {word: example[word].dtype for word in INFO.provides} == {
        "image": np.uint8,
        "semantic": np.uint8,
        "instance": np.int32,
        "keypoints": np.float32,
        "area": np.float32,
    }
    assert example["image"].shape == (*shape, 3)
    assert example["semantic"].shape == instance.shape == shape
    assert keypoints.shape == (count, 14, 3)
    assert set(np.unique(instance)) | {0} == set(range(count + 1))
    np.testing.assert_array_equal(example["semantic"], instance > 0)
    pixels = np.bincount(instance.ravel(), minlength=count + 1)[1:]
    np.testing.assert_array_equal(example["area"], pixels)


def test_labels_agree_at_every_size(crowds, small):
    for example in crowds:
        check_labels(example, 128)
    for example in small:
        check_labels(example, 48)
        assert len(example["keypoints"]) == 1
    check_labels(dancers.draw(seed=1, index=0, size=200, people=3), 200)
    for size in (1, 2, 9):
        check_labels(dancers.draw(seed=1, index=0, size=size, people=5), size)


def test_joints_that_are_seen_lie_on_their_dancer(crowds, small):
    for example in crowds + small:
        h, w = example["instance"].shape
        for number, points in enumerate(example["keypoints"], 1):
            assert set(points[:, 2]) <= {SEEN, HIDDEN, OUT}
            assert (points[points[:, 2] == OUT] == 0).all()
            y, x = np.rint(points[points[:, 2] != OUT, :2]).astype(int).T
            assert ((y >= 0) & (y < h) & (x >= 0) & (x < w)).all()
            y, x = np.rint(points[points[:, 2] == SEEN, :2]).astype(int).T
            assert (example["instance"][y, x] == number).all()


def test_some_joints_are_hidden_and_few_are_out_of_the_picture(crowds):
    flags = np.concatenate([e["keypoints"][..., 2].ravel() for e in crowds])
    shares = [float((flags == v).mean()) for v in (OUT, HIDDEN, SEEN)]
    assert 0.001 < shares[OUT] < 0.08
    assert 0.1 < shares[HIDDEN] < 0.4
    # a joint may be hidden by its own body, or by what stands before it
    own = others = 0
    for example in crowds:
        for number, points in enumerate(example["keypoints"], 1):
            y, x = np.rint(points[points[:, 2] == HIDDEN, :2]).astype(int).T
            before = example["instance"][y, x]
            own += int((before == number).sum())
            others += int((before != number).sum())
    assert own > 100
    assert others > 20


def test_there_are_one_to_as_many_dancers_as_are_wanted(crowds):
    counts = [len(example["keypoints"]) for example in crowds]
    assert set(counts) == {1, 2, 3, 4, 5}
    with pytest.raises(Mistake, match=r"data\.people is 0"):
        dancers.open_split("train", people=0)


def test_of_everyone_enough_is_seen():
    for k in range(40):
        example = dancers.draw(seed=6, index=k, size=96, people=5)
        rng = np.random.default_rng([6, k]).spawn(1)[0]
        standing = plan_scene(rng, 5).standing[::-1]  # the nearest first
        figures = [one.figure for one in standing if one.dancer is not None]
        assert len(figures) == len(example["area"])
        for figure, area in zip(figures, example["area"]):
            whole = silhouette(figure, 96).mask
            assert area > 0.3 * whole.sum()


def test_dancers_hide_each_other(crowds):
    """In many pictures some two touch, which a flood fill would join."""
    touch = 0
    for example in crowds:
        left, right = example["instance"][:, :-1], example["instance"][:, 1:]
        touch += bool(((left != right) & (left > 0) & (right > 0)).any())
    assert touch > 12


def test_a_dancer_alone_is_large(small):
    tall = [np.ptp(np.flatnonzero(e["instance"].any(1))) / 48 for e in small]
    assert min(tall) > 0.2  # one that sits, or is cut
    assert np.median(tall) > 0.5


def test_a_scene_is_the_same_at_every_size(crowds):
    for k in range(6):
        large = crowds[k]
        half = dancers.draw(seed=5, index=k, size=64, people=5)
        column = (np.arange(85) * 2 * 171 / 170 + 1).astype(int)
        same = large["instance"][1::2, column] == half["instance"]
        assert same.mean() > 0.95
        tone = large["image"].mean((0, 1)) - half["image"].mean((0, 1))
        assert np.abs(tone).max() < 4
        one, two = large["keypoints"], half["keypoints"]
        seen = (one[..., 2] > 0) & (two[..., 2] > 0)
        middle = np.array([128 / 2 - 0.5, 171 / 2 - 0.5])
        away = (one[..., :2] - middle) / 2 - two[..., :2] + (31.5, 42)
        assert np.abs(away[seen]).max() < 1e-3


def test_seed_and_index_alone_make_a_picture(crowds):
    again = dancers.draw(seed=5, index=2, size=128, people=5)
    for word in INFO.provides:
        np.testing.assert_array_equal(again[word], crowds[2][word])
    assert again["name"] == "dancers-00002"
    assert len({example["image"].tobytes() for example in crowds}) == len(crowds)
    other = dancers.draw(seed=6, index=2, size=128, people=5)
    assert (other["semantic"] != again["semantic"]).any()


def test_splits_share_no_picture():
    config = {"size": 16, "pictures": 25, "fold": 2}
    names = []
    for split in data.SPLITS:
        rows = data.open_split("dancers", split, **config)
        names += [rows[i]["name"] for i in range(len(rows))]
    assert sorted(names) == [f"dancers-{k:05d}" for k in range(25)]


def test_a_mirror_swaps_left_and_right():
    for joint, other in enumerate(INFO.mirror):
        assert INFO.mirror[other] == joint
        swapped = INFO.joints[joint].replace("right", "?").replace("left", "right")
        assert INFO.joints[other] == swapped.replace("?", "left")
    turned = {tuple(sorted((INFO.mirror[a], INFO.mirror[b]))) for a, b in INFO.limbs}
    assert turned == {tuple(sorted(limb)) for limb in INFO.limbs}


def test_limbs_are_a_tree():
    reached = {INFO.limbs[0][0]}
    assert len(INFO.limbs) == len(INFO.joints) - 1
    for a, b in INFO.limbs:  # from the head outwards
        assert a in reached
        assert b not in reached
        reached.add(b)
    assert reached == set(range(len(INFO.joints)))


@pytest.mark.parametrize("move", MOVES)
def test_bodies_keep_their_lengths_and_stand_on_the_floor(move):
    rng = np.random.default_rng(3)
    for turn in (0, 90, 200):
        build, _ = make_build(rng)
        body = pose_body(build, make_pose(rng, move), turn)
        ends = {
            ("hip", "knee"): build.thigh,
            ("knee", "ankle"): build.shank,
            ("shoulder", "elbow"): build.arm,
            ("elbow", "wrist"): 0.87 * build.arm,
        }
        for side, ((a, b), length) in itertools.product(
            ("right", "left"), ends.items()
        ):
            bone = body.at(f"{side}_{a}") - body.at(f"{side}_{b}")
            assert np.linalg.norm(bone) == pytest.approx(length, rel=0.01)
        assert body.joints[:, 1].min() > 0.5 * ANKLE
        if MOVES[move].jump == (0, 0):
            assert min(body.at(f"{s}_ankle")[1] for s in ("right", "left")) < 0.15
        assert body.at("head_top")[1] > 0.4


def test_who_faces_the_viewer_has_the_left_on_the_right():
    build, _ = make_build(np.random.default_rng(0))
    pose = make_pose(np.random.default_rng(0), "stand")
    for turn, sign in ((0, 1), (180, -1)):
        body = pose_body(build, pose, turn)
        for joint in ("shoulder", "hip"):
            across = body.at(f"left_{joint}") - body.at(f"right_{joint}")
            assert sign * across[0] > 0.05
        assert sign * body.face[2, 2] > 0  # where the face looks
    assert len(JOINTS) == 14
