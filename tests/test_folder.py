"""A user's folder: how its files are matched, what its masks mean, how it is dealt out,
and what is said of one that cannot be used."""

import fcntl
import functools
import os
import shutil

import numpy as np
import pytest
import tifffile
from PIL import Image

from segjax import data
from segjax.__main__ import main
from segjax.base import Mistake, names
from segjax.data._folder.coding import apply_coding
from segjax.data._folder.find_coding import find_coding
from segjax.data._folder.pairs import match
from segjax.data._folder.read_mask import Mask, read_mask
from segjax.data._folder.read_picture import read_picture
from segjax.data._folder.seen import look_at
from segjax.data._folds import deal

H, W = 12, 16
TRUTH = np.zeros((H, W), np.uint8)
TRUTH[3:9, 4:11] = 1
PICTURES = 6


def image_of(k):
    return np.random.default_rng(k).integers(0, 256, (H, W, 3)).astype(np.uint8)


def truth_of(k):
    return np.roll(TRUTH, k, axis=1)


def write(path, array, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **how)


def make_folder(root, write_mask=None, write_image=None, pictures=PICTURES):
    """images/ and masks/, the masks 0 and 255 unless they are written otherwise."""
    for k in range(pictures):
        picture, mask = root / "images" / f"p{k}.png", root / "masks" / f"p{k}.png"
        mask.parent.mkdir(parents=True, exist_ok=True)
        (write_image or (lambda path, k: write(path, image_of(k))))(picture, k)
        (write_mask or (lambda path, k: write(path, truth_of(k) * 255)))(mask, k)
    return root


def examples(root, **config):
    """All examples by name, whichever split they are in."""
    found, _ = data.settle("folder", dir=str(root), **config)
    config = config | found
    rows = [
        data.open_split("folder", split, dir=str(root), **config)
        for split in data.SPLITS
    ]
    every = [split[i] for split in rows for i in range(len(split))]
    return {e["name"]: e for e in every}, data.make_info("folder", **config)


# What masks may be. Each: how a mask is written, options, and the ids that come out.


def save(array, **how):
    return lambda path, k: write(path, array(k), **how)


def in_palette(colors, indices):
    def put(path, k):
        image = Image.fromarray(indices(k).astype(np.uint8), "P")
        image.putpalette([c for color in colors for c in color])
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)

    return put


def as_bits(path, k):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(truth_of(k) * 255).convert("1").save(path)


def blurred(path, k):
    large = Image.fromarray(truth_of(k) * 255).resize((W * 8, H * 8), 0)
    large.rotate(0.5, Image.Resampling.BICUBIC).save(path)


def lossy(path, k):
    large = Image.fromarray(truth_of(k) * 255).resize((W * 8, H * 8), 0)
    large.save(path, format="JPEG", quality=60)


def in_alpha(path, k):
    pixels = np.dstack([np.full((H, W, 3), 9, np.uint8), truth_of(k) * 255])
    write(path, pixels)


def opaque(path, k):
    pixels = truth_of(k) * 255 * (k != 2)  # one of them empty
    write(path, np.dstack([pixels] * 3 + [np.full((H, W), 255, np.uint8)]))


def one_empty(k):
    return truth_of(k) * (k != 2)


def in_short_palette(path, k):
    """As Pillow's putpalette leaves it: 255 without a colour of its own."""
    colors = [(0, 0, 0), (128, 0, 0), (0, 128, 0), *[(k, 9, 9) for k in range(18)]]
    in_palette(colors, with_void)(path, k)


def as_truth_values(path, k):
    tifffile.imwrite(path.with_suffix(".tif"), truth_of(k).astype(bool))


def as_int64(path, k):
    tifffile.imwrite(path.with_suffix(".tif"), three(k).astype(np.int64))


def turned_too(path, k):
    """Mask and picture as a camera held upside down left them."""
    exif = Image.Exif()
    exif[0x0112] = 3
    write(path, truth_of(k)[::-1, ::-1].copy() * 255, exif=exif)


def upside_down_tiff(path, k):
    """As it lies; its tag says that it is to be turned by half."""
    turned = truth_of(k)[::-1, ::-1].copy() * 255
    tag = [(274, "H", 1, 3, True)]
    tifffile.imwrite(path.with_suffix(".tif"), turned, extratags=tag)


def with_an_axis_of_one(path, k):
    tifffile.imwrite(path.with_suffix(".tif"), three(k)[None])


def one_each(k):
    return truth_of(k) * (1 + k % 3)


def seven_levels(k):
    ids = truth_of(k)
    ids[:2, :12] = np.repeat([1, 5, 2, 6, 3, 4], 2)
    return ids


def three(k):
    """Ids 0, 1 and 2, the last in a corner."""
    ids = truth_of(k)
    ids[-2:, -2:] = 2
    return ids


def colors(*of):
    return lambda k: np.array(of, np.uint8)[three(k)]


def with_void(k):
    ids = three(k)
    ids[0] = 255
    return ids


def mixed(path, k):
    write(path, truth_of(k) * (255 if k % 2 else 1))


def numbered(k):
    """Objects 1 to k + 1 of one class."""
    ids = truth_of(k)
    ids[0, : k + 1] = np.arange(1, k + 2)
    return ids


def any_object(k):
    return (numbered(k) > 0).astype(np.uint8)


def larger(path, k):
    write(path, np.kron(truth_of(k), np.ones((2, 2), np.uint8)) * 255)


def no_ids(k):
    return np.where(with_void(k) == 2, 255, with_void(k))


