"""COCO's three forms, drawn as masks by hand-worked figures."""

import json

import jax
import numpy as np
import pytest
from PIL import Image

from segjax import data, tasks
from segjax.__main__ import main
from segjax.base import VOID, Mistake
from segjax.data import coco
from segjax.data._coco import polygon
from segjax.data._coco.objects import draw_segmentation
from segjax.ops import rle
from tests.small_coco import (
    CAR,
    PERSON,
    SKY,
    all_rows,
    box,
    mark,
    of_jpeg,
    picture_of,
    prepare,
    write_objects,
    write_panoptic,
    write_people,
)

# run lengths


def test_run_lengths_go_down_the_columns():
    mask = np.array([[0, 1, 1], [1, 1, 0]], bool)
    assert rle.encode(mask) == [1, 4, 1]
    assert rle.encode(~mask) == [0, 1, 4, 1]
    np.testing.assert_array_equal(rle.decode([1, 4, 1], (2, 3)), mask)
    np.testing.assert_array_equal(rle.decode("141", (2, 3)), mask)


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ([1, 4, 1], "141"),
        ([16], "`0"),  # 16 alone would be a sign: 16 + 32, then 0
        ([100], "T3"),  # 4 + 3 * 32: the digits 4 + 32 and 3
        ([5, 3, 2, 1], "532N"),  # 1 - 3 = -2, in 5 bits 30
        ([0, 40, 40, 0], "0X1X1hN"),  # 8 + 32, 1; then 0 - 40: 24 + 32, 30
    ],
)
def test_run_lengths_as_characters(counts, text):
    assert rle.compress(counts) == text
    assert rle.decompress(text) == counts


def test_run_lengths_go_round():
    rng = np.random.default_rng(0)
    for share, size in ((0, (3, 5)), (1, (5, 3)), (0.5, (37, 41)), (0.01, (200, 90))):
        mask = rng.random(size) < share
        counts = rle.encode(mask)
        assert sum(counts) == mask.size
        assert sum(counts[1::2]) == mask.sum()
        text = rle.compress(counts)
        assert rle.decompress(text) == counts
        np.testing.assert_array_equal(rle.decode(counts, size), mask)
        np.testing.assert_array_equal(rle.decode(text, size), mask)


# polygons


def filled(corners, size):
    mask = np.zeros(size, bool)
    where = polygon.box_of(corners, size)
    mask[where] = polygon.fill(corners, where)
    return mask


@pytest.mark.parametrize(
    ("corners", "pixels"),
    [
        ([1, 1, 4, 1, 4, 3, 1, 3], 6),  # 3 wide, 2 high
        ([0, 0, 4, 0, 0, 4], 6),  # 3 + 2 + 1; the diagonal's centres are outside
        ([4, 0, 4, 4, 0, 4], 10),  # the other half of the square has them
        ([1.4, 1.4, 3.6, 1.4, 3.6, 2.4, 1.4, 2.4], 3),  # centres 1.5, 2.5 and 3.5
        ([-2, 1, 2, 1, 2, 9, -2, 9], 6),  # 2 wide, rows 1 to 3: the rest is cut off
        ([0, 0, 5, 0, 5, 4, 3, 4, 3, 1, 2, 1, 2, 4, 0, 4], 17),  # a gate: 5 + 3 * 4
        ([0, 0, 4, 0, 4, 4, 0, 4] * 2, 0),  # round twice: even
    ],
)
def test_a_pixel_is_inside_if_its_centre_is(corners, pixels):
    mask = filled(polygon.check_polygon(corners, (4, 6)), (4, 6))
    assert mask.sum() == pixels
    turned = np.array(corners).reshape(-1, 2)[::-1]
    np.testing.assert_array_equal(filled(turned, (4, 6)), mask)


def test_areas_are_kept_on_the_average():
    """A disc of radius 20.3 has 1294.6 pixels; an outline drawn along adds some 60."""
    turn = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    disc = np.stack([31.2 + 20.3 * np.cos(turn), 30.7 + 20.3 * np.sin(turn)], -1)
    assert abs(filled(disc, (64, 64)).sum() - 1294.6) < 8


def test_of_two_polygons_that_share_an_edge_each_pixel_is_in_one():
    """Corners on centres of pixels, where rounding decides."""
    corners = np.random.default_rng(0).integers(0, 30, (300, 4, 2)) + 0.5
    for a, b, c, d in corners:
        one, other, both = (
            filled(np.stack(outline), (30, 30))
            for outline in ((a, b, c), (b, a, d), (a, c, b, d))
        )
        np.testing.assert_array_equal(one ^ other, both)
        np.testing.assert_array_equal(filled(np.stack((c, b, a)), (30, 30)), one)


