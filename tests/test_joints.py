"""A user's pictures with joints: what the files of joints may be, which joints they
are taken for, and what is said of those that cannot be used."""

import io
import json
import re
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from ml_collections import ConfigDict
from PIL import Image
from scipy.io import savemat

import segjax
from segjax import data, evaluate, run, tasks
from segjax.__main__ import main
from segjax.base import Mistake
from segjax.data import joints as module
from segjax.data._joints.known import KNOWN
from segjax.data._joints.mat import read_mat
from segjax.data._joints.mirror import mirror_of
from segjax.data._joints.skeleton import Told, find_skeleton
from segjax.ops.sides import side_of

H, W = 40, 60
PICTURES = 6
COUNT = 14
NAMES = ["head", "l_hand", "r_hand"]
LIMBS = [["head", "l_hand"], [0, 2]]
ROOT = Path(__file__).parent.parent
BROKEN_DATA = (ROOT / "docs" / "broken_data.md").read_text()
# what is wrong with joints -> what is said
TABLE = dict(
    re.findall(r"^\| \d+ \| (.+?) \| (.+) \|$", BROKEN_DATA.split("\n## ")[-1], re.M)
)


def image_of(k):
    return np.random.default_rng(k).integers(0, 256, (H, W, 3)).astype(np.uint8)


def person_of(k, count=COUNT, third=None):
    """x, y and the third number of joints that lie inside of a picture."""
    rng = np.random.default_rng(100 + k)
    places = rng.integers(0, [W, H], (count, 2)) / 1.0
    thirds = rng.integers(0, 2, count) if third is None else np.full(count, third)
    thirds[0] = third or 1
    return np.column_stack([places, thirds]).tolist()


def people(**how):
    return {f"p{k}": person_of(k, **how) for k in range(PICTURES)}


def expected(person, meaning=(0, 1, 2)):
    """y, x, visible, worked out joint by joint."""
    points = [
        [y, x, meaning[int(v)]] if meaning[int(v)] else [0] * 3 for x, y, v in person
    ]
    return np.array(points, np.float32)


def write(path, array, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **how)


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def make_folder(root, content=None, pictures=PICTURES):
    """images/ and joints.json; or joints.mat, of an array."""
    for k in range(pictures):
        write(root / "images" / f"p{k}.png", image_of(k))
    if isinstance(content, np.ndarray):
        savemat(root / "joints.mat", {"joints": content}, do_compression=True)
    else:
        write_json(root / "joints.json", people() if content is None else content)
    return root


def examples(root, **config):
    """All examples by name, what they are, and what was told."""
    config = {"dir": str(root)} | config
    found, told = data.settle("joints", **config)
    config |= found
    rows = [data.open_split("joints", split, **config) for split in data.SPLITS]
    every = {one["name"]: one for of in rows for one in (of[i] for i in range(len(of)))}
    return every, data.make_info("joints", **config), "\n".join(told)


# What joints may be written as. Each: the content, options, what each person is.


def in_words(of=None, **more):
    return {"joints": NAMES, "people": of or people(count=3), **more}


def without_third():
    return {name: [joint[:2] for joint in one] for name, one in people().items()}


def several():
    """Two people in each picture, but in the first one and nobody in the last."""
    found = {f"p{k}": [person_of(k), person_of(50 + k)] for k in range(PICTURES)}
    return found | {"p0": [person_of(0)], f"p{PICTURES - 1}": []}


def with_null():
    """Joints that are not labelled, written in every way."""
    found = people(third=1)
    for person in found.values():
        person[1:5] = [None, [None, None], [None, 3, 1], [7, 9, 0]]
    return json.dumps(found).replace("[null, 3, 1]", "[NaN, 3, 1]")


def nulled(k):
    return expected(
        [*person_of(k, third=1)[:1], *[[0, 0, 0]] * 4, *person_of(k, third=1)[5:]],
        (0, 2),
    )


def as_array():
    """f64[n,14,3], as joints.mat has it but for the order of its axes."""
    return np.array(list(people().values()))


