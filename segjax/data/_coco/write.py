"""A picture as the builder writes it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from segjax.data._coco.check import draw
from segjax.data._coco.labels import to_rgb
from segjax.data._coco.legend import KEYPOINTS
from segjax.data._coco.scan import Picture
from segjax.data._intake import decode, decode_picture, encode_png
from segjax.data._records.scan import Intake, in_threads


def features(form: str) -> tfds.features.FeaturesDict:
    """What a record of a form holds. Numbers of objects may pass 255, and Pillow gives
    TFDS no 16-bit PNG: so they stand in the three bytes of an RGB one."""
    features = tfds.features
    what = {
        "image": features.Image(shape=(None, None, 3)),
        "semantic": features.Image(shape=(None, None, 1), encoding_format="png"),
        "instance": features.Image(shape=(None, None, 3), encoding_format="png"),
        "name": features.Text(),
    }
    if form == KEYPOINTS:
        what["keypoints"] = features.Tensor(
            shape=(None, None, 3), dtype=np.float32, encoding="zlib"
        )
        what["area"] = features.Tensor(shape=(None,), dtype=np.float32)
    return features.FeaturesDict(what)


def examples(intake: Intake, split: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """A split's keys and examples: pictures as they are, masks as PNG."""
    files, every = intake.files, list(intake.splits)
    before = sum(len(intake.splits[s]) for s in every[: every.index(split)])
    total = sum(map(len, intake.splits.values()))

    def example(picture: Picture) -> tuple[str, dict[str, Any]]:
        labels = draw(files, picture)
        words: dict[str, Any] = {
            "image": _as_is(files.read(picture.image), picture.image),
            "semantic": encode_png(labels.semantic),
            "instance": encode_png(to_rgb(labels.instance)),
            "name": picture.name,
        }
        if labels.keypoints is not None:
            words |= {"keypoints": labels.keypoints, "area": labels.area}
        return picture.name, words

    for k, written in enumerate(in_threads(example, intake.splits[split]), before + 1):
        yield written
        intake.tick("writing", k, total)


def _as_is(data: bytes, name: str) -> bytes:
    """The file's own bytes where they are of 8-bit RGB: a JPEG as PNG would take six
    times the room. Else a PNG."""
    image = decode(data, name, whole=False)
    if image.mode == "RGB" and image.format in ("JPEG", "PNG"):
        return data
    return encode_png(decode_picture(data, name))
