"""COCO: photographs of everyday scenes, every object outlined.

T.-Y. Lin et al., Microsoft COCO: Common Objects in Context, ECCV 2014; A. Kirillov et
al., Panoptic Segmentation, CVPR 2019. Its annotations come in three forms, each of
which is prepared to a place of its own: panoptic (every pixel has a class), instances
(objects on a background) and key points (people, with their joints). Any data set
written in these forms is read.
"""

from itertools import chain
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from segjax.base import Info, Mistake, check_choice
from segjax.data._cache import data_root
from segjax.data._coco import check, write
from segjax.data._coco.find_files import one_form
from segjax.data._coco.legend import (
    FORMS,
    INSTANCES,
    KEYPOINTS,
    PANOPTIC,
    Legend,
    legend_of,
    pick_classes,
)
from segjax.data._coco.rows import CocoRows
from segjax.data._coco.scan import Picture
from segjax.data._folds import FOLDS, SPLITS, fold_of_split
from segjax.data._intake import Files, shown
from segjax.data._records.build import LocalInfo, PictureBuilder
from segjax.data._records.prepared import open_builder, prepared_folder
from segjax.data._records.scan import Tick, silent, take_in

SOURCE = (
    "Get pictures and annotations at https://cocodataset.org/#download and unpack them"
    " to one folder."
)
PARTS = 20  # of COCO's train, one of which chooses the checkpoint


def make_info(**config) -> Info:
    """Classes, things, colours and joints, as the prepared annotations name them."""
    return _wanted(config).info()


def settle(**config) -> tuple[dict[str, Any], list[str]]:
    """What the annotations name, as options, and what is to be said of it."""
    wanted = _wanted(config)
    told = f"coco: {wanted.form}, {len(wanted.classes)} classes, {len(wanted.things)}"
    options = wanted._asdict()
    del options["ids"]
    return options, [f"{told} of them things"]


def open_split(
    split: str,
    *,
    dir: str | None = None,
    fold: int | None = None,
    form: str | None = None,
    classes: tuple[str, ...] | None = None,
    things: tuple[str, ...] | None = None,
    colors: tuple[tuple[int, ...], ...] | None = None,
    joints: tuple[str, ...] | None = None,
    limbs: tuple[tuple[int, ...], ...] | None = None,
    mirror: tuple[int, ...] | None = None,
    people: int | None = None,
) -> CocoRows:
    """Rows of "train", "val" or "test" of the prepared set.

    COCO's own val is tested, and a twentieth of its train, that of the fold, chooses;
    a set with annotations of a test as well has its own val; of a set with one file of
    annotations there are folds. dir: where it was prepared to, unset for $SEGJAX_DATA
    or ~/.cache/segjax; form: panoptic, instances or keypoints, unset for the one that
    was prepared; classes: those to keep, the others become background where that is
    among them, else they do not count. What follows is found in the annotations, and
    kept with a run: leave it unset.
    """
    builder = _open(dir, form)
    legend = legend_of(dict(builder.info.metadata))
    sizes = {name: part.num_examples for name, part in builder.info.splits.items()}
    splits, places = parts_of(split, fold or 0, sizes)
    return CocoRows(builder, splits, places, legend, pick_classes(legend, classes))


def parts_of(
    split: str, fold: int, sizes: dict[str, int]
) -> tuple[list[str], np.ndarray | None]:
    """The builder's splits that make up a split, and which of their pictures, None for
    all. sizes: of the builder's splits."""
    check_choice("the split", split, SPLITS)
    if "test" not in sizes:
        folds = [f"fold{k}" for k in fold_of_split(split, fold)]
        there = [name for name in folds if name in sizes]
        if not there:
            raise Mistake(
                f"This coco has {sum(sizes.values())} pictures, and none for {split} of"
                f" fold {fold}; {FOLDS} folds need more."
            )
        return there, None
    if "val" in sizes:
        if fold:
            raise Mistake(
                f"data.fold is {fold}, and this coco has a train, val and test of its"
                " own; leave it unset."
            )
        return [split], None
    if not 0 <= fold < PARTS:
        raise Mistake(
            f"data.fold is {fold}; the parts of COCO's train, one of which chooses, are"
            f" numbered 0 to {PARTS - 1}."
        )
    if split == "test":
        return ["test"], None
    every = np.arange(sizes["train"])
    parts = min(PARTS, len(every))
    chooses = every % parts == fold % parts
    return ["train"], every[chooses if split == "val" else ~chooses]


def _wanted(config: dict[str, Any]) -> Legend:
    """The legend of the classes that are wanted: a run's own, or as prepared."""
    if {"form", "classes", "things"} <= config.keys():
        return legend_of({"ids": ()} | config)
    builder = _open(config.get("dir"), config.get("form"))
    legend = legend_of(dict(builder.info.metadata))
    return pick_classes(legend, config.get("classes"))


