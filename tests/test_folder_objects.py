"""A user's folder whose masks tell objects apart: by numbers, by colours, or by a file
for each; what is said of them, and of those that cannot be used."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from segjax import data
from segjax.__main__ import main
from segjax.base import Mistake
from segjax.data._folder.coding import Coding
from segjax.data._folder.gather import gather
from segjax.data._folder.numbered import create_instance, object_numbers, semantic_of
from segjax.data._folder.pairs import match
from segjax.data._folder.read_mask import Mask
from segjax.data._objects import facts_of_objects, look_at_objects, notes_on_objects

H, W = 12, 16
PICTURES = 6
CODING = Coding(("background", "object"), objects=True)


def image_of(k):
    return np.random.default_rng(k).integers(0, 256, (H, W, 3)).astype(np.uint8)


def ids_of(k):
    """Objects 1 to k + 1, each of 3 x 2 pixels, the last two touching."""
    ids = np.zeros((H, W), np.int32)
    for n in range(k + 1):
        ids[2:5, 1 + 2 * n : 3 + 2 * n] = n + 1
    return ids


def write(path, array, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **how)


def numbers(path, k):
    write(path, ids_of(k).astype(np.uint8))


def make_folder(root, write_mask=numbers, masks="masks", pictures=PICTURES):
    for k in range(pictures):
        write(root / "images" / f"p{k}.png", image_of(k))
        (root / masks).mkdir(exist_ok=True)
        write_mask(root / masks / f"p{k}.png", k)
    return root


def examples(root, **config):
    """All examples by name, what they are, and what was told."""
    config = {"dir": str(root), "objects": True} | config
    found, told = data.settle("folder", **config)
    rows = data.find("data", "folder").open_all(**config | found)
    every = {rows[i]["name"]: rows[i] for i in range(len(rows))}
    return every, data.make_info("folder", **config | found), "\n".join(told)


# What masks may be. Each: how a mask is written, and options.

GAPS = np.array([0, 700, 40000, 65535, 300, 9, 1])  # of ids 0 to 6
COLORS = np.random.default_rng(0).integers(1, 255, (7, 3)) * [[0], *[[1]] * 6]


def in_16_bits(path, k):
    write(path, GAPS[ids_of(k)].astype(np.uint16))


def in_32_bits(path, k):
    values = (GAPS * 3000)[ids_of(k)].astype(np.uint32)
    tifffile.imwrite(path.with_suffix(".tif"), values)


def in_colors(path, k):
    write(path, COLORS[ids_of(k)].astype(np.uint8))


def in_palette(path, k):
    image = Image.fromarray(ids_of(k).astype(np.uint8), "P")
    image.putpalette([0] * 9 + [7, 8, 9] * 10)  # of one colour: the index counts
    image.save(path)


def with_void(path, k):
    ids = ids_of(k).astype(np.uint8)
    ids[0] = 255
    write(path, ids)


def with_minus_one(path, k):
    ids = ids_of(k)
    ids[0] = -1
    tifffile.imwrite(path.with_suffix(".tif"), ids)


def with_white(path, k):
    colored = COLORS[ids_of(k)].astype(np.uint8)
    colored[0] = 255
    write(path, colored)


def files_in_a_folder(path, k):
    for n in range(k + 1):
        write(path.with_suffix("") / f"{n}ab.png", (ids_of(k) == n + 1) * np.uint8(255))


def files_numbered(path, k):
    for n in range(k + 1):
        one = (ids_of(k) == n + 1).astype(np.uint8)
        write(path.with_name(f"{path.stem}_{n + 1}.png"), one)


def files_numbered_masks(path, k):
    for n in range(k + 1):
        white = Image.fromarray((ids_of(k) == n + 1) * np.uint8(255)).convert("1")
        white.save(path.with_name(f"{path.stem}_mask{n}.png"))


KINDS = {
    "8 bits": (numbers, {}),
    "16 bits, with gaps": (in_16_bits, {}),
    "32 bits, with gaps": (in_32_bits, {}),
    "colours": (in_colors, {}),
    "palette": (in_palette, {}),
    "255 does not count": (with_void, {"void": 255}),
    "-1 does not count": (with_minus_one, {"void": -1}),
    "white does not count": (with_white, {"void": "#ffffff"}),
    "files in a folder": (files_in_a_folder, {}),
    "files, numbered": (files_numbered, {}),
    "files, numbered masks": (files_numbered_masks, {}),
}


def same_objects(one, other):
    """Whether each object of one is one object of the other."""
    couples = np.unique(np.stack([one.ravel(), other.ravel()]), axis=1)
    return len(couples[0]) == len(set(couples[0])) == len(set(couples[1]))


@pytest.mark.parametrize("kind", KINDS)
def test_objects_are_told_apart(kind, tmp_path):
    write_mask, config = KINDS[kind]
    found, info, told = examples(make_folder(tmp_path, write_mask), **config)
    assert info.things == ("object",)
    assert info.provides == ("image", "semantic", "instance")
    assert "21 objects of class 'object'" in told
    assert "1 to 6 a picture" in told
    for k in range(PICTURES):
        instance, wanted = found[f"p{k}"]["instance"], ids_of(k)
        wanted[0] = -1 if config else 0
        assert instance.dtype == np.int32
        assert instance.max() == k + 1
        np.testing.assert_array_equal(np.sign(instance), np.sign(wanted))
        assert same_objects(instance, wanted)
        semantic = np.where(wanted < 0, 255, wanted > 0)
        np.testing.assert_array_equal(found[f"p{k}"]["semantic"], semantic)


def test_ids_are_renumbered_in_their_order():
    mask = Mask(np.array([[0, 900, 7], [7, 12, 3]], np.int32))
    instance = create_instance(CODING._replace(void=(3,)), mask, "m.png")
    np.testing.assert_array_equal(instance, [[0, 3, 1], [1, 2, -1]])
    np.testing.assert_array_equal(semantic_of(instance), [[0, 1, 1], [1, 1, 255]])


def test_the_class_has_the_name_that_is_given(tmp_path):
    root = make_folder(tmp_path)
    _, info, told = examples(root, classes=("background", "person"))
    assert info.classes == ("background", "person")
    assert info.things == ("person",)
    assert "objects of class 'person'" in told


def test_a_mask_of_another_size_loses_no_number_in_between(tmp_path):
    """Brought to its picture's size, a mask may lose an object: ids stay compact."""

    def larger(path, k):
        ids = np.kron(ids_of(k), np.ones((2, 2), np.int32)) * 2
        ids[0, 0] = 1  # that no pixel of the picture shows
        write(path, ids.astype(np.uint8))

    found, _, _ = examples(make_folder(tmp_path, larger))
    for k in range(PICTURES):
        assert same_objects(found[f"p{k}"]["instance"], ids_of(k))
        assert set(np.unique(found[f"p{k}"]["instance"])) == set(range(k + 2))


