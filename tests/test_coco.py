"""COCO's three forms, drawn as masks by hand-worked figures; and every way in which
they may be broken told in a sentence."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from segjax import data
from segjax.__main__ import main
from segjax.base import VOID, Mistake
from segjax.data import coco
from segjax.data._coco import polygon
from segjax.data._coco.objects import draw_segmentation
from segjax.ops import rle

KINDS = [  # as COCO has them: neither contiguous nor in order
    {"id": 92, "name": "sky", "isthing": 0, "color": [70, 130, 180]},
    {"id": 1, "name": "person", "isthing": 1, "color": [220, 20, 60]},
    {"id": 7, "name": "car", "isthing": 1, "color": [0, 0, 142]},
]
PERSON, CAR, SKY = 0, 1, 2  # their classes
CORNERS = {  # of a person: joints, limbs
    "id": 1,
    "name": "person",
    "keypoints": ["nose", "left_hand", "right_hand"],
    "skeleton": [[1, 2], [1, 3]],
}
# ids that need one, two and three bytes: 300 = 44 + 1 * 256,
# 70000 = 112 + 17 * 256 + 1 * 65536
RGB = {0: (0, 0, 0), 9: (9, 0, 0), 300: (44, 1, 0), 70000: (112, 17, 1)}
IDS = np.array(
    [
        [300, 300, 0, 0, 9, 9],
        [300, 300, 0, 0, 9, 9],
        [70000, 70000, 70000, 0, 8, 8],
        [70000, 70000, 70000, 0, 8, 8],
    ]
)
RGB[8] = (8, 0, 0)
SEGMENTS = [
    {"id": 9, "category_id": 7, "iscrowd": 0},
    {"id": 70000, "category_id": 92, "iscrowd": 0},
    {"id": 300, "category_id": 7, "iscrowd": 0},
    {"id": 8, "category_id": 1, "iscrowd": 1},
]


def picture_of(key):
    return np.random.default_rng(key).integers(0, 256, (4, 6, 3), np.uint8)


def entry(key, **more):
    return {"id": key, "file_name": f"{key:012d}.jpg", "height": 4, "width": 6} | more


def write_pictures(root, keys, folder="train2017"):
    (root / folder).mkdir(parents=True, exist_ok=True)
    for key in keys:
        Image.fromarray(picture_of(key)).save(root / folder / f"{key:012d}.jpg")


def write_json(root, name, content):
    path = root / "annotations" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def write_panoptic(root, keys, split="train2017"):
    write_pictures(root, keys, split)
    folder = root / "annotations" / f"panoptic_{split}"
    folder.mkdir(parents=True)
    rgb = np.array([[RGB[v] for v in row] for row in IDS.tolist()], np.uint8)
    marks = []
    for key in keys:
        name = f"{key:012d}.png"
        Image.fromarray(rgb).save(folder / name)
        marks.append({"image_id": key, "file_name": name, "segments_info": SEGMENTS})
    content = {"images": [entry(k) for k in keys], "annotations": marks}
    write_json(root, f"panoptic_{split}", content | {"categories": KINDS})


def box(x, y, right, bottom):
    return [[x, y, right, y, right, bottom, x, bottom]]


def mark(key, image, category, segmentation, **more):
    what = {"id": key, "image_id": image, "category_id": category}
    return what | {"segmentation": segmentation, "iscrowd": 0} | more


def objects(image):
    """A car, a person before it, one who is behind that car and smaller still; a crowd
    of cars that the first car stands in."""
    crowd = np.zeros((4, 6), bool)
    crowd[3] = True
    runs = {"size": [4, 6], "counts": rle.encode(crowd)}
    return [
        mark(10 * image + 1, image, 7, box(0, 1, 4, 4)),
        mark(10 * image + 2, image, 1, box(1, 0, 2, 3)),
        mark(10 * image + 3, image, 7, runs, iscrowd=1),
        mark(10 * image + 4, image, 1, box(4.6, 0.6, 5.4, 1.4)),  # no centre inside
    ]


def write_objects(root, keys, name="instances_train2017", folder="train2017"):
    write_pictures(root, keys, folder)
    content = {
        "images": [entry(key) for key in keys],
        "annotations": [one for key in keys for one in objects(key)],
        "categories": KINDS[1:],
    }
    write_json(root, name, content)


def people(image):
    small, large = [5, 1, 2, 4, 0, 1, 0, 0, 0], [1, 2, 2, 0, 0, 0, 3, 3, 1]
    return [
        mark(1, image, 1, box(0, 0, 3, 4), keypoints=large, area=11.5),
        mark(2, image, 1, box(0, 0, 6, 1), iscrowd=1, keypoints=[0] * 9),
        mark(3, image, 1, box(0.6, 0.6, 0.9, 0.9), keypoints=[0] * 9, area=0.1),
        mark(4, image, 1, box(4, 0, 6, 2), keypoints=small),
    ]


def write_people(root, keys, name="person_keypoints_val2017"):
    write_pictures(root, keys, "val2017")
    marks = [one for key in keys for one in people(key)]
    content = {"images": [entry(k) for k in keys], "annotations": marks}
    write_json(root, name, content | {"categories": [CORNERS]})


def prepare(root, to, *more):
    return main(["prepare", "coco", f"--from={root}", f"--to={to}", *more])


def all_rows(to, **config):
    for fold in range(5):
        rows = data.open_split("coco", "test", dir=str(to), fold=fold, **config)
        yield from (rows[i] for i in range(len(rows)))


def of_jpeg(key):
    file = io.BytesIO()
    Image.fromarray(picture_of(key)).save(file, "JPEG")
    return np.asarray(Image.open(file))


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


def test_objects_without_joints_beside_people(tmp_path):
    """Some programs give them an empty list."""
    write_people(tmp_path, range(1, 6))
    path = tmp_path / "annotations" / "person_keypoints_val2017.json"
    content = json.loads(path.read_text())
    content["categories"].append({"id": 7, "name": "car", "keypoints": []})
    content["annotations"][0] |= {"category_id": 7, "keypoints": []}
    path.write_text(json.dumps(content))
    assert prepare(tmp_path, tmp_path / "to") == 0
    assert not next(all_rows(tmp_path / "to"))["keypoints"][0].any()


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
    told = "3 of train, of which 1 choose, and 2 of val, which are tested"
    assert told in capsys.readouterr().out
    found = {}
    for split in data.SPLITS:
        rows = data.open_split("coco", split, dir=str(tmp_path / "to"), fold=1)
        found[split] = [int(rows[i]["name"]) for i in range(len(rows))]
    assert found == {"train": [1, 3], "val": [2], "test": [4, 5]}


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
    assert "no JSON file with 'stuff' in its name" in capsys.readouterr().err
    for form in ("panoptic", "instances"):
        assert prepare(tmp_path, to, f"--annotations={form}") == 0
    with pytest.raises(Mistake, match="prepared as panoptic and instances; say which"):
        data.make_info("coco", dir=str(to))
    assert "sky" in data.make_info("coco", dir=str(to), form="panoptic").classes
    assert "sky" not in data.make_info("coco", dir=str(to), form="instances").classes
    assert main(["prepare", "ph2", "--from=x", "--annotations=y"]) == 2
    assert "--annotations does not count for ph2" in capsys.readouterr().err


def test_a_file_of_another_name_is_known_by_what_it_holds(tmp_path):
    write_people(tmp_path, range(1, 6), name="mine")
    write_json(tmp_path, "results", [{"image_id": 1, "score": 0.5}])
    assert prepare(tmp_path, tmp_path / "to") == 0
    assert data.make_info("coco", dir=str(tmp_path / "to")).joints


def test_not_prepared(tmp_path):
    with pytest.raises(Mistake, match=r"coco is not prepared in .*cocodataset\.org"):
        data.make_info("coco", dir=str(tmp_path))


# what is broken


def change(name, edit):
    """Of the annotations, loaded, as a way to break them."""

    def harm(root):
        path = root / "annotations" / f"{name}.json"
        content = json.loads(path.read_text())
        edit(content)
        path.write_text(json.dumps(content))

    return harm


def of_segments(edit):
    """A change of the second picture's segments."""

    def to_segments(content):
        edit(content["annotations"][1]["segments_info"])

    return change("panoptic_train2017", to_segments)


