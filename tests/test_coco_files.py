"""Which of COCO's files are annotations, of which split, and where their pictures are
found."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from segjax import data
from segjax.data._coco import find_files
from tests.small_coco import (
    all_rows,
    picture_of,
    prepare,
    write_json,
    write_objects,
    write_panoptic,
    write_people,
    write_pictures,
)


def edit_images(root, edit, name="instances_train2017"):
    path = root / "annotations" / f"{name}.json"
    content = json.loads(path.read_text())
    for image in content["images"]:
        edit(image)
    path.write_text(json.dumps(content))


# annotations


def test_a_file_of_another_name_is_known_by_what_it_holds(tmp_path):
    write_people(tmp_path, range(1, 6), name="mine")
    write_json(tmp_path, "results", [{"image_id": 1, "score": 0.5}])
    assert prepare(tmp_path, tmp_path / "to") == 0
    assert data.make_info("coco", dir=str(tmp_path / "to")).joints


def test_a_file_of_another_name_is_read_once(tmp_path, monkeypatch):
    """It may be of half a gigabyte."""
    write_people(tmp_path, range(1, 6), name="mine")
    read = []
    load = json.loads
    monkeypatch.setattr(
        find_files.json, "loads", lambda text: read.append(text) or load(text)
    )
    assert prepare(tmp_path, tmp_path / "to") == 0
    mine = (tmp_path / "annotations" / "mine.json").read_bytes()
    assert read.count(mine) == 1


def test_json_files_left_aside_are_told(tmp_path, capsys):
    """A list of categories is none of pictures; a dash is of a split's name."""
    write_objects(tmp_path, [1, 2])
    write_objects(tmp_path, [3], "instances_val-2017", "val-2017")
    write_json(tmp_path, "panoptic_coco_categories", [])
    write_json(tmp_path, "captions_val2017", {"annotations": [{"caption": "a dog"}]})
    assert prepare(tmp_path, tmp_path / "to") == 0
    said = capsys.readouterr().out
    assert "its own splits: 2 of train, of which 1 choose, and 1 that" in said
    aside = "annotations/captions_val2017.json, annotations/panoptic_coco_categories"
    assert f"JSON files left aside: {aside}.json" in said


def write_folders(root, *splits):
    """A folder for each split, that holds its pictures and annotations."""
    for key, split in enumerate(splits, 1):
        write_objects(root, [2 * key, 2 * key + 1], "x", split)
        (root / "annotations" / "x.json").rename(root / split / "_annotations.json")


def test_a_folder_says_of_which_split_annotations_are(tmp_path, capsys):
    write_folders(tmp_path, "train", "valid", "test")
    assert prepare(tmp_path, tmp_path / "to") == 0
    assert "its own splits: 2 train, 2 val, 2 test" in capsys.readouterr().out
    assert prepare(tmp_path, tmp_path / "train alone", "--annotations=train") == 0
    assert "folds of 1/1/0/0/0" in capsys.readouterr().out
    shutil.rmtree(tmp_path / "test")
    assert prepare(tmp_path, tmp_path / "no test") == 0
    assert "and 2 that are tested" in capsys.readouterr().out


def test_of_copies_a_folder_picks_one(tmp_path, capsys):
    write_objects(tmp_path, range(1, 6))
    shutil.copytree(tmp_path / "annotations", tmp_path / "backup")
    assert prepare(tmp_path, tmp_path / "to") == 2
    told = "Say which with --annotations and a part of its path, or take the others out"
    assert told in capsys.readouterr().err
    assert prepare(tmp_path, tmp_path / "to", "--annotations=backup") == 0


def test_names_count_before_folders(tmp_path):
    """Else a folder that is called after a form would make the word mean all."""
    root = tmp_path / "panoptic and more"
    write_panoptic(root, range(1, 6))
    write_objects(root, range(1, 6))
    assert prepare(tmp_path, tmp_path / "to", "--annotations=panoptic") == 0


# pictures