def test_255_far_above_the_others_is_asked_about(tmp_path):
    """Pascal VOC draws its objects' borders so."""
    root = make_folder(tmp_path, with_void)
    _, _, told = examples(root)
    assert "255 is taken for an object, and the others are numbered up to 6" in told
    assert "taken for" not in examples(root, void=255)[2]


def test_the_smaller_of_two_objects_is_on_top(tmp_path):
    root = make_folder(tmp_path, files_numbered)
    large, hidden = np.zeros((2, H, W), np.uint8)
    large[1:9, 0:9], hidden[2:5, 1:3] = 255, 255
    write(root / "masks" / "p2_0.png", large)
    write(root / "masks" / "p2_9.png", hidden)  # the same as object 1
    found, _, told = examples(root)
    instance = found["p2"]["instance"]
    assert instance.max() == 4
    assert len(np.unique(instance[ids_of(2) > 0])) == 3
    assert len(np.unique(instance[(ids_of(2) == 0) & (large > 0)])) == 1
    assert "some objects lie wholly under smaller ones" in told


# How files are found to be the objects of a picture.

LAYOUTS = {
    "DSB": (["images/img_1.png"], ["masks/img_1/0a.png", "masks/img_1/0b.png"]),
    "DSB as it comes": (
        ["stage1_train/3c/images/3c.png"],
        ["stage1_train/3c/masks/0a.png", "stage1_train/3c/masks/0b.png"],
    ),
    "numbers": (["images/A.jpg"], ["masks/A_1.png", "masks/A_2.png"]),
    "numbers after numbers": (
        ["images/a_1.jpg", "images/a_2.jpg"],
        ["masks/a_1_1.png", "masks/a_1_2.png", "masks/a_2_1.png"],
    ),
    "numbered masks": (["images/a.jpg"], ["masks/a_mask1.png", "masks/a-obj-2.png"]),
    "instances": (["images/a.jpg"], ["instances/a_1.png", "instances/a_2.png"]),
    "splits": (
        ["train/a.jpg", "val/a.jpg"],
        ["trainannot/a/1.png", "trainannot/a/2.png", "valannot/a/1.png"],
    ),
    "pictures called as their objects": (
        ["images/1.png", "images/2.png"],
        ["masks/1/1.png", "masks/1/2.png", "masks/2/1.png"],
    ),
    "accents, written in two ways": (
        ["images/\u00e9.png"],
        ["masks/e\u0301/1.png", "masks/e\u0301/2.png"],
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_files_are_gathered(layout):
    pictures, masks = LAYOUTS[layout]
    files = [*pictures, *masks]
    gathered, doubts = gather(files, None, None)
    assert doubts == []
    assert sorted(file for parts in gathered.values() for file in parts) == sorted(
        masks
    )
    matched = match([*pictures, *gathered], None, None, objects=True)
    assert sorted(pair.image for pair in matched.pairs) == pictures
    assert len(gathered) == len(pictures)


@pytest.mark.parametrize(
    "files",
    [
        ["images/a_1.png", "images/a_2.png", "masks/a_1.png", "masks/a_2.png"],
        ["images/p1/1.png", "images/p1/2.png", "masks/p1/1_seg.png", "masks/p1/2.png"],
        ["images/1/1.png", "images/1/2.png", "masks/1/1.png", "masks/1/2.png"],
        ["images/f.png", "images/g.png", "masks/f_3.png", "masks/g.png"],
        ["images/a.png", "images/a_1.png", "masks/a.png", "masks/a_1.png"],
    ],
)
def test_masks_of_whole_pictures_are_not_gathered(files):
    assert gather(files, None, None) == ({}, [])


def test_one_number_a_picture_beside_masks_of_classes():
    files = ["images/a.png", "images/b.png", "masks/a.png", "masks/b.png"]
    apart = {f"instances/{name}.png": (f"instances/{name}_1.png",) for name in "ab"}
    assert gather([*files, *(f for [f] in apart.values())], None, None) == (apart, [])


def test_pictures_may_lie_in_the_folder_of_masks():
    files = ["a/1.png", "a/2.png", "images/a.png"]
    gathered, _ = gather(files, "images", ".")
    assert gathered == {"a.png": ("a/1.png", "a/2.png")}
    [pair] = match([*gathered, files[2]], "images", ".", objects=True).pairs
    assert (pair.image, pair.mask) == ("images/a.png", "a.png")
    assert gather(files, None, ".") == ({}, [])  # where no picture is found, told later


@pytest.mark.parametrize("file", ["masks/p6.png", "masks/p6/0.png"])
def test_a_lone_black_mask_is_that_of_no_object(file, tmp_path):
    root = make_folder(tmp_path, files_in_a_folder)
    write(root / "images" / "p6.png", image_of(6))
    assert "p6.png" in examples(root)[2].split("(one black mask says")[1]
    write(root / file, NOTHING)
    found, _, told = examples(root)
    assert not found["p6"]["instance"].any()
    assert "21 objects of class 'object'" in told
    assert "0 to 6 a picture" in told
    assert "left out" not in told


def test_masks_of_objects_and_of_classes_side_by_side():
    files = ["images/a.png", "masks/a.png", "instances/a.png"]
    for objects, mask in ((False, "masks/a.png"), (True, "instances/a.png")):
        found = match(files, None, None, objects)
        assert [pair.mask for pair in found.pairs] == [mask]
        assert len(found.aside) == 1
    [pair] = match([files[0], files[2]], None, None, objects=True).pairs
    assert pair.mask == "instances/a.png"


def test_a_table_names_the_whole_mask(tmp_path):
    root = make_folder(tmp_path, files_in_a_folder)
    lines = [f"p{k},masks/p{k},{k}" for k in range(1, PICTURES)]
    (root / "t.csv").write_text("\n".join(["image,mask,patient", *lines]))
    found, _, _ = examples(root, table="t.csv", group="patient")
    assert sorted(found) == [f"images/p{k}" for k in range(1, PICTURES)]
    assert found["images/p3"]["instance"].max() == 4


# What cannot be used, and what is said.


def binary(path, k):
    write(path, (ids_of(k) > 0) * np.uint8(255))


def blurred(path, k):
    large = Image.fromarray((ids_of(k) > 0) * np.uint8(255)).resize((W * 8, H * 8), 0)
    large.rotate(0.5, Image.Resampling.BICUBIC).save(path)


def lossy(path, k):
    write(path.with_suffix(".jpg"), ids_of(k).astype(np.uint8))


def replaced(file, array, write_mask=files_in_a_folder):
    def change(root):
        make_folder(root, write_mask)
        write(root / file, array)

    return change


def minus_two(path, k):
    tifffile.imwrite(path.with_suffix(".tif"), ids_of(k) - 2)


def one_of_two(root):
    """A picture p0_1, whose mask is called as an object of p0."""
    make_folder(root, files_numbered)
    write(root / "images" / "p0_1.png", image_of(0))


NOTHING = np.zeros((H, W), np.uint8)
SOFT = ids_of(0).astype(np.uint8) * np.arange(W, dtype=np.uint8) * 50
SQUARE = np.pad(np.full((2, 2), 255, np.uint8), 5)
BROKEN = {
    "0 and 255": (lambda root: make_folder(root, binary), {}, "p0.png does. Number"),
    "blurred": (
        lambda root: make_folder(root, blurred),
        {},
        "do not tell objects apart: of their",
    ),
    "other proportions": (
        lambda root: make_folder(root, lambda p, k: write(p, SQUARE)),
        {},
        "masks/p0.png is 12x12, its picture 12x16: other proportions",
    ),
    "no object": (
        lambda root: make_folder(root, lambda p, k: write(p, NOTHING)),
        {},
        "No mask holds an object",
    ),
    "JPEG": (lambda root: make_folder(root, lossy), {}, "p0.jpg is saved as JPEG"),
    "numbers below 0": (
        lambda root: make_folder(root, minus_two),
        {"void": -1},
        "p0.tif holds -2, and objects are numbered from 1",
    ),
    "a threshold": (make_folder, {"threshold": 0.0}, "with data.threshold values are"),
    "values": (make_folder, {"values": (0, 1)}, "with data.values values are classes"),
    "three classes": (make_folder, {"classes": ("a", "b", "c")}, "has 3 names, and"),
    "a file without an object": (
        replaced("masks/p2/1ab.png", NOTHING),
        {},
        "masks/p2/1ab.png is black throughout: it is the mask of no object",
    ),
    "a file of two objects": (
        replaced("masks/p2/1ab.png", ids_of(1).astype(np.uint8)),
        {},
        "masks/p2/1ab.png holds 1, 2 beside 0; the mask of one object holds",
    ),
    "a file with soft edges": (
        replaced("masks/p2/1ab.png", SOFT),
        {},
        "masks/p2/1ab.png holds 50, 100 beside 0; the mask of one object holds 0 and"
        " one other value. If its edges are soft, save it in black and white",
    ),
    "a file of one of two pictures": (
        one_of_two,
        {},
        "masks/p0_1.png may be the mask of picture 'p0_1', or of an object of picture"
        " 'p0'. Put the masks of a picture's objects in a folder called as the picture:"
        " masks/p0/1.png.",
    ),
    "a mask of all beside those of objects": (
        replaced("masks/p2.png", ids_of(2).astype(np.uint8)),
        {},
        "masks/p2.png is called as the mask of a whole picture, and masks/p2/0ab.png,"
        " masks/p2/1ab.png and 1 more as those of its objects. Leave the one or",
    ),
    "a file of another size": (
        replaced("masks/p2/1ab.png", SQUARE),
        {},
        "masks/p2/1ab.png is 12x12, masks/p2/0ab.png 12x16; the masks",
    ),
    "files of half the size": (
        replaced("masks/p0/0ab.png", ids_of(0)[::2, ::2].astype(np.uint8)),
        {},
        "masks/p0/0ab.png is 6x8, its picture 12x16; the masks of a picture's objects",
    ),
    "an object's file as JPEG": (
        replaced("masks/p0_1.jpg", ids_of(0).astype(np.uint8), files_numbered),
        {},
        "masks/p0_1.jpg is saved as JPEG",
    ),
    "files, and what does not count": (
        lambda root: make_folder(root, files_numbered),
        {"void": 255},
        "leave data.void unset",
    ),
}


@pytest.mark.parametrize("harm", BROKEN)
def test_what_cannot_be_used_is_told(harm, tmp_path):
    change, config, words = BROKEN[harm]
    change(tmp_path)
    with pytest.raises(Mistake) as told:
        examples(tmp_path, **config)
    assert words in str(told.value), str(told.value)


def test_more_objects_than_a_picture_may_have():
    values = np.arange(65537)
    assert len(object_numbers(values[:-1], [], "m.png")) == 65535
    with pytest.raises(Mistake, match=r"m\.png numbers 65,536 objects"):
        object_numbers(values, [], "m.png")


def many_ids(step):
    """Squares of 4 x 4 pixels, more than classes may be."""
    ids = np.arange(300).reshape(15, 20) * step
    return np.kron(ids, np.ones((4, 4), np.int32)).astype(np.uint16)


@pytest.mark.parametrize(
    ("write_mask", "config"),
    [
        (numbers, {"classes": ("background", "person")}),
        (lambda path, k: write(path, many_ids(9)), {}),
        (lambda path, k: write(path, many_ids(1)), {}),
        (files_numbered, {}),
        (files_in_a_folder, {}),
        (lambda path, k: write(path, image_of(k)), {}),
    ],
)
def test_where_objects_are_numbered_the_option_is_named(write_mask, config, tmp_path):
    root = make_folder(tmp_path, write_mask)
    with pytest.raises(Mistake, match=r"--config\.data\.objects=true"):
        data.settle("folder", dir=str(root), **config)


# What is kept, and what is examined.


def test_the_fingerprint_is_of_all_files_and_of_the_option(tmp_path):
    root = make_folder(tmp_path, files_in_a_folder)
    folder = data.find("data", "folder")

    def marks(**config):
        rows = folder.open_all(dir=str(root), **config)
        return rows.fingerprint, rows.cache_key

    before = marks(objects=True)
    assert marks(objects=True) == before
    named = marks(objects=True, classes=("background", "person"))
    assert named[0] == before[0]
    assert named[1] != before[1]
    write(root / "masks" / "p3" / "2ab.png", np.eye(H, W, dtype=np.uint8))
    assert not set(marks(objects=True)) & set(before)
    numbered = make_folder(tmp_path / "n")
    plain = folder.open_all(dir=str(numbered))
    apart = folder.open_all(dir=str(numbered), objects=True)
    assert plain.fingerprint != apart.fingerprint
    assert plain.cache_key != apart.cache_key
    assert "instance" not in plain[0]


def test_objects_are_measured():
    instance = np.zeros((8, 40), np.int32)
    instance[:5, :5], instance[2:4, 10:12], instance[4:6, 38:] = 1, 2, 2
    instance[0, 39] = -1
    one, none = look_at_objects("a", instance), look_at_objects("b", instance * 0)
    assert one.pixels.tolist() == [25, 8]
    assert one.apart == 1  # the two pieces of object 2
    facts = facts_of_objects([one, none])
    assert facts[0] == "objects: 2, 0 to 2 a picture, 1 in the middle"
    assert facts[1] == "sizes of objects: 8 to 25 pixels, 16.5 in the middle"
    notes = notes_on_objects([one, none])
    assert notes[0].startswith("Objects of fewer than 10 pixels: 1, in a.")
    assert notes[1].startswith("Objects in pieces far apart: 1, in a.")
    assert notes[2] == "Pictures without any object: 1, b."
    instance[2:4, 10:12], instance[3, :5] = 0, 0  # what stands in front of object 1
    assert look_at_objects("a", instance).apart == 0


def test_the_doctor_counts_objects(tmp_path, capsys):
    root = make_folder(tmp_path / "d", pictures=7)
    write(root / "masks" / "p6.png", np.zeros((H, W), np.uint8))
    sheet = f"--sheet={tmp_path / 's.png'}"
    assert main(["doctor", str(root), sheet, "--config.data.objects=true"]) == 0
    said = capsys.readouterr().out
    assert "masks: 21 objects of class 'object', told apart by the masks'" in said
    assert "objects: 21, 0 to 6 a picture, 3 in the middle" in said
    assert "sizes of objects: 6 to 6 pixels, 6 in the middle" in said
    assert "note: Objects of fewer than 10 pixels: 21, in p" in said
    assert "note: Pictures without any object: 1, p6." in said
    make_folder(root, binary)
    assert main(["doctor", str(root), sheet, "--config.data.objects=true"]) == 1
    assert "FINDING: These masks do not tell objects apart" in capsys.readouterr().out