MASKS = {
    "0 and 1": (save(truth_of), {}, truth_of),
    "0 and 255": (None, {}, truth_of),
    "1 bit": (as_bits, {}, truth_of),
    "two greys": (save(lambda k: truth_of(k) * 130 + 40), {}, truth_of),
    "1 and 2": (save(lambda k: truth_of(k) + 1), {}, truth_of),
    "some 0 and 1, some 0 and 255": (mixed, {}, truth_of),
    "16 bits, 0 and 65535": (
        save(lambda k: truth_of(k).astype(np.uint16) * 65535),
        {},
        truth_of,
    ),
    "RGB that is grey": (
        save(lambda k: np.repeat(truth_of(k)[..., None] * 255, 3, -1)),
        {},
        truth_of,
    ),
    "transparency": (in_alpha, {}, truth_of),
    "palette, ids": (
        in_palette([(0, 0, 0), (128, 0, 0), (0, 128, 0)], three),
        {},
        three,
    ),
    "palette, black after white": (
        in_palette([(255, 255, 255), (0, 0, 0)], lambda k: 1 - truth_of(k)),
        {},
        truth_of,
    ),
    "palette, by colour": (
        in_palette([(0, 0, 0), (128, 0, 0), (0, 128, 0)], three),
        {"palette": "color", "values": ("#000000", "#800000", "#008000")},
        three,
    ),
    "opaque, one empty": (opaque, {}, one_empty),
    "a palette of fewer colours than indices": (in_short_palette, {}, with_void),
    "truth values in a TIFF": (as_truth_values, {}, truth_of),
    "64 bits": (as_int64, {}, three),
    "TIFF, turned by a tag": (upside_down_tiff, {}, truth_of),
    "TIFF, an axis of one": (with_an_axis_of_one, {}, three),
    "one class in each mask": (save(one_each), {}, one_each),
    "seven grey levels": (save(lambda k: seven_levels(k) * 40), {}, seven_levels),
    "greys, told as colours": (None, {"values": ("#000000", "#FFFFFF")}, truth_of),
    "palette, told as colours": (
        in_palette([(0, 0, 0), (128, 0, 0), (0, 128, 0)], three),
        {"values": ("#000000", "#800000", "#008000")},
        three,
    ),
    "ids 0 1 2": (save(three), {}, three),
    "ids and 255": (save(with_void), {}, with_void),
    "0, 1 and 255 in one mask": (save(no_ids), {}, no_ids),
    "ids, void named": (save(three), {"classes": ("a", "b", "void")}, None),
    "ids, void by number": (save(three), {"void": 2}, None),
    "grey levels": (save(lambda k: three(k) * 100), {}, three),
    "16 bits, ids": (save(lambda k: three(k).astype(np.uint16) * 300), {}, three),
    "colours": (save(colors((0, 0, 0), (255, 0, 0), (0, 0, 255))), {}, three),
    "colours, told": (
        save(colors((0, 0, 0), (255, 0, 0), (0, 0, 255))),
        {"values": ("#000000", "#FF0000", "#0000ff"), "classes": ("a", "b", "c")},
        three,
    ),
    "colours, void told": (
        save(colors((0, 0, 0), (255, 0, 0), (0, 0, 255))),
        {"void": "#0000ff"},
        None,
    ),
    "objects numbered": (save(numbered), {"threshold": 0.0}, any_object),
    "twice its picture's size": (larger, {}, truth_of),
}


@pytest.mark.parametrize("kind", MASKS)
def test_masks_are_read_rightly(kind, tmp_path):
    write_mask, config, expected = MASKS[kind]
    found, info = examples(make_folder(tmp_path / "d", write_mask), **config)
    assert len(found) == PICTURES
    for k in range(PICTURES):
        if expected is None:  # the third class does not count
            wanted = np.where(three(k) == 2, 255, three(k))
            assert len(info.classes) == 2
        else:
            wanted = expected(k)
        np.testing.assert_array_equal(found[f"p{k}"]["semantic"], wanted)
        np.testing.assert_array_equal(found[f"p{k}"]["image"], image_of(k))


def lossy_once(path, k):
    """A JPEG that was saved again without loss."""
    lossy(path, k)
    with Image.open(path) as image:
        image.load()
    image.save(path, format="PNG")


def lossy_tiff(path, k):
    large = Image.fromarray(truth_of(k) * 255).resize((W * 8, H * 8), 0)
    large.save(path.with_suffix(".tif"), compression="jpeg")


def lossy_webp(path, k):
    large = Image.fromarray(truth_of(k) * 255).resize((W * 8, H * 8), 0)
    large.save(path.with_suffix(".webp"))


def blurred_gif(path, k):
    large = Image.fromarray(truth_of(k) * 255).resize((W * 20, H * 20), 0)
    small = large.resize((W * 8, H * 8), Image.Resampling.BILINEAR)
    small.rotate(0.5, Image.Resampling.BICUBIC).save(path.with_suffix(".gif"))


@pytest.mark.parametrize(
    "soft", [blurred, lossy, lossy_once, lossy_tiff, lossy_webp, blurred_gif]
)
def test_blurred_edges_are_cut_at_half(soft, tmp_path):
    def eightfold(path, k):
        write(path, np.kron(image_of(k), np.ones((8, 8, 1), np.uint8)))

    found, info = examples(make_folder(tmp_path / "d", soft, eightfold))
    assert info.classes == ("background", "foreground")
    for k in range(PICTURES):
        wanted = np.kron(truth_of(k), np.ones((8, 8), np.uint8))
        assert (found[f"p{k}"]["semantic"] != wanted).mean() < 0.02


def test_a_few_pixels_between_two_colours_do_not_count(tmp_path):
    def put(path, k):
        picture = np.array([(0, 0, 0), (255, 0, 0)], np.uint8)[truth_of(k)]
        picture[0, 0] = (127, 0, 0)
        write(path, picture)

    config = {"values": ("#000000", "#ff0000")}
    found, _ = examples(make_folder(tmp_path / "d", put), **config)
    wanted = truth_of(2)
    wanted[0, 0] = 255
    np.testing.assert_array_equal(found["p2"]["semantic"], wanted)


def softened(path, k):
    """Made smaller, by area: a few greys between black and white."""
    large = np.kron(truth_of(k) * 255, np.ones((4, 4), np.uint8))
    Image.fromarray(large).resize(
        (W * 3 + 1, H * 3 + 1), Image.Resampling.BILINEAR
    ).save(path)


def soft_in_color(path, k):
    large = np.kron(truth_of(k), np.ones((4, 4), np.uint8))
    colored = np.array([(0, 0, 0), (255, 0, 0)], np.uint8)[large]
    Image.fromarray(colored).resize(
        (W * 3 + 1, H * 3 + 1), Image.Resampling.BILINEAR
    ).save(path)


def larger_image(path, k):
    write(path, np.kron(image_of(k), np.ones((3, 3, 1), np.uint8)))


