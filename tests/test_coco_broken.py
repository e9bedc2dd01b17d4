"""Every way in which COCO's files may be broken, told in a sentence."""

import json

import numpy as np
import pytest
from PIL import Image

from segjax import data
from tests.small_coco import (
    SEGMENTS,
    box,
    entry,
    prepare,
    write_json,
    write_objects,
    write_panoptic,
    write_people,
    write_pictures,
)


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
    "an image id that is text": (of_object(image_id="2"), "is of image '2', which"),
    "an image id twice": (
        of_images(lambda images: images[1].update(id=1)),
        "annotations/instances_train2017.json has several images of the id 1",
    ),
    "a picture twice": (
        of_images(
            lambda images: images.append(entry(77) | {"file_name": f"{2:012d}.jpg"})
        ),
        "has several images that are train2017/000000000002.jpg; leave one",
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
    "an image with a height of 4.0": (
        of_images(lambda images: images[1].update(height=4.0)),
        "has a 'height' of 4.0 and a 'width' of 6; give the picture's, whole numbers",
    ),
    "no picture": (
        lambda root: jpeg(root).unlink(),
        "Image 2 of annotations/instances_train2017.json, 000000000002.jpg, is missing",
    ),
    "a picture of half a character": (
        of_images(lambda images: images[1].update(file_name="\ud800.jpg")),
        "Image 2 of annotations/instances_train2017.json, \\ud800.jpg, is missing",
    ),
    "a picture of no name": (
        of_images(lambda images: images[1].update(file_name="..")),
        "Image 2 of annotations/instances_train2017.json, .., is missing",
    ),
    "a picture in a folder of other pictures": (
        of_images(lambda images: images[1].update(file_name=f"cam2/{2:012d}.jpg")),
        "is missing (train2017/000000000002.jpg lies elsewhere); put it where",
    ),
    "a picture of train in val's folder": (
        lambda root: (
            (root / "val2017").mkdir(),
            jpeg(root).rename(root / "val2017" / jpeg(root).name),
        ),
        "is missing (val2017/000000000002.jpg lies elsewhere); put it where",
    ),
    "a picture in two places": (
        lambda root: (
            write_pictures(root, [2], "copies"),
            (root / "train2017").rename(root / "images"),
        ),
        "is there 2 times: copies/000000000002.jpg, images/000000000002.jpg; leave one",
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
    "no object of any picture": (
        change("instances_train2017", lambda content: content.update(annotations=[])),
        "holds annotations of no object; get them anew",
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
    "more categories than a byte counts": (
        change(
            "instances_train2017",
            lambda content: content["categories"].extend(
                {"id": k, "name": str(k)} for k in range(100, 353)
            ),
        ),
        "annotations/instances_train2017.json has more than 255 categories",
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
    "all joints of a person outside": (
        change(
            "person_keypoints_val2017",
            lambda content: content["annotations"][0].update(
                keypoints=[60, 2, 2, 1, 1, 0, 9, -3, 1]
            ),
        ),
        "has all its 2 joints outside of its picture: x is 9 to 60, y -3 to 2, the"
        " picture is 6 wide, 4 high. Mend it",
    ),
    "joints of two kinds": (
        change(
            "person_keypoints_val2017",
            lambda content: content["categories"].append(
                {"id": 2, "name": "bird", "keypoints": ["beak"]}
            ),
        ),
        "has key points of 2 kinds of objects; the categories must name those of one",
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


@pytest.mark.parametrize(
    ("train", "harm", "words"),
    [
        ([1], None, "Whole pictures to train with: 1; there must be 2 or more"),
        ([1, 2], "train2017", "Whole pictures to train with: 0; there must be 2"),
        ([1, 2], "val2017", "Whole pictures to test with: 0; there must be 1 or more"),
    ],
)
def test_too_few_pictures_of_a_split(train, harm, words, tmp_path, capsys):
    """A train of one picture would leave none beside the one that chooses."""
    write_objects(tmp_path, train)
    write_objects(tmp_path, [8, 9], "instances_val2017", "val2017")
    for path in (tmp_path / harm).iterdir() if harm else ():
        path.write_bytes(b"")
    assert prepare(tmp_path, tmp_path / "to", "--skip-broken") == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "to").exists()