def test_a_small_object_of_a_large_picture_takes_little_room():
    """Four thousand by four thousand pixels would be drawn for each."""
    runs = {"size": [4000, 4000], "counts": [4000 * 7 + 9, 3, 4000 * 3993 - 12]}
    for what, rows, columns in (
        (box(30.2, 9, 40, 19), (9, 19), (30, 40)),
        (runs, (9, 12), (7, 8)),
    ):
        where, mask, _ = draw_segmentation(what, (4000, 4000))
        assert where == (slice(*rows), slice(*columns))
        assert mask.all()
        assert mask.base is None  # a view would keep the whole


def test_polygons_of_one_object_are_joined():
    two = [*box(0, 0, 2, 2), *box(1, 1, 3, 3)]
    assert draw_segmentation(two, (4, 6)).mask.sum() == 7  # 4 + 4 - 1


# the forms


def test_panoptic(tmp_path, capsys):
    keys = [3, 11, 20, 21, 22, 30]
    write_panoptic(tmp_path, keys)
    assert prepare(tmp_path, tmp_path / "to") == 0
    said = capsys.readouterr().out
    assert "6 pictures" in said
    assert "12 objects of 1 classes: 12 car" in said
    assert "crowds, which do not count: 6" in said
    assert "sizes: 4 to 4 high, 6 to 6 wide" in said
    assert "pixels that do not count: 25.0%" in said
    assert "folds of 2/1/1/1/1" in said
    info = data.make_info("coco", dir=str(tmp_path / "to"))
    assert info.classes == ("person", "car", "sky")
    assert info.things == ("person", "car")
    assert info.colors == ((220, 20, 60), (0, 0, 142), (70, 130, 180))
    assert info.provides == ("image", "semantic", "instance")
    found = list(all_rows(tmp_path / "to"))
    assert sorted(e["name"] for e in found) == [f"{key:012d}" for key in keys]
    semantic = [[CAR, CAR, VOID, VOID, CAR, CAR]] * 2
    semantic += [[SKY, SKY, SKY, VOID, PERSON, PERSON]] * 2
    instance = [[2, 2, 0, 0, 1, 1]] * 2 + [[0, 0, 0, 0, -1, -1]] * 2
    for example in found:
        np.testing.assert_array_equal(example["semantic"], semantic)
        np.testing.assert_array_equal(example["instance"], instance)
        assert example["semantic"].dtype == np.uint8
        assert example["instance"].dtype == np.int32
        np.testing.assert_array_equal(example["image"], of_jpeg(int(example["name"])))
    assert prepare(tmp_path, tmp_path / "to") == 0
    assert "prepared already" in capsys.readouterr().out


def test_pictures_keep_their_bytes(tmp_path):
    """A JPEG stays one; a grey one becomes RGB, without loss."""
    write_objects(tmp_path, range(1, 6))
    path = tmp_path / "train2017" / f"{1:012d}.jpg"
    Image.fromarray(picture_of(1)[..., 0]).save(path)
    assert prepare(tmp_path, tmp_path / "to") == 0
    builder = coco.SegjaxCocoInstances(data_dir=str(tmp_path / "to"))
    skip = coco.tfds.decode.SkipDecoding()
    decoders = dict.fromkeys(("image", "semantic", "instance"), skip)
    for fold, key in ((0, 1), (1, 2)):
        record = builder.as_data_source(f"fold{fold}", decoders=decoders)[0]
        file = tmp_path / "train2017" / f"{key:012d}.jpg"
        same = record["image"] == file.read_bytes()
        assert same == (key == 2)
    grey = next(all_rows(tmp_path / "to"))["image"]
    np.testing.assert_array_equal(grey, np.asarray(Image.open(path).convert("RGB")))