def test_a_few_greys_between_two_are_no_classes(tmp_path):
    found, info = examples(make_folder(tmp_path / "d", softened, larger_image))
    assert info.classes == ("background", "foreground")
    wanted = np.kron(truth_of(1), np.ones((3, 3), np.uint8))
    assert (found["p1"]["semantic"] != wanted).mean() < 0.03


def test_colours_between_two_are_no_classes(tmp_path):
    found, info = examples(make_folder(tmp_path / "d", soft_in_color, larger_image))
    assert info.classes == ("background", "#ff0000")
    assert set(np.unique(found["p1"]["semantic"])) == {0, 1, 255}


def turn(path, k):
    exif = Image.Exif()
    exif[0x0112] = 3
    write(path, image_of(k)[::-1, ::-1].copy(), exif=exif)


def test_a_mask_that_is_turned_as_its_picture_is(tmp_path):
    found, _ = examples(make_folder(tmp_path / "d", turned_too, turn))
    np.testing.assert_array_equal(found["p1"]["image"], image_of(1))
    np.testing.assert_array_equal(found["p1"]["semantic"], truth_of(1))


def test_what_is_said_of_the_pictures(tmp_path):
    def with_alpha(path, k):
        write(path, np.dstack([image_of(k), np.full((H, W), 255, np.uint8)]))

    told = data.settle("folder", dir=str(make_folder(tmp_path / "a", None, turned)))[1]
    assert "6 pictures are turned as their EXIF says" in "\n".join(told)
    root = make_folder(tmp_path / "b", None, with_alpha)
    assert "laid over white" in "\n".join(data.settle("folder", dir=str(root))[1])
    told = data.settle("folder", dir=str(root), void=7)[1]
    assert "no mask holds 7, which data.void names" in "\n".join(told)
    found, _ = data.settle("folder", dir=str(make_folder(tmp_path / "c", None, deep)))
    assert found["white"] == 4095
    found, _ = data.settle("folder", dir=str(tmp_path / "c"), white=4000.0)
    assert found["white"] == 4000


def test_a_class_that_is_named_and_never_drawn(tmp_path):
    root = make_folder(tmp_path / "d", save(three))
    found, info = examples(root, classes=("a", "b", "c", "d"))
    assert info.classes == ("a", "b", "c", "d")
    np.testing.assert_array_equal(found["p1"]["semantic"], three(1))


def test_colours_of_the_masks_are_those_of_the_overlays(tmp_path):
    put = save(colors((0, 0, 0), (255, 0, 0), (0, 0, 255)))
    _, info = examples(make_folder(tmp_path / "d", put))
    assert set(info.colors) == {(0, 0, 0), (255, 0, 0), (0, 0, 255)}
    assert info.colors[0] == (0, 0, 0)


# What pictures may be.


def turned(path, k):
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright: a quarter turn to the right shows it
    write(path, np.rot90(image_of(k)), exif=exif)


def deep(path, k):
    write(path, image_of(k)[..., 0].astype(np.uint16) * 16)


def deep_color(path, k):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = image_of(k).astype(np.uint16) * 256
    tifffile.imwrite(path.with_suffix(".tif"), pixels, photometric="rgb")


def five_channels(path, k):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.dstack([image_of(k), image_of(k)[..., :2]])
    how = {"photometric": "minisblack", "planarconfig": "contig"}
    tifffile.imwrite(path.with_suffix(".tif"), pixels, **how)


def planes(path, k):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.moveaxis(np.dstack([image_of(k), image_of(k)[..., :2]]), -1, 0)
    tifffile.imwrite(path.with_suffix(".tif"), pixels, photometric="minisblack")


def floats(path, k):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = image_of(k).astype(np.float32) / 255
    tifffile.imwrite(path.with_suffix(".tif"), pixels, photometric="rgb")


def grey(k):
    return np.repeat(image_of(k)[..., :1], 3, -1)


def over_white(k):
    half = image_of(k).astype(float) * 128 / 255 + 255 * (127 / 255)
    return half


IMAGES = {
    "grey": (lambda p, k: write(p, image_of(k)[..., 0]), {}, grey),
    "opaque": (
        lambda p, k: write(p, np.dstack([image_of(k), np.full((H, W), 255, np.uint8)])),
        {},
        image_of,
    ),
    "half transparent": (
        lambda p, k: write(p, np.dstack([image_of(k), np.full((H, W), 128, np.uint8)])),
        {},
        over_white,
    ),
    "EXIF-turned": (turned, {}, image_of),
    "12 bits in 16": (deep, {}, grey),
    "16 bits in colour": (deep_color, {}, image_of),
    "floats": (floats, {}, image_of),
    "five channels": (five_channels, {"channels": (0, 1, 2)}, image_of),
    "five planes": (planes, {"channels": (0, 1, 2)}, image_of),
    "a link to a folder": (None, {}, image_of),
}


@pytest.mark.parametrize("kind", IMAGES)
def test_pictures_are_read_rightly(kind, tmp_path):
    write_image, config, expected = IMAGES[kind]
    root = make_folder(tmp_path / "d", None, write_image)
    if kind == "a link to a folder":
        shutil.move(root / "images", tmp_path / "elsewhere")
        (root / "images").symlink_to(tmp_path / "elsewhere")
        (root / "images" / "back").symlink_to(root)  # a loop
    found, _ = examples(root, **config)
    assert len(found) == PICTURES
    for k in range(PICTURES):
        image = found[f"p{k}"]["image"]
        assert image.dtype == np.uint8
        off = np.abs(image.astype(float) - expected(k)).max()
        assert off <= (1.01 if kind == "half transparent" else 1)
        np.testing.assert_array_equal(found[f"p{k}"]["semantic"], truth_of(k))


def test_a_mask_drawn_on_the_unturned_picture_keeps_it_so(tmp_path):
    write_mask = save(lambda k: np.rot90(truth_of(k)).copy() * 255)
    found, _ = examples(make_folder(tmp_path / "d", write_mask, turned))
    np.testing.assert_array_equal(found["p1"]["image"], np.rot90(image_of(1)))
    np.testing.assert_array_equal(found["p1"]["semantic"], np.rot90(truth_of(1)))


# How pictures find their masks.