def _open(dir: str | None, form: str | None):
    """The builder of a form, or of the only one that was prepared."""
    if form is not None:
        check_choice("data.form", form, FORMS)
        return open_builder(BUILDERS[form], "coco", SOURCE, dir)
    root = data_root(dir)
    found = [name for name, of in BUILDERS.items() if prepared_folder(of, root)[1]]
    if len(found) > 1:
        raise Mistake(
            f"The coco in {shown(root)} was prepared as {' and '.join(found)}; say"
            f" which with --config.data.form={found[0]}."
        )
    return open_builder(BUILDERS[found[0] if found else PANOPTIC], "coco", SOURCE, dir)


def choose_builder(files: Files) -> type["SegjaxCoco"]:
    """The builder of the form that the files have."""
    return BUILDERS[one_form(files)]


def assign(pictures: list[Picture]) -> dict[str, list[Picture]]:
    """The pictures of each part, by name; a part of folds without any is none."""
    splits: dict[str, list[Picture]] = {}
    for picture in sorted(pictures, key=lambda p: (p.split, p.name)):
        splits.setdefault(picture.split, []).append(picture)
    if splits.keys() & set(SPLITS):  # where there is no val, train gives a part to it
        for split, least in (("train", 1 if "val" in splits else 2), ("test", 1)):
            count = len(splits.get(split, []))
            if count < least:
                raise Mistake(
                    f"Whole pictures to {split} with: {count}; there must be {least} or"
                    " more."
                )
    return splits


def most_objects(pictures: list[Picture]) -> int:
    """How many one of them shows at most, crowds aside."""
    return max(sum(not m.get("iscrowd") for m in one.marks) for one in pictures)


def describe_splits(splits: dict[str, list[Picture]]) -> list[str]:
    """How many pictures each part has."""
    sizes = {name: len(pictures) for name, pictures in splits.items()}
    if "val" in sizes:
        told = ", ".join(f"{sizes[split]} {split}" for split in SPLITS)
        return [f"its own splits: {told}"]
    if "test" in sizes:
        held = len(parts_of("val", 0, sizes)[1])  # type: ignore[arg-type]
        return [
            f"its own splits: {sizes['train']} of train, of which {held} choose, and"
            f" {sizes['test']} that are tested"
        ]
    folds = "/".join(str(sizes.get(f"fold{k}", 0)) for k in range(FOLDS))
    few = f"; too few for all {FOLDS}" if len(sizes) < FOLDS else ""
    return [f"folds of {folds}{few}"]


class SegjaxCoco(PictureBuilder):
    """COCO's panoptic form in its own resolution: a class for every pixel."""

    FORM = PANOPTIC
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Pictures, classes, objects."}  # noqa: RUF012
    MANUAL_DOWNLOAD_INSTRUCTIONS = SOURCE + " manual_dir is that folder."

    assign = staticmethod(assign)  # type: ignore[assignment]
    describe = staticmethod(check.describe)  # type: ignore[assignment]
    examples = staticmethod(write.examples)

    @classmethod
    def look_through(cls, files: Files, tick: Tick = silent):
        return check.check_pictures(files, cls.FORM, tick)

    @staticmethod
    def content_of(record: dict[str, Any]) -> bytes:
        values = [record[word] for word in sorted(record)]
        return b"".join(v if isinstance(v, bytes) else v.tobytes() for v in values)

    def _info(self):
        return LocalInfo(
            builder=self,
            description=__doc__,
            features=write.features(self.FORM),
            homepage="https://cocodataset.org",
            license="annotations CC BY 4.0; pictures each under its own",
            metadata=tfds.core.MetadataDict(),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        folder = dl_manager.manual_dir
        self._intake = self._intake or take_in(self.look_through, self.assign, folder)
        pictures: Any = list(chain.from_iterable(self._intake.splits.values()))
        legend = pictures[0].legend._replace(people=most_objects(pictures))
        self.info.metadata.update(legend._asdict())
        return super()._split_generators(dl_manager)


class SegjaxCocoInstances(SegjaxCoco):
    """COCO's objects on a background, in their own resolution."""

    FORM = INSTANCES


class SegjaxCocoKeypoints(SegjaxCoco):
    """COCO's people with their key points, in their own resolution."""

    FORM = KEYPOINTS
    VERSION = tfds.core.Version("1.2.0")
    RELEASE_NOTES = {  # noqa: RUF012
        "1.0.0": "Pictures, classes, objects, key points.",
        "1.1.0": "The most people of a picture.",
        "1.2.0": "Objects without key points are background.",
    }


BUILDER = SegjaxCoco
BUILDERS = {
    PANOPTIC: SegjaxCoco,
    INSTANCES: SegjaxCocoInstances,
    KEYPOINTS: SegjaxCocoKeypoints,
}