def test_instances(tmp_path, capsys):
    write_objects(tmp_path, range(1, 7))
    assert prepare(tmp_path, tmp_path / "to") == 0
    said = capsys.readouterr().out
    assert "12 objects of 2 classes: 6 car, 6 person" in said
    assert "objects of which no pixel is seen, being small or covered: 6" in said
    info = data.make_info("coco", dir=str(tmp_path / "to"))
    assert info.classes == ("background", "person", "car")
    assert info.things == ("person", "car")
    assert info.colors == ((0, 0, 0), (220, 20, 60), (0, 0, 142))
    first = next(all_rows(tmp_path / "to"))
    semantic = [
        [0, 1, 0, 0, 0, 0],
        [2, 1, 2, 2, 0, 0],
        [2, 1, 2, 2, 0, 0],
        [2, 2, 2, 2, 2, 2],
    ]
    instance = [
        [0, 2, 0, 0, 0, 0],
        [1, 2, 1, 1, 0, 0],
        [1, 2, 1, 1, 0, 0],
        [1, 1, 1, 1, -1, -1],
    ]
    np.testing.assert_array_equal(first["semantic"], semantic)
    np.testing.assert_array_equal(first["instance"], instance)


def test_key_points(tmp_path, capsys):
    """Row i is of instance i + 1; the person of whom no pixel is seen comes last."""
    write_people(tmp_path, [1, 2, 3])
    assert prepare(tmp_path, tmp_path / "to") == 0
    said = capsys.readouterr().out
    assert "people with key points: 6" in said
    assert "folds of 1/1/1/0/0; too few for all 5" in said
    config = {"dir": str(tmp_path / "to")}
    info = data.make_info("coco", **config)
    assert info.joints == ("nose", "left_hand", "right_hand")
    assert info.limbs == ((0, 1), (0, 2))
    assert info.mirror == (0, 2, 1)
    assert info.people == 3, "and a crowd"
    assert info.provides == ("image", "semantic", "instance", "keypoints", "area")
    example = data.open_split("coco", "test", **config)[0]
    np.testing.assert_array_equal(
        example["keypoints"],
        [
            [[2, 1, 2], [0, 0, 0], [3, 3, 1]],
            [[1, 5, 2], [0, 4, 1], [0, 0, 0]],
            np.zeros((3, 3)),
        ],
    )
    np.testing.assert_array_equal(example["area"], np.float32([11.5, 4, 0.1]))
    assert example["keypoints"].dtype == example["area"].dtype == np.float32
    instance = [[1, 1, 1, -1, 2, 2], [1, 1, 1, 0, 2, 2]] + [[1, 1, 1, 0, 0, 0]] * 2
    np.testing.assert_array_equal(example["instance"], instance)
    with pytest.raises(Mistake, match="has 3 pictures, and none for test of fold 4"):
        data.open_split("coco", "test", fold=4, **config)
    with pytest.raises(Mistake, match="classes does not count with key points"):
        data.make_info("coco", classes=("person",), **config)


def test_key_points_find_room_in_every_task(tmp_path):
    """Of as many people as a picture shows, though nobody has said how many."""
    write_people(tmp_path, range(1, 6))
    assert prepare(tmp_path, tmp_path / "to") == 0
    how = {"dir": str(tmp_path / "to"), "size": 8, "cache": 0}
    split = data.load_split("coco", "train", **how)
    assert split.arrays["keypoints"].shape == (3, 3, 3, 3)
    info = data.make_info("coco", dir=how["dir"])
    for name in ("semantic", "pose"):
        task = tasks.make_task(name, info)
        examples = (split.example(i) for i in range(len(split)))
        assert tasks.settle(name, info, examples) == {}
    maps = {n: np.zeros((8, 8, c), np.float32) for n, c in task.heads.items()}
    assert jax.eval_shape(task.decode, maps)["keypoints"].shape == (3, 3, 3)


def test_joints_outside_of_their_picture_are_not_labelled_and_told(tmp_path, capsys):
    write_people(tmp_path, range(1, 6))
    path = tmp_path / "annotations" / "person_keypoints_val2017.json"
    content = json.loads(path.read_text())
    joints = [6, 4, 2, 3, 4.5, 2, 60, -2, 1]  # the first on the edge, two outside
    content["annotations"][0] |= {"keypoints": joints}
    path.write_text(json.dumps(content))
    assert prepare(tmp_path, tmp_path / "to") == 0
    told = "outside of their picture, so taken as not labelled: 2, in 000000000001\n"
    assert told in capsys.readouterr().out
    example = next(all_rows(tmp_path / "to"))
    assert example["keypoints"][0].tolist() == [[4, 6, 2], [0, 0, 0], [0, 0, 0]]