FORMS = {
    "a person a picture": (people(), {}, lambda k: [expected(person_of(k), (0, 2))]),
    "0, 1 and 2": (
        people() | {"p1": person_of(1, third=2)},
        {},
        lambda k: [expected(person_of(k, third=2 if k == 1 else None))],
    ),
    "x and y alone": (
        without_third(),
        {},
        lambda k: [expected([[x, y, 1] for x, y, _ in person_of(k)], (0, 2))],
    ),
    "null and NaN": (with_null(), {}, lambda k: [nulled(k)]),
    "several people": (
        several(),
        {},
        lambda k: (
            [expected(person_of(n), (0, 2)) for n in (k, 50 + k)[: 1 + (k > 0)]]
            * (k < PICTURES - 1)
        ),
    ),
    "names and limbs": (
        in_words(limbs=LIMBS),
        {},
        lambda k: [expected(person_of(k, 3), (0, 2))],
    ),
    "whole names": (
        {f"images/{name}.png": one for name, one in people().items()},
        {},
        lambda k: [expected(person_of(k), (0, 2))],
    ),
    "Windows' names, in capitals": (
        {f".\\Images\\{name.upper()}.PNG": one for name, one in people().items()},
        {},
        lambda k: [expected(person_of(k), (0, 2))],
    ),
    "1 is hidden, as you say": (
        people(),
        {"third": "hidden"},
        lambda k: [expected(person_of(k), (2, 1))],
    ),
    "0 is hidden, as you say": (
        people(),
        {"third": "seen"},
        lambda k: [expected(person_of(k), (1, 2))],
    ),
    "MATLAB, 3 x 14 x n": (
        as_array().transpose(2, 1, 0),
        {},
        lambda k: [expected(person_of(k), (2, 1))],
    ),
    "MATLAB, 14 x 3 x n": (
        as_array().transpose(1, 2, 0),
        {},
        lambda k: [expected(person_of(k), (0, 2))],
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_joints_are_read_rightly(form, tmp_path):
    content, config, wanted = FORMS[form]
    found, info, _ = examples(make_folder(tmp_path / "d", content), **config)
    assert len(found) == PICTURES
    count = len(info.joints)
    for k in range(PICTURES):
        points = found[f"p{k}"]["keypoints"]
        assert points.dtype == np.float32
        np.testing.assert_array_equal(
            points, np.reshape(wanted(k), (-1, count, 3)).astype(np.float32)
        )
        np.testing.assert_array_equal(found[f"p{k}"]["image"], image_of(k))
    assert info.provides == ("image", "keypoints")
    assert info.classes == ("background", "person")
    assert info.things == ("person",)


def test_a_finished_run_needs_the_data_no_more(tmp_path):
    root = make_folder(tmp_path / "d", in_words(limbs=LIMBS))
    found, _ = data.settle("joints", dir=str(root))
    info = data.make_info("joints", dir=str(root))
    kept = json.loads(json.dumps(found))  # as a run's folder has it
    shutil.rmtree(root)
    assert module.make_info(dir=str(root), **kept) == info
    assert info.joints == tuple(NAMES)
    assert info.limbs == ((0, 1), (0, 2))
    assert info.mirror == (0, 2, 1)


# Which joints they are.


@pytest.mark.parametrize("count", KNOWN)
def test_known_skeletons_are_trees_that_a_mirror_leaves(count):
    known = KNOWN[count]
    assert len(set(known.joints)) == len(known.joints) == count
    assert len(known.limbs) == count - 1
    told = Told(limbs=known.limbs, mirror=known.mirror)
    assert find_skeleton(count, "joints.json", told) == known  # no ring, none left out
    assert sum(k != other for k, other in enumerate(known.mirror)) in (12, 16)
    mirrored = {frozenset(known.mirror[k] for k in limb) for limb in known.limbs}
    assert mirrored == {frozenset(limb) for limb in known.limbs}
    for k, other in enumerate(known.mirror):
        assert known.joints[k].split("_")[-1] == known.joints[other].split("_")[-1]


@pytest.mark.parametrize("count", KNOWN)
def test_joints_without_names_are_told_by_their_number(count, tmp_path):
    root = make_folder(tmp_path, people(count=count))
    _, info, told = examples(root)
    assert info.joints == KNOWN[count].joints
    assert info.limbs == KNOWN[count].limbs
    assert f"{count} joints, taken for {KNOWN[count].name}'s by their number" in told


@pytest.mark.parametrize(
    ("names", "mirror"),
    [
        (("left_knee", "right_knee", "nose"), (1, 0, 2)),
        (("nose", "l_knee", "r_knee"), (0, 2, 1)),
        (("knee_l", "nose", "knee_r"), (2, 1, 0)),
        (("LeftKnee", "RightKnee", "KneeLeft"), (1, 0, 2)),
        (("RShoulder", "LShoulder", "Neck"), (1, 0, 2)),
        (("kneeL", "kneeR", "L"), (1, 0, 2)),
        (("left knee", "right elbow"), (0, 1)),  # neither has a counterpart
        (("upright", "upleft", "bright"), (1, 0, 2)),
        (("rib", "lib", "tail"), (0, 1, 2)),
        (("eye_l_1", "EYE_R_1", "eye_l_2"), (1, 0, 2)),
        (("Head", "head", "HEAD"), (0, 1, 2)),
    ],
)
def test_a_mirror_exchanges_left_and_right(names, mirror):
    assert mirror_of(names) == mirror


def test_corners_of_the_eyes_change_sides_twice():
    sides = ("left", "right")
    corners = [f"{a}_eye_{b}_corner" for a in sides for b in sides]
    assert mirror_of(corners) == (3, 2, 1, 0)


@pytest.mark.parametrize(
    ("names", "side", "rest"),
    [
        (
            ("left_knee", "knee-l", "LKnee", "kneeL", "LEFTKNEE", "l knee"),
            "left",
            "knee",
        ),
        (("r_upper_arm", "Upper Right Arm", "upper.arm_R"), "right", "upper_arm"),
        (("upright_l", "L_Upright", "left upright"), "left", "upright"),
        (("L1_right", "l1Right"), "right", "l1"),  # of the spine
        (("head_top", "Head  Top"), "", "head_top"),
        (("R",), "right", ""),
        (("él_clé", "rlé"), "", None),  # letters of other languages are letters
        (("",), "", ""),
    ],
)
def test_names_tell_their_side(names, side, rest):
    for name in names:
        found = side_of(name)
        assert found == (side, name if rest is None else rest)


def test_what_is_said_of_a_skeleton_counts_the_options_first():
    file = Told(NAMES, [["head", "l_hand"], ["head", "r_hand"]], None, "joints.json")
    found = find_skeleton(3, "joints.json", Told(), file)
    assert found == (tuple(NAMES), ((0, 1), (0, 2)), (0, 2, 1), "")
    options = Told(limbs=(("l_hand", "r_hand"), (1, 0)), mirror=(0, 1, 2))
    found = find_skeleton(3, "joints.json", options, file)
    assert found == (tuple(NAMES), ((1, 2), (1, 0)), (0, 1, 2), "")
    for mirror in ({"l_hand": "r_hand"}, ["head", "r_hand", 1]):
        told = file._replace(mirror=mirror)
        assert find_skeleton(3, "joints.json", told).mirror == (0, 2, 1)
    assert find_skeleton(3, "joints.json", Told(joints=NAMES)).limbs == ()
    coco = find_skeleton(17, "joints.json", Told(joints=KNOWN[17].joints))
    assert coco.limbs == KNOWN[17].limbs


# How pictures find their joints, and how they are dealt out.


def names_of(root, split, **config):
    rows = data.open_split("joints", split, dir=str(root), **config)
    return [rows[i]["name"] for i in range(len(rows))]


def test_folds_are_tested_once_each_and_do_not_overlap(tmp_path):
    root = make_folder(tmp_path / "d")
    tested = []
    for fold in range(3):
        parts = [names_of(root, s, fold=fold, folds=3) for s in data.SPLITS]
        assert sorted([*parts[0], *parts[1], *parts[2]]) == [
            f"p{k}" for k in range(PICTURES)
        ]
        assert parts[1] == names_of(root, "test", fold=(fold + 1) % 3, folds=3)
        tested += parts[2]
    assert sorted(tested) == [f"p{k}" for k in range(PICTURES)]


@pytest.mark.parametrize(
    ("layout", "of_split"),
    [
        ("{split}/images/{name}.png", True),
        ("{split}/images/{name}.png", False),
        ("images/{split}/{name}.png", False),
        ("{split}/{name}.png", True),
    ],
)
def test_splits_that_are_there_are_respected(layout, of_split, tmp_path):
    """of_split: with a joints.json each, in which names are shorter."""
    every = {}
    for split, those in {"train": (0, 1, 2), "val": (3,), "test": (3, 4)}.items():
        paths = {k: layout.format(split=split, name=f"p{k}") for k in those}
        for k, path in paths.items():
            write(tmp_path / path, image_of(k))
        every |= {path: person_of(k) for k, path in paths.items()}
        if of_split:
            inside = {f"p{k}": person_of(k) for k in those}
            write_json(tmp_path / split / "joints.json", inside)
    if not of_split:
        write_json(tmp_path / "joints.json", every)
    assert names_of(tmp_path, "train") == ["p0", "p1", "p2"]
    same = [layout.format(split=split, name="p3")[:-4] for split in ("val", "test")]
    assert names_of(tmp_path, "val") == same[:1]  # its name alone would be of two
    assert names_of(tmp_path, "test") == [same[1], "p4"]


def test_a_column_keeps_films_together(tmp_path):
    root = make_folder(tmp_path / "d")
    lines = ["image,film", *[f"p{k},{k // 2}" for k in range(PICTURES)]]
    (root / "t.csv").write_text("\n".join(lines))
    config = {"table": "t.csv", "group": "film", "folds": 3}
    for fold in range(3):
        tested = names_of(root, "test", fold=fold, **config)
        assert len({int(name[1]) // 2 for name in tested}) == 1
    rows = data.open_split("joints", "test", dir=str(root), **config)
    assert rows.groups == ["0", "0"]
    assert rows[0]["fields"] == {"image": "p0", "film": "0"}
    (root / "t.csv").write_text("image,split\np1,train\np2,val\np3,test\n")
    found, told = data.settle("joints", dir=str(root), table="t.csv")
    assert found["third"] == "labelled"
    assert "3 pictures with joints" in told[1]
    assert "left aside: 3, images/p0.png, images/p4.png, images/p5.png" in told
    assert names_of(root, "val", table="t.csv") == ["p2"]


def test_the_same_pictures_and_joints_have_the_same_key(tmp_path):
    roots = [make_folder(tmp_path / name) for name in "ab"]
    options = data.settle("joints", dir=str(roots[0]))[0]

    def keys(root, **config):
        rows = data.open_split("joints", "train", dir=str(root), **options | config)
        return rows.fingerprint, rows.cache_key

    first = keys(roots[0])
    assert keys(roots[1]) == first
    assert keys(roots[0], channels=(0, 1, 2))[1] != first[1]
    assert keys(roots[0], third="hidden") != first
    write_json(roots[1] / "joints.json", people() | {"p3": person_of(99)})
    assert keys(roots[1])[0] != first[0]


# What is left out, or counts not, and is told.


def test_a_joint_of_matlab_that_is_not_a_number_is_not_labelled(tmp_path):
    array = np.array([person_of(k, third=1) for k in range(PICTURES)])
    array[0, 3], array[1, 4, 2], array[2, 5, 2] = np.nan, np.nan, np.inf
    found, _, _ = examples(make_folder(tmp_path / "d", array.transpose(2, 1, 0)))
    gone = [
        (k, *np.flatnonzero(found[f"p{k}"]["keypoints"][0, :, 2] == 0))
        for k in range(PICTURES)
    ]
    assert gone == [(0, 3), (1, 4), (2, 5), (3,), (4,), (5,)]


def test_what_has_no_partner_is_left_out_and_told(tmp_path):
    content = people() | {"ghost": person_of(7), "bare": [None] * COUNT, "none": []}
    root = make_folder(tmp_path / "d", content)
    for name in ("alone", "bare", "none"):
        write(root / "images" / f"{name}.png", image_of(9))
    write(root / "visualized" / "p1.png", image_of(8))  # as LSP has them
    found, _, told = examples(root)
    assert sorted(found) == [f"p{k}" for k in range(PICTURES)]
    assert "6 pictures with joints, such as images/p0.png; a person in each" in told
    assert "no joints, so left out: 1, images/alone.png" in told
    assert "no joint labelled, so left out: 2, images/bare.png, images/none.png" in told
    assert "joints without a picture, so left out: 1, ghost" in told
    assert "left aside: 1, visualized/p1.png" in told


def test_joints_outside_are_not_labelled_and_counted(tmp_path):
    content = people(third=1)
    content["p1"][3] = [-4, 5, 1]
    content["p2"][13] = [W, H, 1]  # the edges are inside
    content["p2"][0] = [W + 0.5, 5, 1]
    found, _, told = examples(make_folder(tmp_path / "d", content))
    assert "so taken as not labelled: 2 of 84 joints, such as left_hip of" in told
    np.testing.assert_array_equal(found["p1"]["keypoints"][0, 3], [0, 0, 0])
    np.testing.assert_array_equal(found["p2"]["keypoints"][0, 0], [0, 0, 0])
    np.testing.assert_array_equal(found["p2"]["keypoints"][0, 13], [H, W, 2])


def test_a_joint_may_lie_at_the_corner_and_is_told(tmp_path):
    content = people(third=1) | {"p1": [*person_of(1, third=1)[:13], [0, 0, 1]]}
    found, _, told = examples(make_folder(tmp_path / "d", content))
    np.testing.assert_array_equal(found["p1"]["keypoints"][0, 13], [0, 0, 2])
    assert (
        "1 of 84 labelled joints lie at exactly 0, 0, such as head_top of ima" in told
    )
    content["p1"][13] = [0, 0, 0]
    _, _, told = examples(make_folder(tmp_path / "e", content))
    assert "exactly 0, 0" not in told


@pytest.mark.parametrize(
    ("names", "said", "warned"),
    [
        (("links_hand", "rechts_hand", "kopf"), {}, True),
        (("links_hand", "rechts_hand", "kopf"), {"mirror": (1, 0, 2)}, False),
        (("links_hand", "rechts_hand", "kopf"), {"mirror": (0, 1, 2)}, False),
        (("l_hand", "r_hand", "kopf"), {}, False),
        (("tip", "base"), {}, False),
    ],
)
def test_names_without_sides_are_told(names, said, warned, tmp_path):
    content = {"joints": names, "people": people(count=len(names))}
    root = make_folder(tmp_path / "d", content)
    told = examples(root, **said)[2]
    assert ("say it by data.mirror, or set augment.flip=false" in told) == warned
    write_json(root / "joints.json", content | said)
    assert ("augment.flip=false" in examples(root)[2]) == warned


def test_people_without_a_joint_are_left_out(tmp_path):
    content = several()
    content["p1"] = [content["p1"][0], [[0, 0, 0]] * COUNT]
    content["p2"] = [[[0, 0, 0]] * COUNT] * 2
    found, info, told = examples(make_folder(tmp_path / "d", content))
    assert info.people == 2
    assert found["p1"]["keypoints"].shape == (1, COUNT, 3)
    assert "p2" not in found  # people whose joints are not known are no background
    assert found["p5"]["keypoints"].shape == (0, COUNT, 3)  # nobody is there
    assert "people without a joint, so left out: 1" in told
    assert "0 to 2 people in each" in told


def test_a_picture_that_exif_turns(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright: a quarter turn to the right shows it
    root = make_folder(tmp_path / "d")
    write(root / "images" / "p1.png", np.rot90(image_of(1)), exif=exif)
    found, _, told = examples(root)
    np.testing.assert_array_equal(found["p1"]["image"], image_of(1))
    assert "joints are taken to lie on the picture as it is turned" in told


def test_deep_pictures_and_what_is_never_labelled(tmp_path):
    content = people(third=1)
    for person in content.values():
        person[4] = None
    root = make_folder(tmp_path / "d", content)
    write(root / "images" / "p1.png", image_of(1)[..., 0].astype(np.uint16) * 16)
    found, _, told = examples(root)
    assert "never labelled: left_knee" in told
    assert "white is 4095" in told
    off = found["p1"]["image"][..., 0].astype(int) - image_of(1)[..., 0]
    assert abs(off).max() <= 1


def test_a_file_of_matlab_names_no_pictures(tmp_path):
    root = make_folder(tmp_path / "d", as_array().transpose(2, 1, 0))
    told = "\n".join(data.settle("joints", dir=str(root))[1])
    assert "taken in the order of their names, from images/p0.png to images/p5" in told
    assert "0 is seen, 1 hidden, as this kind of file has it" in told


@pytest.mark.parametrize("compress", [False, True])
def test_arrays_of_matlab_are_read(compress):
    rng = np.random.default_rng(0)
    arrays = {
        "joints": rng.normal(size=(3, 4, 5)),
        "a_longer_name": rng.integers(0, 200, (7, 3)).astype(np.uint8),
        "single": rng.normal(size=(2, 2)).astype(np.float32),
        "below": rng.integers(-9, 9, (1, 3)).astype(np.int64),
        "none": np.zeros((0, 3)),
    }
    others = {"word": "hello", "z": np.ones(2) * 1j, "cell": np.array([1, "a"], object)}
    file = io.BytesIO()
    savemat(file, arrays | others, do_compression=compress)
    found = read_mat(file.getvalue(), "joints.mat")
    assert {name for name, array in found.items() if array is None} == set(others)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
    whole = file.getvalue()
    for end in (0, 60, 127, 130, 190, len(whole) // 2, len(whole) - 9):
        with pytest.raises(Mistake, match=r"joints\.mat is"):
            read_mat(whole[:end], "joints.mat")


# What cannot be used, and what is said.


def with_person(person, name="p1", **how):
    return lambda root: write_json(root / "joints.json", people(**how) | {name: person})


def with_joint(joint, **how):
    return with_person([joint, *person_of(1, **how)[1:]], **how)


def said(content):
    return lambda root: write_json(root / "joints.json", content)


def of_bytes(name, content):
    return lambda root: (root / name).write_bytes(content)


def mat(array, name="joints"):
    def put(root):
        (root / "joints.json").unlink()
        savemat(root / "joints.mat", {name: array})

    return put


def replace_bytes(path, old, new):
    whole = path.read_bytes()
    assert whole.count(old) == 1
    path.write_bytes(whole.replace(old, new))


def mat_of_bytes(content):
    return lambda root: [
        (root / "joints.json").unlink(),
        (root / "joints.mat").write_bytes(content),
    ]


def rename(*names):
    def put(root):
        mat(as_array().transpose(2, 1, 0))(root)
        for k, name in enumerate(names):
            (root / "images" / f"p{k}.png").rename(root / "images" / f"{name}.png")

    return put


def turned(root):
    exif = Image.Exif()
    exif[0x0112] = 6
    write(root / "images" / "p1.png", image_of(1), exif=exif)
    with_person([[W - 1, 3, 1], *[[5, 5, 1]] * 13])(root)


def two_splits(root):
    shutil.rmtree(root / "images")
    (root / "joints.json").unlink()
    for k, split in enumerate(("train", "test")):
        write(root / split / f"p{k}.png", image_of(k))
        write_json(root / split / "joints.json", {f"p{k}": person_of(k, 14 + 2 * k)})


def missing_at(place, *joints, pictures=PICTURES):
    """Joints that are not labelled, written as a place that many programs take."""
    content = people(third=1)
    for k in range(pictures):
        for joint in joints:
            content[f"p{k}"][joint] = place
    return content


def scaled(factor, order=slice(None)):
    """All joints, their x and y as they should not be."""

    def changed(person):
        return [[*[c * factor for c in joint[:2][order]], 1] for joint in person]

    return said({name: changed(person) for name, person in people().items()})


BROKEN = {
    "no folder": (shutil.rmtree, {}, "is not a folder"),
    "no joints": (
        lambda root: (root / "joints.json").unlink(),
        {},
        "holds no joints.json and no joints.mat",
    ),
    "joints of another name": (
        lambda root: (root / "joints.json").rename(root / "points.json"),
        {},
        "There is points.json; if it holds them, call it joints",
    ),
    "a folder too far out": (
        lambda root: [
            (root / "inner").mkdir(),
            shutil.move(root / "joints.json", root / "inner"),
        ],
        {},
        "inner: set data.dir to it",
    ),
    "two files of joints": (
        lambda root: savemat(root / "joints.mat", {"joints": np.ones((3, 14, 6))}),
        {},
        "There are joints.json, joints.mat; leave one of each folder",
    ),
    "no pictures": (
        lambda root: shutil.rmtree(root / "images"),
        {},
        "joints.json speaks of pictures, and its folder holds none",
    ),
    "a folder of images that is not there": (None, {"images": "x"}, "is no folder in"),
    "a folder without images": (
        lambda root: (root / "x").mkdir(),
        {"images": "x"},
        "joints.json speaks of pictures, and data.images, 'x', holds none",
    ),
    "an empty file": (of_bytes("joints.json", b" \n"), {}, "joints.json is empty; it"),
    "broken JSON": (
        said('{\n "p0": [[1, 2, 1],\n'),
        {},
        "joints.json is not JSON: line 3, column 1: ",
    ),
    "JSON that is no text": (
        of_bytes("joints.json", b'{"p\xff": 1}'),
        {},
        "joints.json is not text; write it as UTF-8",
    ),
    "JSON without end": (
        said("[" * 100_000),
        {},
        "joints.json is not JSON (nested too deep)",
    ),
    "a list": (
        said(list(people().values())),
        {},
        "joints.json holds a list, which does not say whose joints are in which",
    ),
    "a word": (said('"joints"'), {}, "joints.json holds 'joints', which does not say"),
    "no picture named": (said({}), {}, "joints.json names no picture"),
    "nobody in any picture": (
        said({"p0": [], "p1": []}),
        {},
        "joints.json has no person in any picture",
    ),
    "COCO's annotations": (
        said({"images": [], "annotations": []}),
        {},
        "written as COCO's annotations are",
    ),
    "a picture named twice": (
        said('{"p0": [], "p1": [], "p0": []}'),
        {},
        "joints.json has 'p0' 2 times; leave one",
    ),
    "a picture by two names": (
        with_person(person_of(1), "images/p1.png"),
        {},
        "joints.json has images/p1.png twice, as 'p1' and 'images/p1.png'",
    ),
    "two pictures of a name": (
        lambda root: write(root / "images" / "p1.bmp", image_of(1)),
        {},
        "'p1' may be images/p1.bmp or images/p1.png; write the file's whole name",
    ),
    "no names match": (
        said({f"q{k}": person_of(k) for k in range(3)}),
        {},
        "6 pictures, such as images/p0.png, images/p1.png and 4 more, and joints of 3",
    ),
    "a joint too few": (
        with_person(person_of(1)[1:]),
        {},
        "'p1' has a person of 13 joints, and most others have 14; write null",
    ),
    "a joint too few of those named": (
        said(in_words(people(count=3) | {"p2": person_of(2, 2)})),
        {},
        "'p2' has a person of 2 joints, and 'joints' names 3",
    ),
    "a joint that is a word": (
        with_joint(["a", 2, 1]),
        {},
        "joints.json: 'p1' has ['a', 2, 1] as joint 0; a joint is [x, y, visible]",
    ),
    "a joint of four numbers": (with_joint([1, 2, 3, 4]), {}, "has [1, 2, 3, 4] as j"),
    "a joint without end": (
        with_joint([1e400, 2, 1]),
        {},
        "has [inf, 2, 1] as joint 0",
    ),
    "a third number without end": (
        with_joint([3, 4, 1e400]),
        {},
        "joints.json: 'p1' has [3, 4, inf] as joint 0; a joint is [x, y, visible]",
    ),
    "a third number of 400 digits": (
        with_joint([3, 4, 10**400]),
        {},
        "joints.json: 'p1' has [3, 4, 1000000000",
    ),
    "a flat list": (
        with_person(np.ravel(person_of(1)).tolist()),
        {},
        " ..., a flat list; it must be a list of joints",
    ),
    "people that are a number": (with_person(7), {}, "'p1' is 7; it must be a list"),
    "a person that is none": (
        with_person([person_of(1), None]),
        {},
        "'p1' has a person that is None, no list of joints",
    ),
    "a third number that is a share": (
        with_joint([3, 4, 0.93]),
        {},
        "joint 0 of images/p1.png has 0.93 as its third number; it says 0 is not label",
    ),
    "a third number beyond what is said": (
        with_joint([3, 4, 2]),
        {"third": "hidden"},
        "has 2 as its third number; it says by data.third=hidden 0 is seen, 1 hidden",
    ),
    "a third number of another word": (
        None,
        {"third": "visibility"},
        "data.third is 'visibility'; it must be one of",
    ),
    "nothing labelled": (
        said({f"p{k}": [[1, 2, 0]] * COUNT for k in range(3)}),
        {},
        "No joint is labelled in any picture of joints.json",
    ),
    "joints of one picture outside": (
        with_person([[W + 9, H + k, 1] for k in range(COUNT)]),
        {},
        "All 14 joints of images/p1.png lie outside of it: x is 69 to 69, y 40 to 53",
    ),
    "x and y exchanged": (
        said({n: [[y, x + 0.5, 1] for x, y, _ in p] for n, p in people().items()}),
        {},
        "lie outside of their pictures, and 0 if x and y are exchanged",
    ),
    "joints of larger pictures": (scaled(4), {}, "Were the pictures made smaller?"),
    "what is not labelled at -1, -1": (
        said(missing_at([-1, -1], *range(5))),
        {},
        "joints.json: 30 of 84 labelled joints lie at -1, -1, out of their pictures;"
        " write null, in MATLAB NaN, for a joint that is not labelled",
    ),
    "what is not labelled at 0, 0": (
        said(missing_at([0, 0], 3, 4, pictures=1)),
        {},
        "joints.json: 2 of 84 labelled joints lie at exactly 0, 0, such as left_hip of"
        " images/p0.png; write null, in MATLAB NaN, for a joint that is not labelled",
    ),
    "a joint of many at 0, 0": (
        said(missing_at([0, 0], 13)),
        {},
        "6 of 84 labelled joints lie at exactly 0, 0, such as head_top of images/p0",
    ),
    "shares of the size": (
        scaled(1 / 64),
        {},
        "joints.json: all joints lie between 0 and 1, as shares",
    ),
    "a picture that EXIF turns, and its joints not": (
        turned,
        {},
        "images/p1.png is turned by its EXIF, and its joints fit it only as it lies",
    ),
    "a number of joints that is not known": (
        said(people(count=5)),
        {},
        "joints.json has 5 joints a person, which are not known by their number (14",
    ),
    "too few names": (
        None,
        {"joints": ("a", "b")},
        "data.joints names 2 joints, and joints.json has 14 a person",
    ),
    "a name twice": (
        said(in_words() | {"joints": ["a", "b", "a"]}),
        {},
        "'joints' in joints.json names a joint twice: a",
    ),
    "names that are numbers": (
        said(in_words() | {"joints": [1, 2, 3]}),
        {},
        "'joints' in joints.json must be a list of names",
    ),
    "names without people": (
        said({"joints": NAMES}),
        {},
        "names joints and no 'people'; add it",
    ),
    "a word of another kind": (
        said(in_words(limb=LIMBS)),
        {},
        "joints.json has 'limb' beside 'people'. Did you mean 'limbs'?",
    ),
    "a limb of no joint": (
        said(in_words(limbs=[["head", "l_hnad"]])),
        {},
        "'limbs' in joints.json has 'l_hnad', which is no joint. Did you mean 'l_hand'",
    ),
    "a limb of a joint beyond": (
        said(in_words(limbs=[[1, 3]])),
        {},
        "has 3, which is no joint. They are called head, l_hand, r_hand, or by number",
    ),
    "a limb of three": (said(in_words(limbs=[[0, 1, 2]])), {}, "a limb is two joints"),
    "limbs that are a word": (said(in_words(limbs="all")), {}, "a limb is two joints"),
    "a limb to itself": (
        said(in_words(limbs=[[1, "l_hand"]])),
        {},
        "has a limb from l_hand to itself",
    ),
    "a ring of limbs": (
        said(in_words(limbs=[[0, 1], [1, 2], [2, 0]])),
        {},
        "limbs that form a ring, r_hand, l_hand, head and back; take one of them out",
    ),
    "a limb twice": (
        said(in_words(limbs=[[0, 1], [1, 0]])),
        {},
        "limbs that form a ring, l_hand, head and back",
    ),
    "a joint without limb": (
        None,
        {"limbs": ((0, 1), (1, 2))},
        "data.limbs has no limbs that lead from right_ankle to left_hip, left_knee",
    ),
    "several people without limbs": (
        said(in_words({f"p{k}": [person_of(k, 3)] * 2 for k in range(6)})),
        {},
        "images/p0.png shows several people, who are told apart along limbs, and no",
    ),
    "a mirror that does not come back": (
        said(in_words(mirror=[1, 2, 0])),
        {},
        "'mirror' in joints.json makes head l_hand, and l_hand r_hand",
    ),
    "a mirror of two tables": (
        said(in_words(mirror={"head": "l_hand", "r_hand": "l_hand"})),
        {},
        "'mirror' in joints.json makes head l_hand, and l_hand r_hand",
    ),
    "a mirror of too few": (
        None,
        {"mirror": (1, 0)},
        "data.mirror is no list of 14 joints",
    ),
    "a mirror that is a table": (
        None,
        {"mirror": {"left_knee": "right_knee"}},
        "data.mirror is no list of 14 joints",
    ),
    "a mirror of no joint": (
        said(in_words(mirror={"head": "tail"})),
        {},
        "'mirror' in joints.json has 'tail', which is no joint",
    ),
    "splits of other joints": (
        two_splits,
        {},
        "test/joints.json and train/joints.json tell of other joints (16 and 14)",
    ),
    "a MATLAB file of version 7.3": (
        mat_of_bytes(b"MATLAB 7.3 MAT-file, Platform" + b" " * 600),
        {},
        "is a MATLAB file of version 7.3, which is not read; in MATLAB write it anew",
    ),
    "a MATLAB file that is text": (
        mat_of_bytes(b"x,y,visible\n"),
        {},
        "joints.mat is not a MATLAB file of version 5: it begins with b'x,y,visible",
    ),
    "an empty MATLAB file": (mat_of_bytes(b""), {}, "version 5: it is empty. Get"),
    "a MATLAB file cut short": (
        lambda root: [
            mat(as_array().transpose(2, 1, 0))(root),
            (root / "joints.mat").write_bytes((root / "joints.mat").read_bytes()[:400]),
        ],
        {},
        "joints.mat is cut short or damaged",
    ),
    "a MATLAB file of an array without parts": (
        mat_of_bytes(b"MATLAB 5.0".ljust(124) + b"\0\1IM" + struct.pack("<II", 14, 0)),
        {},
        "joints.mat is cut short or damaged",
    ),
    "a MATLAB file of a size below 0": (
        lambda root: [
            mat(np.ones((3, 14, 6)))(root),
            replace_bytes(
                root / "joints.mat",
                struct.pack("<iii", 3, 14, 6),
                struct.pack("<iii", 3, -1, 6),
            ),
        ],
        {},
        "joints.mat is cut short or damaged (an array of a size below 0)",
    ),
    "a MATLAB file of other arrays": (
        mat(np.ones((3, 14, 6)), "points"),
        {},
        "must hold an array of numbers called 'joints'; there are points",
    ),
    "a MATLAB file of words": (
        mat("all of them"),
        {},
        "called 'joints'; there are joints, but no array of numbers",
    ),
    "an array of two axes": (mat(np.ones((14, 6))), {}, "holds 14 x 6 values; it must"),
    "an array of fewer pictures": (
        mat(np.ones((3, 14, 5))),
        {},
        "joints.mat has the joints of 5 pictures, and there are 6 of them",
    ),
    "numbers without zeros in front": (
        rename("im1", "im10", "im2"),
        {},
        "by name images/im10.png is number 2, by its number images/im2.png",
    ),
    "an empty picture": (of_bytes("images/p1.png", b""), {}, "images/p1.png is empty"),
    "a picture that is text": (
        of_bytes("images/p1.png", b"hello, this is no picture"),
        {},
        "images/p1.png is not a picture",
    ),
    "a picture cut short": (
        lambda root: of_bytes(
            "images/p1.png", (root / "images/p1.png").read_bytes()[:900]
        )(root),
        {},
        "images/p1.png is cut short",
    ),
    "a picture of a table without joints": (
        lambda root: [
            write(root / "images" / "p9.png", image_of(9)),
            (root / "t.csv").write_text("image\np1\np9\n"),
        ],
        {"table": "t.csv"},
        "Line 3 of t.csv: images/p9.png has no joints",
    ),
    "more folds than pictures": (None, {"folds": 20}, "each of the 20 folds needs one"),
    "a fold that is not there": (None, {"fold": 5}, "folds are numbered 0 to 4"),
}


@pytest.mark.parametrize("harm", BROKEN)
def test_what_cannot_be_used_is_told(harm, tmp_path):
    change, config, words = BROKEN[harm]
    root = make_folder(tmp_path / "d")
    if change:
        change(root)
    with pytest.raises(Mistake) as told:
        examples(root, **config)
    assert words in str(told.value), str(told.value)
    sentence = str(told.value).removeprefix("This folder cannot be trained on:\n  ")
    options = ", ".join(
        f"`data.{option}={value!r}`" for option, value in config.items()
    )
    row = f"{harm} ({options})" if options else harm
    assert TABLE[row] == sentence.replace(str(root), "DIR")


def test_the_table_of_what_cannot_be_used_has_no_other_rows():
    assert [row.split(" (`")[0] for row in TABLE] == list(BROKEN)


@pytest.mark.parametrize("harm", ["a list", "a joint of many at 0, 0", "too few names"])
def test_what_cannot_be_used_stops_a_launch(harm, tmp_path, monkeypatch, capsys):
    change, config, words = BROKEN[harm]
    root = make_folder(tmp_path / "d")
    if change:
        change(root)
    monkeypatch.chdir(tmp_path)
    asked = [f"--config.data.{option}={value}" for option, value in config.items()]
    command = [f"--config={ROOT / 'configs' / 'pose.py'}:folder", *asked]
    assert main(["train", *command, f"--config.data.dir={root}"]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["d"]


def test_joints_that_changed_since_are_noticed(tmp_path):
    root = make_folder(tmp_path / "d")
    options = data.settle("joints", dir=str(root))[0]
    write_json(root / "joints.json", people(count=16))
    with pytest.raises(Mistake, match="names 14 joints"):
        data.open_split("joints", "train", dir=str(root), **options)
    write_json(root / "joints.json", people(third=2))
    with pytest.raises(Mistake, match="has 2 as its third number"):
        data.open_split("joints", "train", dir=str(root), **options)


# The launcher's options and the doctor.


def test_options_are_understood_as_they_are_typed():
    typed = {
        "joints": "('head','l_hand','r_hand')",
        "limbs": "(('head','l_hand'),(0,2))",
        "mirror": "(0,2,1)",
        "third": "hidden",
        "people": "4",
    }
    config = ConfigDict({"data": {"name": "joints", "dir": "d"}})
    taken = run.override(config, [(f"data.{k}", v) for k, v in typed.items()])
    info = data.make_info(**run.options(taken.data))
    assert info.limbs == ((0, 1), (0, 2))
    assert info.mirror == (0, 2, 1)
    assert info.people == 4
    kept = run.with_found(config, json.loads(json.dumps(taken.data.to_dict())))
    assert data.make_info(**run.options(kept.data)) == info


def test_a_folder_is_read_by_what_lies_in_it(tmp_path):
    root = make_folder(tmp_path / "d")
    assert data.reader_of(root) == "joints"
    write(root / "train" / "masks" / "p0.png", image_of(0))
    assert data.reader_of(root) == "folder"
    assert data.reader_of(root, joints=True) == "joints"
    (tmp_path / "e").mkdir()
    assert data.reader_of(tmp_path / "e") == "folder"


@pytest.mark.parametrize(
    ("files", "reader"),
    [
        (("p0.png", "p0_mask.png"), "folder"),
        (("frames/p0.png", "instances/p0.png"), "folder"),
        (("annotations/images/p0.png",), "joints"),  # the nearest folder says it
        (("images/p0_mask.png",), "joints"),  # of a man with a mask
        (("p0.png", "masquerade.png"), "joints"),
    ],
)
def test_masks_beside_joints_are_those_that_the_folder_reader_takes(
    files, reader, tmp_path
):
    for file in files:
        write(tmp_path / file, image_of(0))
    write_json(tmp_path / "joints.json", people())
    assert data.reader_of(tmp_path) == reader
    savemat(tmp_path / "joints.mat", {"joints": as_array().transpose(2, 1, 0)})
    assert data.reader_of(tmp_path) == reader  # two of joints do not hinder masks
    assert data.reader_of(tmp_path, joints=True) == "joints"


def test_masks_beside_joints_are_no_silhouette_and_do_not_hide_them(tmp_path, capsys):
    root = make_folder(tmp_path / "d")
    for k in range(PICTURES):
        write(root / "masks" / f"p{k}.png", image_of(k)[..., 0] // 128)
    asked = [("data.dir", str(root)), ("task.silhouette", "1.0")]
    config = run.load_config("pose:folder", asked)
    with pytest.raises(Mistake, match=r"masks beside them are not read\). Set it to 0"):
        segjax.train_and_evaluate(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    info = data.make_info("joints", dir=str(root))
    task = tasks.make_task("pose", info)
    of = run.Run(tmp_path, config, info, task, None, {}, 0)
    rows = evaluate.open_pictures(of, "all", str(root))
    assert rows[0]["keypoints"].shape == (1, COUNT, 3)
    sheet = f"--sheet={tmp_path / 'sheet.png'}"
    command = ["doctor", str(root), sheet]
    assert main(command) == 0
    assert "people:" not in capsys.readouterr().out
    assert main([*command, "--config.data.name=joints"]) == 0
    assert "people: 6, 1 to 1 a picture" in capsys.readouterr().out
    assert main(["doctor", "nevi", sheet, "--config.data.name=joints"]) == 2
    assert "config.data.name counts not here" in capsys.readouterr().err


def test_the_doctor_reads_joints(tmp_path, capsys):
    content = several()
    content["p1"] = [[[9, 7, 1] for _ in range(COUNT)] for _ in range(2)]
    content["p2"] = [[[9, 7, 1], *[None] * (COUNT - 1)]] * 2  # of one joint no wonder
    for one in (one for people in content.values() for one in people):
        one[6] = None
    root = make_folder(tmp_path / "d", content)
    command = ["doctor", str(root), "--sheet", str(tmp_path / "sheet.png")]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "6 pictures: 3 train, 1 val, 2 test" in said
    assert "people: 9, 0 to 2 a picture; joints span" in said
    assert "right_ankle: labelled of 100% of the people" in said
    assert "note: Pictures of nobody: 1, p5." in said
    assert "note: Pictures of which all joints lie in one place: 1, p1. Look" in said
    assert "note: Joints seldom labelled: right_wrist 0% of the people" in said
    (root / "images" / "p1.png").write_bytes(b"")
    assert main(command) == 1
    assert "FINDING: images/p1.png is empty" in capsys.readouterr().out
    write_json(root / "joints.json", "{")
    assert main(command) == 2
    assert "joints.json is not JSON" in capsys.readouterr().err