def of_object(**more):
    """A change of annotation 21, of the second picture."""
    return change(
        "instances_train2017", lambda content: content["annotations"][4].update(more)
    )


def of_images(edit):
    return change("instances_train2017", lambda content: edit(content["images"]))


def runs(counts, size=(4, 6)):
    return of_object(segmentation={"size": list(size), "counts": counts})


def png(root):
    return root / "annotations" / "panoptic_train2017" / f"{2:012d}.png"


def jpeg(root):
    return root / "train2017" / f"{2:012d}.jpg"


def repaint(root):
    """A pixel of segment 9 of an id that is not listed."""
    with Image.open(png(root)) as image:
        pixels = np.array(image)
    pixels[0, 4] = (1, 1, 0)
    Image.fromarray(pixels).save(png(root))


BROKEN_PANOPTIC = {
    "a PNG of another size": (
        lambda root: Image.new("RGB", (5, 4)).save(png(root)),
        "000000000002.png is 4x5, its picture 4x6",
    ),
    "a PNG that is grey": (
        lambda root: Image.new("L", (6, 4)).save(png(root)),
        "000000000002.png is a picture of kind 'L'; a panoptic PNG is RGB",
    ),
    "a PNG cut short": (
        lambda root: png(root).write_bytes(png(root).read_bytes()[:-25]),
        "000000000002.png is cut short",
    ),
    "no PNG": (
        lambda root: png(root).unlink(),
        "its PNG of segments, 000000000002.png in a folder panoptic_train2017, is",
    ),
    "a segment that the PNG lacks": (
        of_segments(lambda segments: segments.append(SEGMENTS[0] | {"id": 5})),
        "lists segments that annotations/panoptic_train2017/000000000002.png has not:"
        " 5. Get both anew",
    ),
    "a segment that the JSON lacks": (
        repaint,
        "000000000002.png has segments that annotations/panoptic_train2017.json does"
        " not list: 257",
    ),
    "a segment of two categories": (
        of_segments(lambda segments: segments.append(segments[0] | {"category_id": 1})),
        "lists segment 9 of annotations/panoptic_train2017/000000000002.png twice",
    ),
    "a segment of no category": (
        of_segments(lambda segments: segments[0].update(category_id=8)),
        "Segment 9 of train2017/000000000002.jpg in annotations/panoptic_train2017.json"
        " is of category 8, which is not among its 'categories'",
    ),
    "a segment numbered 0": (
        of_segments(lambda segments: segments[0].update(id=0)),
        "has the id 0; it must be a whole number from 1",
    ),
    "segments that are no list": (
        change(
            "panoptic_train2017",
            lambda content: content["annotations"][1].pop("segments_info"),
        ),
        "has an annotation without 'file_name' and 'segments_info'",
    ),
    "a picture without annotation": (
        change("panoptic_train2017", lambda content: content["annotations"].pop(1)),
        "Image 2 of annotations/panoptic_train2017.json has 0 annotations",
    ),
    "a category that may be a thing": (
        change(
            "panoptic_train2017",
            lambda content: content["categories"][0].pop("isthing"),
        ),
        "Category 'sky' of annotations/panoptic_train2017.json does not say whether",
    ),
    "two of train": (
        lambda root: write_panoptic(root, [9], "train2014"),
        "There are 2 files of annotations",
    ),
    "a picture in train and val": (
        lambda root: write_panoptic(root, [2, 9], "val2017"),
        "what is tested must not be trained on",
    ),
}
BROKEN_OBJECTS = {
    "an odd polygon": (
        of_object(segmentation=[[0, 0, 3, 0, 3, 3, 1]]),
        "Annotation 21 of train2017/000000000002.jpg in"
        " annotations/instances_train2017.json has a polygon of 7 coordinates",
    ),
    "a polygon of two corners": (
        of_object(segmentation=[[0, 0, 3, 3]]),
        "has a polygon of 2 corners; it must have 3 or more",
    ),
    "a polygon outside": (
        of_object(segmentation=box(7, 0, 9, 2)),
        "has a polygon wholly outside of its picture: x 7 to 9, y 0 to 2",
    ),
    "a polygon of words": (
        of_object(segmentation=[["a"] * 6]),
        "has a polygon that is not a list of numbers",
    ),
    "a corner that is no number": (
        of_object(segmentation=[[0, 0, 3, 0, 3, float("nan")]]),
        "has a polygon that is not a list of numbers",
    ),
    "no segmentation": (of_object(segmentation=[]), "has no 'segmentation'"),
    "runs that do not sum up": (
        runs([4, 5]),
        "that sum to 9; its picture of 4x6 has 24",
    ),
    "a run below 0": (runs([30, -6]), "that are not whole numbers of 0 or more"),
    "runs of another size": (
        runs([24], (6, 4)),
        "has run lengths of the size [6, 4]; its picture has [4, 6]",
    ),
    "a bad character": (runs("1!"), "has the character '!' in its run lengths"),
    "characters cut short": (runs("h"), "compressed run lengths that are cut short"),
    "a run without end": (runs("o" * 99), "a run length larger than any picture"),
    "runs that are none": (runs(None), "that are not whole numbers"),
    "a crowd of two": (of_object(iscrowd=2), "has an 'iscrowd' of 2"),
    "a crowd that is text": (
        of_object(iscrowd="0"),
        "has an 'iscrowd' of '0'; it must be the number 0 or 1",
    ),
    "a category that is text": (
        of_object(category_id="7"),
        "has a 'category_id' of '7'; it must be a whole number",
    ),
    "a category of half a character": (
        of_object(category_id="\ud800"),
        "has a 'category_id' of '\\ud800'; it must be a whole number",
    ),
    "no such category": (
        of_object(category_id=5),
        "is of category 5, which is not among its 'categories'",
    ),
    "no such image": (
        of_object(image_id=99),
        "Annotation 21 of annotations/instances_train2017.json is of image 99, which",
    ),
    "an image id that is a list": (of_object(image_id=[1]), "is of image [1], which"),
    "an image id twice": (
        of_images(lambda images: images[1].update(id=1)),
        "annotations/instances_train2017.json has several images of the id 1",
    ),
    "a picture twice": (
        of_images(
            lambda images: images.append(entry(77) | {"file_name": f"{2:012d}.jpg"})
        ),
        "has several images of the name 000000000002",
    ),
    "an image without id": (
        of_images(lambda images: images[1].pop("id")),
        "Image 2 of the list in annotations/instances_train2017.json has no whole",
    ),
    "an image without name": (
        of_images(lambda images: images[1].pop("file_name")),
        "Image 2 of annotations/instances_train2017.json has no 'file_name'",
    ),
    "an image without size": (
        of_images(lambda images: images[1].pop("width")),
        "Image 2 of annotations/instances_train2017.json has no 'height' and 'width'",
    ),
    "no picture": (
        lambda root: jpeg(root).unlink(),
        "Image 2 of annotations/instances_train2017.json, 000000000002.jpg, is missing",
    ),
    "a picture of another size": (
        lambda root: Image.new("RGB", (6, 5)).save(jpeg(root)),
        "000000000002.jpg is 5x6, and annotations/instances_train2017.json says 4x6",
    ),
    "no JSON": (
        lambda root: write_json(root, "instances_train2017", '{"images": ['),
        "annotations/instances_train2017.json is not JSON",
    ),
    "JSON without end": (
        lambda root: write_json(root, "instances_train2017", "[" * 100_000),
        "annotations/instances_train2017.json is not JSON",
    ),
    "no images": (
        change("instances_train2017", lambda content: content.pop("images")),
        "has no list of 'images'",
    ),
    "no annotations": (
        change("instances_train2017", lambda content: content.update(annotations=3)),
        "has no list of 'annotations'",
    ),
    "a list": (
        lambda root: write_json(root, "instances_train2017", [1]),
        "has no list of 'images'",
    ),
    "two categories of a name": (
        change(
            "instances_train2017",
            lambda content: content["categories"][0].update(name="car"),
        ),
        "has two categories called 'car'",
    ),
    "two categories of a number": (
        change(
            "instances_train2017",
            lambda content: content["categories"][0].update(id=7),
        ),
        "has two categories numbered '7'",
    ),
    "val with other categories": (
        lambda root: (
            write_objects(root, [9], "instances_val2017", "val2017"),
            change("instances_val2017", lambda c: c["categories"].pop())(root),
        ),
        "have other categories; a class must be the same in both",
    ),
}
BROKEN_PEOPLE = {
    "joints left out": (
        change(
            "person_keypoints_val2017",
            lambda content: content["annotations"][0].update(keypoints=[1, 2, 2]),
        ),
        "Annotation 1 of val2017/000000000001.jpg in"
        " annotations/person_keypoints_val2017.json has key points that are not x, y,",
    ),
    "a joint seen thrice": (
        change(
            "person_keypoints_val2017",
            lambda content: content["annotations"][0].update(keypoints=[3] * 9),
        ),
        "has a joint that is neither 0, 1 nor 2",
    ),
    "a limb to nowhere": (
        change(
            "person_keypoints_val2017",
            lambda content: content["categories"][0].update(skeleton=[[1, 4]]),
        ),
        "has [1, 4] in its 'skeleton'; each limb is two of the joints 1 to 3",
    ),
}
BROKEN = {
    **{name: (write_panoptic, *how) for name, how in BROKEN_PANOPTIC.items()},
    **{name: (write_objects, *how) for name, how in BROKEN_OBJECTS.items()},
    **{name: (write_people, *how) for name, how in BROKEN_PEOPLE.items()},
}