def test_objects_without_joints_are_background_beside_people(tmp_path, capsys):
    """Some programs write them, and give them an empty list or none."""
    write_people(tmp_path, range(1, 6))
    path = tmp_path / "annotations" / "person_keypoints_val2017.json"
    content = json.loads(path.read_text())
    content["categories"] += [{"id": 7, "name": "car", "keypoints": []}]
    content["categories"] += [{"id": 0, "name": "people", "supercategory": "none"}]
    content["annotations"][0] |= {"category_id": 7, "keypoints": []}
    content["annotations"][4] |= {"category_id": 0}
    path.write_text(json.dumps(content))
    assert prepare(tmp_path, tmp_path / "to") == 0
    said = capsys.readouterr().out
    assert "2 objects that have no key points, taken as background: car, people" in said
    info = data.make_info("coco", dir=str(tmp_path / "to"))
    assert info.classes == ("background", "person")
    assert info.people == 3
    example = next(all_rows(tmp_path / "to"))
    assert len(example["keypoints"]) == len(example["area"]) == 2
    assert example["semantic"][2:].max() == 0  # where the car is


def test_polygons_of_another_resolution_are_told(tmp_path, capsys):
    """What lies a pixel outside is of rounding, what lies far outside may not be."""
    write_objects(tmp_path, range(1, 6))
    path = tmp_path / "annotations" / "instances_train2017.json"
    content = json.loads(path.read_text())
    content["annotations"][0]["segmentation"] = box(-2, 0, 8, 6)
    content["annotations"][5]["segmentation"] = box(0, 0, 600, 400)
    path.write_text(json.dumps(content))
    assert prepare(tmp_path, tmp_path / "to") == 0
    told = "more than 2 pixels out of their picture, and are cut off there: 1, in"
    assert f"{told} 000000000002\n" in capsys.readouterr().out


def test_any_terminal_can_print_names(tmp_path, capsys):
    """JSON may hold halves of characters, and orders to the terminal."""
    write_objects(tmp_path, range(1, 6))
    path = tmp_path / "annotations" / "instances_train2017.json"
    content = json.loads(path.read_text())
    for category, name in zip(content["categories"], ("\ud800", "\x1b[31mred")):
        category["name"] = name
    path.write_text(json.dumps(content))
    assert prepare(tmp_path, tmp_path / "to") == 0
    assert "5 \\ud800, 5 \\x1b[31mred\n" in capsys.readouterr().out
    info = data.make_info("coco", dir=str(tmp_path / "to"))
    assert info.things == ("\\ud800", "\\x1b[31mred")


