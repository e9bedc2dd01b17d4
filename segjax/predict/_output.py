"""What is written for each picture, and what tells that it is done."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from segjax import run
from segjax.base import Mistake
from segjax.predict._inputs import SETTINGS, Input
from segjax.predict._objects import (
    COCO,
    as_coco,
    describe,
    id_picture,
    thing_categories,
)
from segjax.predict._people import as_openpose, describe_people, people_category
from segjax.tasks import palette

_OPENPOSE = "_keypoints"  # how the names of OpenPose's files end


class Output:
    """A folder of predictions by one run, one way.

    For a picture `a`: a-mask.png, class ids with a palette; a-overlay.png;
    a-p<id>-<class>.png, the probability of each class but the background, 0 to 255;
    a-uncertainty.png where it was asked for; and a.json, written last. Where objects
    are told apart, also a-objects.png, their numbers, and coco.json of all pictures
    in the folder. Of skeletons a-overlay.png, a_keypoints.json as OpenPose lays it out,
    a.json, and coco.json.
    """

    def __init__(
        self, folder: Path, settings: dict[str, Any], of: run.Run, overwrite: bool
    ):
        self.folder, self.of = folder, of
        self.settings = json.loads(json.dumps(settings))  # as it will be read
        self.overwrite = overwrite
        _check(folder, self.settings, overwrite)

    def begin(self) -> None:
        """The folder, said to be this prediction's."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _write_json(self.folder / SETTINGS, self.settings)

    def has(self, picture: Input) -> bool:
        """Whether this very picture is done, in this way, and not to be done anew; a
        Mistake where another's prediction would be lost."""
        if self._tells_objects() and f"{picture.name}.json" == COCO:
            raise Mistake(
                f"{picture.path} would be told of in {COCO}, which lists the objects of"
                " all pictures; rename it."
            )
        if self._tells_people() and picture.name.endswith(_OPENPOSE):
            raise Mistake(
                f"{picture.path} would be told of in {picture.name}.json, a name that"
                " is kept for people in OpenPose's layout; rename it."
            )
        if self.overwrite:
            return False
        try:
            held = json.loads(self._place(picture, ".json").read_text())
            before = held["source"]["file"]
        except (OSError, ValueError, TypeError, KeyError):
            return False
        if before != str(picture.path.resolve()):
            raise Mistake(
                f"{self.folder} holds the prediction of {before} as {picture.name};"
                f" give --out another folder for {picture.path}, or --overwrite."
            )
        return held["source"] == _source(picture) and held.get("by") == self.settings

    def write(
        self, picture: Input, image: np.ndarray, prediction: dict[str, np.ndarray]
    ) -> None:
        """All of a picture; what was half written is written anew."""
        self._place(picture, "").parent.mkdir(parents=True, exist_ok=True)
        drawn = self.of.task.draw(image, prediction)
        files = {"overlay": Image.fromarray(drawn[:, -image.shape[1] :])}
        if "semantic" in prediction:
            files |= self._maps(prediction)
        if "instance" in prediction:
            files["objects"] = id_picture(prediction["instance"])
        if "uncertainty" in prediction:
            files["uncertainty"] = _grey(prediction["uncertainty"])
        names = {}
        for what, file in files.items():
            place = self._place(picture, f"-{what}.png")
            _save(file, place)
            names[what] = place.name
        about = {"source": _source(picture), "size": list(image.shape[:2])}
        about |= {"files": names, "by": self.settings} | self._areas(prediction)
        if "instance" in prediction:
            about["objects"] = describe(prediction, self.of.info)
        if "keypoints" in prediction:
            people = describe_people(prediction, self.of.info)
            about["objects"] = people
            place = self._place(picture, f"{_OPENPOSE}.json")
            _write_json(place, as_openpose(people))
            names["openpose"] = place.name
        _write_json(self._place(picture, ".json"), about)

    def finish(self) -> None:
        """What is of all pictures in the folder."""
        if not self._tells_objects():
            return
        places = sorted(set(self.folder.rglob("*.json")) - {self.folder / COCO})
        written = (json.loads(place.read_text()) for place in places)  # OpenPose's too
        pictures = [about for about in written if "objects" in about]
        kinds = people_category if self._tells_people() else thing_categories
        _write_json(self.folder / COCO, as_coco(pictures, kinds(self.of.info)))

    def _tells_objects(self) -> bool:
        return "instance" in self.of.task.needs or self._tells_people()

    def _tells_people(self) -> bool:
        return "keypoints" in self.of.task.needs

    def _maps(self, prediction: dict[str, np.ndarray]) -> dict[str, Image.Image]:
        mask = Image.fromarray(prediction["semantic"], mode="P")
        colors = palette(self.of.info)
        mask.putpalette(colors.astype(np.uint8).tobytes())
        probability = prediction["probability"]
        return {"mask": mask} | {
            f"p{k}-{_in_a_file_name(name)}": _grey(probability[..., k])
            for k, name in enumerate(self.of.info.classes)
            if k > 0
        }

    def _areas(self, prediction: dict[str, np.ndarray]) -> dict[str, Any]:
        if "semantic" not in prediction:
            return {}
        classes = self.of.info.classes
        pixels = np.bincount(prediction["semantic"].ravel(), minlength=len(classes))
        share = pixels / pixels.sum()
        return {
            "classes": [
                {"id": k, "name": name, "pixels": int(pixels[k]), "share": share[k]}
                for k, name in enumerate(classes)
            ]
        }

    def _place(self, picture: Input, ending: str) -> Path:
        return self.folder / f"{picture.name}{ending}"


def _check(folder: Path, settings: dict[str, Any], overwrite: bool) -> None:
    """A Mistake unless the folder is new, or holds a prediction of the same kind."""
    run.check_place(folder, "--out")
    begun = {f"{SETTINGS}.part"}  # of a disk that was full
    if not folder.is_dir() or not {p.name for p in folder.iterdir()} - begun:
        return
    try:
        held = dict(json.loads((folder / SETTINGS).read_text()))
    except (OSError, ValueError, TypeError):
        raise Mistake(
            f"{folder} holds something that is not a prediction; give --out a folder of"
            " its own."
        ) from None
    if held != settings and not overwrite:
        words = {**settings, **held}
        differing = [k for k in words if held.get(k) != settings.get(k)]
        told = ", ".join(
            f"{k} was {held.get(k)} and is {settings.get(k)}" for k in differing
        )
        raise Mistake(
            f"{folder} holds another prediction: {told}. Give another --out, or"
            " --overwrite to write over it."
        )


def _source(picture: Input) -> dict[str, Any]:
    facts = picture.path.stat()
    return {
        "file": str(picture.path.resolve()),
        "bytes": facts.st_size,
        "changed": facts.st_mtime_ns,
    }


def _in_a_file_name(name: str) -> str:
    return re.sub(r"[^\w.-]", "_", name)


def _grey(share: np.ndarray) -> Image.Image:
    """0..1 -> 0..255"""
    return Image.fromarray((np.asarray(share) * 255).round().astype(np.uint8))


def _save(picture: Image.Image, path: Path) -> None:
    with run.whole(path) as part:
        picture.save(part, format="PNG")


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with run.whole(path) as part:
        part.write_text(json.dumps(content, indent=1))