def test_a_path_is_that_of_one_picture(tmp_path):
    """Two cameras number alike; names are as short as tells them apart."""
    write_objects(tmp_path, range(1, 7), folder="some")
    shutil.rmtree(tmp_path / "some")
    for key in range(1, 7):
        camera = tmp_path / "set" / f"cam{key % 2}"
        camera.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture_of(key)).save(camera / f"{max(key - 1, 1)}.png")
    edit_images(
        tmp_path,
        lambda image: image.update(
            file_name=f"..\\cam{image['id'] % 2}\\{max(image['id'] - 1, 1)}.png"
        ),
    )
    assert prepare(tmp_path, tmp_path / "to") == 0
    found = {e["name"]: e["image"] for e in all_rows(tmp_path / "to")}
    assert sorted(found) == ["2", "3", "4", "5", "set/cam0/1", "set/cam1/1"]
    np.testing.assert_array_equal(found["set/cam0/1"], picture_of(2))
    np.testing.assert_array_equal(found["set/cam1/1"], picture_of(1))


def test_train_and_val_may_number_alike(tmp_path):
    write_objects(tmp_path, [1, 2, 3])
    write_objects(tmp_path, [3], "instances_val2017", "val2017")
    path = tmp_path / "val2017" / f"{3:012d}.jpg"
    Image.fromarray(picture_of(50)).save(path)
    assert prepare(tmp_path, tmp_path / "to") == 0
    rows = data.open_split("coco", "test", dir=str(tmp_path / "to"))
    assert rows[0]["name"] == "val2017/000000000003"
    np.testing.assert_array_equal(rows[0]["image"], np.asarray(Image.open(path)))


def test_paths_of_another_machine(tmp_path, capsys):
    """Their end is enough; a name alone is if it is the only one, and told."""
    write_objects(tmp_path, range(1, 6))
    places = {1: "/home/me/train2017/", 2: "C:\\data\\"}
    edit_images(
        tmp_path,
        lambda image: image.update(
            file_name=places.get(image["id"], "") + image["file_name"]
        ),
    )
    assert prepare(tmp_path, tmp_path / "to") == 0
    told = "pictures found by their name alone: train2017/000000000002.jpg\n"
    assert told in capsys.readouterr().out
    write_pictures(tmp_path, [2], "others")
    assert prepare(tmp_path, tmp_path / "again") == 2
    assert "000000000002.jpg, is missing (others/" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("pictures", "segments"),
    [
        ("images", "annotations/panoptic_train2017"),
        ("train2017", "annotations/segments"),
    ],
)
def test_pictures_that_are_png_are_no_segments(pictures, segments, tmp_path):
    """Where both have the same names one of the folders tells."""
    write_panoptic(tmp_path, range(1, 6))
    (tmp_path / "annotations" / "panoptic_train2017").rename(tmp_path / "kept")
    (tmp_path / "kept").rename(tmp_path / segments)
    shutil.rmtree(tmp_path / "train2017")
    (tmp_path / pictures).mkdir()
    for key in range(1, 6):
        path = tmp_path / pictures / f"{key:012d}.png"
        Image.fromarray(picture_of(key)).save(path)
    edit_images(
        tmp_path,
        lambda image: image.update(file_name=f"{image['id']:012d}.png"),
        "panoptic_train2017",
    )
    assert prepare(tmp_path, tmp_path / "to") == 0
    for example in all_rows(tmp_path / "to"):
        picture = picture_of(int(example["name"]))
        np.testing.assert_array_equal(example["image"], picture)


def test_what_a_mac_adds_is_passed_over(tmp_path, capsys):
    write_objects(tmp_path, range(1, 6))
    for name in ("annotations/._instances_train2017.json", f"train2017/._{1:012d}.jpg"):
        (tmp_path / name).write_bytes(b"Mac")
        beside = tmp_path / "__MACOSX" / name
        beside.parent.mkdir(parents=True)
        beside.write_bytes(b"Mac")
    shutil.copytree(tmp_path / "train2017", tmp_path / "__MACOSX" / "others")
    assert prepare(tmp_path, tmp_path / "to") == 0
    said = capsys.readouterr().out
    assert "left aside" not in said
    assert "no annotation names" not in said


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