def test_more_objects_than_a_byte_counts(tmp_path):
    """300 of a pixel each, in the order of the file; the id of the crowd is -1."""
    write_objects(tmp_path, range(1, 6))
    path = tmp_path / "annotations" / "instances_train2017.json"
    content = json.loads(path.read_text())
    Image.new("RGB", (20, 16)).save(tmp_path / "train2017" / f"{1:012d}.jpg")
    content["images"][0] |= {"height": 16, "width": 20}
    pixels = [(k % 20, k // 20) for k in range(300)]
    ones = [mark(k, 1, 1, box(x, y, x + 1, y + 1)) for k, (x, y) in enumerate(pixels)]
    ones.append(mark(900, 1, 1, box(0, 15, 20, 16), iscrowd=1))
    content["annotations"] = ones
    path.write_text(json.dumps(content))
    assert prepare(tmp_path, tmp_path / "to") == 0
    found = next(all_rows(tmp_path / "to"))["instance"]
    np.testing.assert_array_equal(found[:15].ravel(), np.arange(1, 301))
    assert (found[15] == -1).all()


def test_cocos_own_splits(tmp_path, capsys):
    write_panoptic(tmp_path, [1, 2, 3])
    write_panoptic(tmp_path, [4, 5], "val2017")
    assert prepare(tmp_path, tmp_path / "to") == 0
    told = "3 of train, of which 1 choose, and 2 that are tested"
    assert told in capsys.readouterr().out
    found = {}
    for split in data.SPLITS:
        rows = data.open_split("coco", split, dir=str(tmp_path / "to"), fold=1)
        found[split] = [int(rows[i]["name"]) for i in range(len(rows))]
    assert found == {"train": [1, 3], "val": [2], "test": [4, 5]}


def test_a_set_with_a_test_has_its_own_val(tmp_path, capsys):
    for split, keys in (("train", [1, 2]), ("val", [3]), ("test", [4])):
        write_objects(tmp_path, keys, f"instances_{split}", split)
    assert prepare(tmp_path, tmp_path / "to") == 0
    assert "its own splits: 2 train, 1 val, 1 test" in capsys.readouterr().out
    found = {}
    for split in data.SPLITS:
        rows = data.open_split("coco", split, dir=str(tmp_path / "to"))
        found[split] = [int(rows[i]["name"]) for i in range(len(rows))]
    assert found == {"train": [1, 2], "val": [3], "test": [4]}
    with pytest.raises(Mistake, match="fold is 1, and this coco has a train, val"):
        data.open_split("coco", "train", dir=str(tmp_path / "to"), fold=1)


def test_a_twentieth_of_train_chooses():
    sizes = {"train": 45, "test": 7}
    assert coco.parts_of("val", 3, sizes)[1].tolist() == [3, 23, 43]
    train = coco.parts_of("train", 3, sizes)[1].tolist()
    assert len(train) == 42
    assert not {3, 23, 43} & set(train)
    assert coco.parts_of("test", 3, sizes) == (["test"], None)
    with pytest.raises(Mistake, match="numbered 0 to 19"):
        coco.parts_of("val", 20, sizes)
    folds = {f"fold{k}": 3 for k in range(5)}
    assert coco.parts_of("val", 4, folds) == (["fold0"], None)


# options


def test_some_classes_alone(tmp_path):
    write_panoptic(tmp_path, range(1, 6))
    assert prepare(tmp_path, tmp_path / "to") == 0
    dir = str(tmp_path / "to")
    whole = data.open_split("coco", "test", dir=dir)
    for classes, car, other in ((("car",), 0, VOID), (("car", "background"), 1, 0)):
        info = data.make_info("coco", dir=dir, classes=classes)
        assert info.things == ("car",)
        rows = data.open_split("coco", "test", dir=dir, classes=classes)
        semantic = [[car, car, VOID, VOID, car, car]] * 2
        semantic += [[other] * 3 + [VOID] + [other] * 2] * 2
        np.testing.assert_array_equal(rows[0]["semantic"], semantic)
        instance = [[2, 2, 0, 0, 1, 1]] * 2 + [[0] * 6] * 2
        np.testing.assert_array_equal(rows[0]["instance"], instance)
        assert rows.cache_key != whole.cache_key
        assert rows.fingerprint == whole.fingerprint
    assert info.classes == ("background", "car")
    assert info.colors == ((0, 0, 0), (0, 0, 142))
    with pytest.raises(
        Mistake, match=r"'persn', which coco has not. Did you mean 'per"
    ):
        data.make_info("coco", dir=dir, classes=("persn",))


def test_what_was_found_is_kept(tmp_path):
    """A run needs the data no more to know its classes; and is given the same rows."""
    write_people(tmp_path, range(1, 6))
    assert prepare(tmp_path, tmp_path / "to") == 0
    dir = str(tmp_path / "to")
    found, told = data.settle("coco", dir=dir)
    assert told == ["coco: keypoints, 2 classes, 1 of them things"]
    found = json.loads(json.dumps(found))
    info = data.make_info("coco", dir=dir)
    assert data.make_info("coco", dir="nowhere", **found) == info
    hash(data.make_info("coco", **found))
    rows = data.open_split("coco", "test", dir=dir, **found)
    plain = data.open_split("coco", "test", dir=dir)
    assert rows.cache_key == plain.cache_key


def test_forms_stand_side_by_side(tmp_path, capsys):
    write_panoptic(tmp_path, range(1, 6))
    write_objects(tmp_path, range(1, 6))
    to = tmp_path / "to"
    assert prepare(tmp_path, to) == 2
    said = capsys.readouterr().err
    assert "annotations of panoptic and instances; say which with --annotations" in said
    assert prepare(tmp_path, to, "--annotations=stuff") == 2
    assert "no JSON file with 'stuff' in its path" in capsys.readouterr().err
    for form in ("panoptic", "instances"):
        assert prepare(tmp_path, to, f"--annotations={form}") == 0
    with pytest.raises(Mistake, match="prepared as panoptic and instances; say which"):
        data.make_info("coco", dir=str(to))
    assert "sky" in data.make_info("coco", dir=str(to), form="panoptic").classes
    assert "sky" not in data.make_info("coco", dir=str(to), form="instances").classes
    assert main(["prepare", "ph2", "--from=x", "--annotations=y"]) == 2
    assert "--annotations does not count for ph2" in capsys.readouterr().err


def test_not_prepared(tmp_path):
    with pytest.raises(Mistake, match=r"coco is not prepared in .*cocodataset\.org"):
        data.make_info("coco", dir=str(tmp_path))