@pytest.mark.parametrize(("write", "harm", "words"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_told(write, harm, words, tmp_path, capsys):
    write(tmp_path, range(1, 7))
    harm(tmp_path)
    assert prepare(tmp_path, tmp_path / "to") == 2
    said = capsys.readouterr()
    assert words in said.err, said.err
    assert "Traceback" not in said.err
    assert not (tmp_path / "to").exists()


def test_broken_pictures_may_be_left_out_and_move_no_other(tmp_path, capsys):
    write_objects(tmp_path, range(1, 9))
    assert prepare(tmp_path, tmp_path / "whole") == 0
    of_object(segmentation=[[0, 0, 3, 3]])(tmp_path)
    assert prepare(tmp_path, tmp_path / "to", "--skip-broken") == 1
    assert "They were left out" in capsys.readouterr().out

    def folds(to):
        for k in range(5):
            rows = data.open_split("coco", "test", dir=str(to), fold=k)
            yield from ((rows[i]["name"], k) for i in range(len(rows)))

    whole, left = dict(folds(tmp_path / "whole")), dict(folds(tmp_path / "to"))
    assert whole.pop(f"{2:012d}") == 1
    assert left == whole


def test_no_annotations(tmp_path, capsys):
    write_pictures(tmp_path, [1])
    (tmp_path / "annotations.zip").write_bytes(b"PK")
    assert prepare(tmp_path, tmp_path / "to") == 2
    said = capsys.readouterr().err
    assert "holds no annotations of COCO, panoptic_*.json" in said
    assert "Unpack annotations.zip first" in said


def test_pictures_that_no_annotation_names_are_told(tmp_path, capsys):
    write_objects(tmp_path, range(1, 6))
    write_pictures(tmp_path, [50])
    assert prepare(tmp_path, tmp_path / "to") == 0
    said = capsys.readouterr().out
    assert "pictures that no annotation names: train2017/000000000050.jpg" in said