LAYOUTS = {
    "two folders": ("images/a.jpg", "masks/a.png"),
    "other words": ("JPEGImages/a.jpg", "SegmentationClass/a.png"),
    "ISIC": (
        "ISIC_Training_Data/I_1.jpg",
        "ISIC_Training_GroundTruth/I_1_segmentation.png",
    ),
    "CamVid": ("train/a.png", "trainannot/a.png"),
    "splits inside": ("images/val/a.png", "labels/val/a.png"),
    "splits outside": ("test/images/a.png", "test/masks/a.png"),
    "one folder": ("a.jpg", "a_mask.png"),
    "a prefix": ("a.jpg", "mask_a.png"),
    "PH2": (
        "x/IMD1/IMD1_Dermoscopic_Image/IMD1.bmp",
        "x/IMD1/IMD1_lesion/IMD1_lesion.bmp",
    ),
    "both say what they are": ("images/a_img.png", "masks/a_mask.png"),
    "patients": ("images/p1/1.png", "masks/p1/1_seg.png"),
    "capitals": ("Images/A.JPG", "Masks/a.PNG"),
    "DRIVE": ("training/images/21_training.tif", "training/1st_manual/21_manual1.gif"),
    "a folder of all": (
        "lgg-segmentation/T/T_0.tif",
        "lgg-segmentation/T/T_0_mask.tif",
    ),
    "accents, written in two ways": ("images/\u00e9.png", "masks/e\u0301.png"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_names_match(layout):
    image, mask = LAYOUTS[layout]
    decoy = {"patients": ["images/p2/1.png", "masks/p2/1_seg.png"]}.get(layout, [])
    others = [] if layout == "a folder of all" else ["collages/a.jpg"]
    found = match([image, mask, *decoy, *others], None, None)
    assert (image, mask) in [(p.image, p.mask) for p in found.pairs]
    assert len(found.pairs) == (2 if decoy else 1)
    split = {"ISIC": "train", "CamVid": "train", "DRIVE": "train"}.get(layout, "")
    split = {"splits inside": "val", "splits outside": "test"}.get(layout, split)
    assert found.pairs[0].split == split


def test_two_folders_of_masks_are_a_question():
    """The first is DRIVE's field of view, not its vessels."""
    files = [f"images/{k}_training.tif" for k in range(4)]
    fields = [f"mask/{k}_training_mask.gif" for k in range(4)]
    vessels = [f"1st_manual/{k}_manual1.gif" for k in range(4)]
    with pytest.raises(Mistake, match="two folders of masks, 1st_manual and mask"):
        match([*files, *fields, *vessels], None, None)
    found = match([*files, *fields, *vessels], None, "1st_manual")
    assert [p.mask for p in found.pairs] == vessels


def test_folders_of_instances_are_not_taken_for_masks():
    """Unless data.objects says so: tests/test_folder_objects.py."""
    couple = ["images/p.png", "masks/p.png"]
    for others in (["p_1.png", "p_2.png"], ["p_instanceIds.png"], ["p.png"]):
        others = [f"instances/{name}" for name in others]
        found = match([*couple, *others], None, None)
        assert [(p.image, p.mask) for p in found.pairs] == [tuple(couple)]
        assert found.aside == others
    scenes = [f"instance_{k}/{file}" for k in range(2) for file in couple]
    found = match(scenes, None, None)
    assert [(p.image, p.mask) for p in found.pairs] == [
        (f"instance_{k}/images/p.png", f"instance_{k}/masks/p.png") for k in range(2)
    ]


def test_patients_are_not_mixed():
    found = match(["images/p1/20.png", "masks/p2/20.png"], None, None)
    assert found.pairs == []
    found = match(["images/20.png", "masks/p2/20.png"], None, None)
    assert len(found.pairs) == 1


def test_a_lossy_twin_of_a_mask_is_left_aside():
    files = ["images/a.bmp", "masks/a.bmp", "masks/a.jpg"]
    found = match(files, None, None)
    assert [p.mask for p in found.pairs] == ["masks/a.bmp"]
    assert found.aside == ["masks/a.jpg"]


def test_what_has_no_partner_is_left_out_and_told(tmp_path):
    root = make_folder(tmp_path / "d")
    write(root / "images" / "alone.png", image_of(0))
    write(root / "masks" / "lone.png", truth_of(0) * 255)
    told = "\n".join(data.settle("folder", dir=str(root))[1])
    assert "no mask, so left out: 1, images/alone.png" in told
    assert "no picture, so left out: 1, masks/lone.png" in told
    assert f"{PICTURES} pictures with masks" in told


# How pictures are dealt out.


def names_of(root, split, **config):
    rows = data.open_split("folder", split, dir=str(root), **config)
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


def test_groups_stay_together_and_kinds_are_spread():
    groups = ["a"] * 4 + ["b"] * 2 + ["c"] * 2 + ["d", "e", "f", "g"]
    folds = deal(3, groups, [""] * 12)
    assert np.bincount(folds).tolist() == [4, 4, 4]
    assert all(
        len({f for f, g in zip(folds, groups) if g == one}) == 1 for one in "abc"
    )
    kinds = [k % 4 for k in range(40)]
    folds = deal(5, list(range(40)), kinds)
    for kind in range(4):
        assert np.bincount(folds[np.array(kinds) == kind]).tolist() == [2] * 5


def write_table(root, head, lines):
    (root / "t.csv").write_text("\n".join([head, *lines]) + "\n")


def test_a_column_keeps_patients_together(tmp_path):
    root = make_folder(tmp_path / "d")
    lines = [f"p{k},{k // 2},{k % 2}" for k in range(PICTURES)]
    write_table(root, "image,Patient,kind", lines)
    config = {"table": "t.csv", "group": "patient", "folds": 3}
    for fold in range(3):
        tested = names_of(root, "test", fold=fold, **config)
        assert len(tested) == 2
        assert len({int(name[1]) // 2 for name in tested}) == 1


def test_a_tables_paths_may_be_written_in_any_way(tmp_path):
    root = make_folder(tmp_path / "d")
    ways = ["./images/p0.png", "images\\p1.png", str(root / "images" / "p2.png"), "p3"]
    write_table(root, "image,kind", ways)
    found, _ = examples(root, table="t.csv", folds=3)
    assert sorted(found) == ["p0", "p1", "p2", "p3"]
    told = "\n".join(data.settle("folder", dir=str(root), table="t.csv", folds=3)[1])
    assert "left aside: 2, images/p4.png, images/p5.png" in told


def test_a_table_of_pairs_and_splits(tmp_path):
    root = tmp_path / "d"
    for k in range(PICTURES):
        write(root / "x" / f"{k}.png", image_of(k))
        write(root / "y" / f"t{k}.png", truth_of(k) * 255)
    words = ["train", "train", "train", "valid", "test", "test"]
    lines = [f"x/{k}.png;y/t{k}.png;{words[k]}" for k in range(PICTURES)]
    write_table(root, "image;mask;split", lines)
    assert names_of(root, "val", table="t.csv") == ["x/3"]
    assert names_of(root, "test", table="t.csv") == ["x/4", "x/5"]
    found, _ = examples(root, table="t.csv")
    np.testing.assert_array_equal(found["x/4"]["semantic"], truth_of(4))


@pytest.mark.parametrize(
    ("given", "tested", "chooses"),
    [
        (("train", "val", "test"), "test", 1),
        (("train", "test"), "test", 2),
        (("train", "val"), "val", 2),
    ],
)
def test_splits_that_are_there_are_respected(given, tested, chooses, tmp_path):
    counts = {"train": 10, "val": 1, "test": 3}
    for split in given:
        for k in range(counts[split]):
            write(tmp_path / split / f"{split}{k}.png", image_of(k))
            write(tmp_path / f"{split}_masks" / f"{split}{k}.png", truth_of(k) * 255)
    of_test = names_of(tmp_path, "test")
    assert of_test == [f"{tested}{k}" for k in range(counts[tested])]
    val = names_of(tmp_path, "val")
    assert len(val) == chooses
    train = names_of(tmp_path, "train")
    assert len(train) == 10 - (0 if len(given) == 3 else chooses)
    assert not set(train) & set(val)


# What cannot be used, and what is said.


def one_file(where, content):
    def harm(root):
        (root / where).write_bytes(content)

    return harm


def cut(where):
    def harm(root):
        path = root / where
        path.write_bytes(path.read_bytes()[:60])

    return harm


def masks_as(write_mask):
    return lambda root: make_folder(root, write_mask)


def only(folder):
    return lambda root: [shutil.rmtree(p) for p in root.iterdir() if p.name != folder]


def table(head, *lines):
    return lambda root: write_table(root, head, lines)


def rename_masks(root):
    for k, path in enumerate(sorted((root / "masks").iterdir())):
        path.rename(path.with_name(f"other{k}.png"))


def twice(root):
    write(root / "masks" / "p1_mask.png", truth_of(1) * 255)


def other_shape(path, k):
    write(path, np.zeros((H, W * 2), np.uint8) if k == 2 else truth_of(k) * 255)


def one_in_color(path, k):
    pixels = truth_of(k) * 255
    write(path, np.dstack([pixels, pixels * 0, pixels * 0]) if k == 2 else pixels)


def noise(path, k):
    write(path, np.random.default_rng(k).integers(0, 256, (H, W, 3)).astype(np.uint8))


def grey_noise(path, k):
    write(path, np.random.default_rng(k).integers(0, 256, (H, W)).astype(np.uint8))


def stack(path, k):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((2, 3, H, W), np.uint8)
    tifffile.imwrite(path.with_suffix(".tif"), pixels, photometric="minisblack")


def float_mask(path, k):
    tifffile.imwrite(path.with_suffix(".tif"), np.full((H, W), 3.7, np.float32))


def core_of(k):
    """The inside of the lesion, without its rim."""
    truth = truth_of(k)
    inner = truth.copy()
    inner[1:-1, 1:-1] = truth[:-2, 1:-1] & truth[2:, 1:-1] & truth[1:-1, :-2]
    return (inner & np.roll(truth, -1, 1)) * 128


RIM = np.array([0, 50, 100, 200, 250], np.uint8)
RIM_COLORS = np.array(
    [(0, 0, 0), (0, 255, 0), (128, 128, 128), (255, 255, 255), (255, 0, 0)], np.uint8
)
NO_PAGE = b"II*\0\x08\0\0\0" + b"\0" * 20


def rimmed(k):
    """A block of 200 with a rim of 100, a pixel wide, and two other blocks."""
    mask = np.zeros((4 * H, 4 * W), np.uint8)
    mask[10:30, 10 + k : 40] = 100
    mask[11:29, 11 + k : 39] = 200
    mask[40:46, 5:50], mask[2:6, 45:60] = 50, 250
    return mask


def minus_one(path, k):
    values = three(k).astype(np.int32) - 1
    tifffile.imwrite(path.with_suffix(".tif"), values)


def beyond(path, k):
    values = truth_of(k).astype(np.uint32) * 0xFFFFFFFF
    tifffile.imwrite(path.with_suffix(".tif"), values)


def no_numbers(path, k):
    values = np.where(truth_of(k), np.inf, 0).astype(np.float32)
    tifffile.imwrite(path.with_suffix(".tif"), values)


def one_of_ids(root):
    write(root / "masks" / "p2.png", np.kron(truth_of(2), np.ones((3, 3), np.uint8)))


def stacked_mask(path, k):
    pages = np.stack([truth_of(k)] * 2)
    tifffile.imwrite(path.with_suffix(".tif"), pages, photometric="minisblack")


def below_0(path, k):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = image_of(k)[..., 0].astype(np.float32) - 99
    tifffile.imwrite(path.with_suffix(".tif"), pixels)


def twin(root):
    write(root / "masks" / "p9.png", truth_of(0) * 255)


def half_split(root):
    (root / "train").mkdir()
    for k in range(2):
        write(root / "train" / "images" / f"t{k}.png", image_of(k))
        write(root / "train" / "masks" / f"t{k}.png", truth_of(k))


BROKEN = {
    "no folder": (lambda root: shutil.rmtree(root), {}, "is not a folder"),
    "an empty folder": (
        lambda root: [shutil.rmtree(p) for p in root.iterdir()],
        {},
        "holds no picture",
    ),
    "no masks": (only("images"), {}, "and no masks"),
    "only masks": (only("masks"), {}, "and no pictures"),
    "no names match": (rename_masks, {}, "no names match"),
    "two masks": (twice, {}, "images/p1.png has 2 masks"),
    "an empty file": (one_file("images/p1.png", b""), {}, "images/p1.png is empty"),
    "a mask that is text": (
        one_file("masks/p1.png", b"hello, this is no picture"),
        {},
        "masks/p1.png is not a picture",
    ),
    "a mask cut short": (cut("masks/p3.png"), {}, "masks/p3.png is cut short"),
    "a picture cut short": (cut("images/p3.png"), {}, "images/p3.png is cut short"),
    "every mask empty": (
        masks_as(save(lambda k: truth_of(k) * 0)),
        {},
        "Every mask holds 0 alone",
    ),
    "a mask of other proportions": (
        masks_as(other_shape),
        {},
        "masks/p2.png is 12x32, its picture 12x16",
    ),
    "one mask in colours": (
        masks_as(one_in_color),
        {"values": (0, 255)},
        "masks/p2.png: masks in colours",
    ),
    "masks that are photographs": (masks_as(noise), {}, "colours, too many"),
    "masks of many greys": (masks_as(grey_noise), {}, "too many to be classes"),
    "a stack as a picture": (
        lambda root: [
            shutil.rmtree(root / "images"),
            make_folder(root, None, stack),
        ],
        {},
        "a picture is height x width",
    ),
    "floats that are no classes": (
        lambda root: [shutil.rmtree(root / "masks"), make_folder(root, float_mask)],
        {},
        "which are no classes",
    ),
    "five channels": (
        lambda root: [
            shutil.rmtree(root / "images"),
            make_folder(root, None, five_channels),
        ],
        {},
        "Say which: data.channels",
    ),
    "a channel that is not there": (
        lambda root: [
            shutil.rmtree(root / "images"),
            make_folder(root, None, five_channels),
        ],
        {"channels": (0, 1, 7)},
        "three of 0 to 4",
    ),
    "a value that stands for no class": (
        masks_as(save(three)),
        {"values": (0, 2)},
        "The masks hold 1 too, which stand for no class",
    ),
    "too few names": (
        masks_as(save(three)),
        {"classes": ("a", "b")},
        "data.threshold=0",
    ),
    "too many names": (None, {"classes": ("a", "b", "c")}, "data.classes has 3 names"),
    "a name twice": (None, {"classes": ("a", "a")}, "names a class twice"),
    "a threshold beyond": (None, {"threshold": 300.0}, "all masks lie on one side"),
    "a threshold for colours": (
        masks_as(save(colors((0, 0, 0), (255, 0, 0), (0, 0, 255)))),
        {"threshold": 1.0},
        "what you say of the masks is in numbers",
    ),
    "no colour": (None, {"values": ("red", "#000000")}, "is no value of a mask"),
    "a palette of another word": (None, {"palette": "rgb"}, "data.palette is 'rgb'"),
    "a fold that is not there": (None, {"fold": 5}, "folds are numbered 0 to 4"),
    "more folds than pictures": (None, {"folds": 20}, "each of the 20 folds needs one"),
    "two folds": (None, {"folds": 2}, "data.folds is 2"),
    "a folder of images that is not there": (
        None,
        {"images": "x"},
        "which is no folder",
    ),
    "no table": (None, {"table": "t.csv"}, "t.csv cannot be read"),
    "a table without images": (
        table("a,b", "1,2"),
        {"table": "t.csv"},
        "no column 'image'",
    ),
    "a table of another picture": (
        table("image,mask", "zzz.png,p1.png"),
        {"table": "t.csv"},
        "Line 2 of t.csv: there is no picture 'zzz.png'",
    ),
    "a table of another mask": (
        table("image,mask", "p1.png,zzz.png"),
        {"table": "t.csv"},
        "there is no mask 'zzz.png'",
    ),
    "a table with a split of its own": (
        table("image,split", "p1.png,holdout"),
        {"table": "t.csv"},
        "the split is 'holdout'",
    ),
    "a picture twice in a table": (
        table("image", "p1.png", "p1"),
        {"table": "t.csv"},
        "a second time",
    ),
    "a group without a table": (
        None,
        {"group": "patient"},
        "No table says the 'patient'",
    ),
    "a group that no column is": (
        table("image,patient", *[f"p{k},{k}" for k in range(PICTURES)]),
        {"table": "t.csv", "group": "patent"},
        "Did you mean 'patient'",
    ),
    "a group in two splits": (
        table("image,split,patient", "p0,train,a", "p1,val,b", "p2,test,a"),
        {"table": "t.csv", "group": "Patient"},
        "Patient 'a' is in test and train",
    ),
    "one grey along edges alone": (
        masks_as(save(lambda k: np.pad(truth_of(k)[1:-1, 1:-1] * 127, 1) + core_of(k))),
        {},
        "127 along edges alone: classes of their own, or edges that are blurred?",
    ),
    "a thin class among others": (
        masks_as(save(rimmed)),
        {},
        "100 along edges alone: classes of their own, or edges that are blurred?",
    ),
    "a thin colour among others": (
        masks_as(save(lambda k: RIM_COLORS[np.searchsorted(RIM, rimmed(k))])),
        {},
        "#808080 along edges alone",
    ),
    "some masks 0 and 128, others 0 and 255": (
        masks_as(lambda path, k: write(path, truth_of(k) * (128 if k % 2 else 255))),
        {},
        "one class, saved in two ways? Say data.values=(0, 128, 255), or data.thr",
    ),
    "a value below 0": (
        lambda root: [shutil.rmtree(root / "masks"), make_folder(root, minus_one)],
        {},
        "does -1 not count, or is it a class?",
    ),
    "numbers beyond 32 bits": (
        lambda root: [shutil.rmtree(root / "masks"), make_folder(root, beyond)],
        {},
        "more than a mask's numbers may be",
    ),
    "no numbers": (
        lambda root: [shutil.rmtree(root / "masks"), make_folder(root, no_numbers)],
        {},
        "holds what is no number",
    ),
    "a TIFF without a picture": (
        lambda root: (root / "images" / "p9.tif").write_bytes(NO_PAGE) and twin(root),
        {},
        "images/p9.tif is cut short or damaged",
    ),
    "ids with gaps, and 255": (
        masks_as(save(lambda k: np.array([0, 50, 255], np.uint8)[three(k)])),
        {},
        "is 255 a class, or does it not count?",
    ),
    "some masks 0 and 1, others blurred": (
        lambda root: [make_folder(root, softened, larger_image), one_of_ids(root)],
        {},
        "masks/p2.png holds 0, 1, other masks 0 to 255",
    ),
    "ids in a JPEG": (
        masks_as(lambda path, k: write(path, three(k) * 5, format="JPEG", quality=30)),
        {},
        "JPEG blurs the values of a mask",
    ),
    "a colour for masks of numbers": (
        None,
        {"void": "#e0e0c0"},
        "#e0e0c0 is a colour, and the masks hold none",
    ),
    "values of which one is there": (
        None,
        {"values": (0, 1)},
        "the masks hold fewer than two; they hold 0, 255",
    ),
    "no values": (None, {"values": ()}, "fewer than two"),
    "a stack as a mask": (
        lambda root: [shutil.rmtree(root / "masks"), make_folder(root, stacked_mask)],
        {},
        "a mask is one plane",
    ),
    "planes that may be channels": (
        lambda root: [shutil.rmtree(root / "images"), make_folder(root, None, planes)],
        {},
        "is a stack of 5 planes. If these are channels",
    ),
    "values below 0": (
        lambda root: [shutil.rmtree(root / "images"), make_folder(root, None, below_0)],
        {"white": 100.0},
        "holds values below 0",
    ),
    "a link to nothing": (
        lambda root: (root / "images" / "p9.png").symlink_to("nowhere") or twin(root),
        {},
        "images/p9.png cannot be read: No such file",
    ),
    "pictures in no split": (half_split, {}, "pictures in none of them"),
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


def test_a_decompression_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr("segjax.data._intake.MOST_PIXELS", 100)
    with pytest.raises(Mistake, match="million pixels"):
        examples(make_folder(tmp_path / "d"))


# The launcher and the doctor.


def launch(root, run, *more):
    options = ("steps=2", "batch=8", "data.size=16", "model.width=2", "model.depth=1")
    quick = (*options, "log.evaluate=2", "log.tensorboard=false")
    flags = [f"--config.{o}" for o in (*quick, *more)]
    command = ["train", "--config", "unet:folder", "--workdir", str(run), "--cpu"]
    return main([*command, f"--config.data.dir={root}", *flags])


def test_a_folder_is_trained_on_and_needed_no_more(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SEGJAX_DATA", str(tmp_path / "cache"))
    root, run = make_folder(tmp_path / "d", pictures=10), tmp_path / "run"
    for folder in ("images", "masks"):  # a name that is no text
        odd = os.fsdecode(b"p\xff.png")
        (root / folder / "p0.png").rename(root / folder / odd)
    assert launch(root, run, "data.fold=4") == 0
    assert r"p\xff" in (run / "rows.csv").read_text()
    said = capsys.readouterr().out
    assert "10 pictures with masks" in said
    assert "masks: background up to 127.5" in said
    assert (run / "pictures" / "000000-train.png").exists()
    shutil.rmtree(root)
    from segjax import load_run

    loaded = load_run(run)
    assert loaded.info.classes == ("background", "foreground")
    assert loaded.predict([image_of(0)])[0]["semantic"].shape == (H, W)


def test_a_run_goes_on_with_what_was_found_and_refuses_other_pictures(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("SEGJAX_DATA", str(tmp_path / "cache"))
    root, run = make_folder(tmp_path / "d", save(three), pictures=10), tmp_path / "run"
    assert launch(root, run) == 0
    assert launch(root, run, "steps=4") == 0
    assert "going on from step 2" in capsys.readouterr().out
    write(root / "masks" / "p3.png", three(0))
    assert launch(root, run, "steps=6") == 2
    assert "learnt from other pictures" in capsys.readouterr().err


def test_a_picture_that_cannot_be_read_leaves_no_run_behind(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("SEGJAX_DATA", str(tmp_path / "cache"))
    root = make_folder(tmp_path / "d", pictures=10)
    cut("images/p3.png")(root)
    assert launch(root, tmp_path / "runs" / "run") == 2
    assert "images/p3.png is cut short" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_a_corrected_mask_is_read_anew(tmp_path, monkeypatch):
    """The decoded pictures kept on disk are those of the folder as it is."""
    monkeypatch.setenv("SEGJAX_DATA", str(tmp_path / "cache"))
    root = make_folder(tmp_path / "d")
    load = functools.partial(
        data.load_split, "folder", "test", dir=str(root), size=8, folds=3
    )
    before = load().arrays["semantic"].copy()
    write(root / "masks" / "p0.png", (1 - truth_of(0)) * 255)
    assert (load().arrays["semantic"] != before).any()


def test_a_second_launch_takes_nothing_from_the_first(tmp_path, capsys, monkeypatch):
    """It fails on the lock, and its mistake takes the first one's folder not away."""
    root, run = make_folder(tmp_path / "d", pictures=10), tmp_path / "run"
    run.mkdir()
    with (run / "lock").open("a+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert launch(root, run) == 2
    assert "Another process is training" in capsys.readouterr().err
    assert (run / "lock").exists()


def test_the_doctor_finds_nothing_wrong_and_changes_nothing(tmp_path, capsys):
    root, sheet = make_folder(tmp_path / "d", pictures=10), tmp_path / "s.png"
    before = sorted((p, p.stat().st_mtime_ns) for p in root.rglob("*"))
    assert main(["doctor", str(root), "--sheet", str(sheet)]) == 0
    said = capsys.readouterr().out
    assert "Nothing is wrong." in said
    assert "10 pictures: 6 train, 2 val, 2 test" in said
    assert "dice 0.359 a picture, 0.359 pooled ('foreground' everywhere)" in said
    assert "accuracy 0.781 a picture, 0.781 pooled ('background' everywhere)" in said
    with Image.open(sheet) as drawn:
        assert drawn.size[0] > 100
    assert sorted((p, p.stat().st_mtime_ns) for p in root.rglob("*")) == before


def broken_pictures(root):
    cut("images/p3.png")(root)


def copied(root):
    write(root / "images" / "p1.png", image_of(0))


def nearly(root):
    for k, noise in ((0, 0), (1, 2)):
        smooth = np.outer(np.arange(H), np.arange(W))[..., None] * np.array([1, 1, 0])
        write(root / "images" / f"p{k}.png", (smooth + noise).astype(np.uint8))


def empty(root):
    write(root / "images" / "p2.png", np.full((H, W, 3), 7, np.uint8))


def never_learnt(root):
    for k in range(10):
        write(root / "masks" / f"p{k}.png", three(k) if k == 0 else truth_of(k))


FINDINGS = {
    "a link to nothing": (
        lambda root: (
            (root / "images" / "p9.png").unlink()
            or (root / "images" / "p9.png").symlink_to("nowhere")
        ),
        "images/p9.png cannot be read",
    ),
    "a broken picture": (broken_pictures, "images/p3.png is cut short"),
    "the same picture in two splits": (copied, "The same picture in two splits: 1"),
    "nearly the same": (nearly, "Nearly the same picture in two splits: 2"),
    "a picture of one colour": (empty, "Pictures of one colour throughout: 1, p2"),
    "a class that is only tested": (never_learnt, "'class 2' is in test, and in no"),
    "two masks": (twice, "images/p1.png has 2 masks"),
    "masks that are photographs": (
        lambda root: make_folder(root, noise, pictures=10),
        "too many to be classes",
    ),
}


@pytest.mark.parametrize("harm", FINDINGS)
def test_the_doctor_finds(harm, tmp_path, capsys):
    change, words = FINDINGS[harm]
    root = make_folder(tmp_path / "d", pictures=10)
    change(root)
    assert main(["doctor", str(root), "--sheet", str(tmp_path / "s.png")]) == 1
    said = capsys.readouterr().out
    assert f"FINDING: {words}" in said or words in said.split("FINDING: ", 1)[1], said


def test_the_doctor_looks_at_drawn_data_too(tmp_path, capsys):
    sheet = f"--sheet={tmp_path / 's.png'}"
    small = ["--config.data.pictures=20", "--config.data.size=24"]
    assert main(["doctor", "nevi", sheet, *small]) == 0
    assert "20 pictures: 12 train, 4 val, 4 test" in capsys.readouterr().out


def test_a_doctors_sheet_that_cannot_be(tmp_path, capsys):
    root = make_folder(tmp_path / "d", pictures=10)
    for sheet, words in (
        (tmp_path / "none" / "s.png", "must be a file"),
        (tmp_path, "must be a file"),
        (root / "s.png", "would lie among the pictures"),
    ):
        assert main(["doctor", str(root), "--sheet", str(sheet)]) == 2
        assert words in capsys.readouterr().err
    assert main(["doctor", str(root), f"--sheet={tmp_path / 'no_ending'}"]) == 0


def test_few_pictures_are_looked_at_all_the_same(tmp_path, capsys):
    root = make_folder(tmp_path / "d", pictures=3)
    assert main(["doctor", str(root), "--sheet", str(tmp_path / "s.png")]) == 1
    said = capsys.readouterr().out
    assert "each of the 5 folds needs one" in said
    assert "foreground: 21.88% of the pixels, in 3 pictures" in said


def test_the_doctors_help_names_every_data_set(capsys):
    with pytest.raises(SystemExit):
        main(["doctor", "--help"])
    said = capsys.readouterr().out
    assert [name for name in names("data") if name not in said] == []


def test_the_doctors_mistakes(tmp_path, capsys):
    assert main(["doctor", str(tmp_path / "nowhere")]) == 2
    assert "neither a folder nor a data set" in capsys.readouterr().err
    assert main(["doctor", str(tmp_path), "--config.steps=3"]) == 2
    assert "config.steps counts not here" in capsys.readouterr().err


def test_what_a_launch_says_at_once(tmp_path, monkeypatch):
    """Copies in two splits, and a class that is never learnt."""
    monkeypatch.setenv("SEGJAX_DATA", str(tmp_path / "cache"))
    root = make_folder(tmp_path / "d", pictures=10)
    config = {"dir": str(root), "size": 12}

    def said():
        splits = {s: data.load_split("folder", s, **config) for s in data.SPLITS}
        return data.quick_check(splits, data.make_info("folder", **config))

    assert said() == []
    copied(root)
    never_learnt(root)
    told = " ".join(said())
    assert "1 pictures of test are in train or val too" in told
    assert "Class 'class 2' is in test, and in no picture of train" in told


def test_list_names_what_there_is(capsys):
    assert main(["list"]) == 0
    said = capsys.readouterr().out
    for words in ("unet ", "segnet ", "semantic ", "folder ", "ph2 ", "autoencoder "):
        assert words in said
    assert "auto, small, paper, ph2, mads, folder" in said


# By hand.


def test_runs_of_equal_pixels_are_counted():
    seen = look_at(Mask(np.array([[0, 0, 5], [5, 5, 0]], np.int32)), "m")
    assert dict(zip(seen.numbers.tolist(), seen.pixels.tolist())) == {0: 3, 5: 3}


def test_ids_that_go_on_from_0_are_told_to_be_objects_perhaps():
    masks = [np.arange(k + 2)[None] for k in range(5)]
    seen = [look_at(Mask(m), f"m{k}") for k, m in enumerate(masks)]
    coding, told = find_coding(seen)
    assert len(coding.classes) == 6
    assert "set data.threshold=0" in " ".join(told)
    coding, _ = find_coding(seen, threshold=0)
    ids = apply_coding(coding, Mask(masks[4]), "m")
    np.testing.assert_array_equal(ids, [[0, 1, 1, 1, 1, 1]])


def test_a_mask_and_a_picture_of_bytes(tmp_path):
    write(tmp_path / "m.png", truth_of(0) * 255)
    mask = read_mask((tmp_path / "m.png").read_bytes(), "m.png")
    np.testing.assert_array_equal(mask.values, truth_of(0).astype(np.int32) * 255)
    deep(tmp_path / "d.png", 0)
    with pytest.raises(Mistake, match=r"data\.white=VALUE must say"):
        read_picture((tmp_path / "d.png").read_bytes(), "d.png")
