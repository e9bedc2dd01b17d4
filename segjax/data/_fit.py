"""An example brought to the fixed size that a compiled step needs."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from segjax.base import VOID, Info, Mistake, check_choice, check_range

FITS = ("stretch", "pad", "crop")


class Loading(NamedTuple):
    """How examples become arrays of one size: options that every data set has."""

    size: int = 0  # of what the network is trained on
    fit: str = "stretch"
    canvas: int | None = None  # with crop: the side that windows of `size` are cut from
    memory: float = 4.0  # GB of the devices; what takes more is streamed
    cache: float = 8.0  # GB of disk for decoded pictures, all data sets' together
    threads: int | None = None  # of a stream; unset for one a core, 0 for none

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "Loading":
        """Those of the options that say how to load; the others say what."""
        return cls(**{k: v for k, v in options.items() if k in cls._fields})

    @property
    def side(self) -> int:
        """Of fitted examples: the size, or the canvas (unset: half as large again)."""
        if self.fit != "crop":
            return self.size
        return self.canvas or self.size + self.size // 2

    def check(self) -> None:
        """A Mistake when no example can be loaded in this way."""
        size, fit, canvas = self.size, self.fit, self.canvas
        check_range("data.size", size, 1, 16384)
        check_choice("data.fit", fit, FITS)
        if canvas is not None and fit != "crop":
            raise Mistake(
                f"data.canvas is for data.fit=crop; with {fit!r} leave it unset."
            )
        if canvas is not None and not size < canvas <= 16384:
            raise Mistake(
                f"data.canvas is {canvas}; it must be larger than data.size, {size}, of"
                " which it is the canvas."
            )
        check_range("data.memory", self.memory, 0, 1e6)
        check_range("data.cache", self.cache, 0, 1e6)
        check_range("data.threads", self.threads or 0, 0, 256)


def fit_to_size(
    example: dict[str, Any], side: int, fit: str = "stretch", people: int | None = None
) -> dict[str, np.ndarray]:
    """Picture, masks and joints brought to side x side; other words are left out.

    stretch: both sides as they must; pad, crop: in proportion, as large as fits, at the
    top left; the rest is black and does not count. The picture is averaged down (area
    filter), so fine hair does not alias; labels take their nearest pixel, so no class
    is invented. people: room for so many, with joints or without; unset for as many as
    there are.
    """
    inside = covered(example["image"].shape[:2], side, fit)
    image = _resize(example["image"], inside, Image.Resampling.BOX)
    fitted = {"image": _pad(image, side, 0)}
    if "semantic" in example:
        mask = _resize(example["semantic"], inside, Image.Resampling.NEAREST)
        fitted["semantic"] = _pad(mask, side, VOID)
    ids = None
    if "instance" in example:
        ids = _resize(example["instance"], inside, Image.Resampling.NEAREST)
        fitted["instance"] = _pad(_compact(ids), side, -1)
    if "keypoints" in example:
        fitted |= _fit_people(example, inside, ids, people)
    return fitted


def example_shapes(info: Info, side: int) -> dict[str, tuple[tuple[int, ...], Any]]:
    """What fit_to_size makes of the data's examples: {word: (shape, type)}."""
    shapes: dict[str, tuple[tuple[int, ...], Any]] = {
        "image": ((side, side, 3), np.uint8),
        "semantic": ((side, side), np.uint8),
        "instance": ((side, side), np.int32),
        "keypoints": ((info.people, len(info.joints), 3), np.float32),
        "area": ((info.people,), np.float32),
    }
    return {word: shapes[word] for word in info.provides}


def _fit_people(
    example: dict[str, Any], inside: tuple[int, int], ids, people: int | None
) -> dict[str, np.ndarray]:
    """Joints and areas in the fitted picture, with room for so many people. Whose
    object has grown too small to be seen come behind those of objects 1, 2, .."""
    points = np.array(example["keypoints"], np.float32)
    room = len(points) if people is None else people
    if len(points) > room:
        raise Mistake(
            f"{example['name']} shows {len(points)} people, and the data says of itself"
            f" that a picture shows {room} at most: leave data.people unset, or, in a"
            f" data set of your own, let make_info say people={len(points)}."
        )
    grown = np.array(inside, np.float32) / example["image"].shape[:2]
    points[..., :2] = (points[..., :2] + 0.5) * grown - 0.5
    order = np.arange(len(points))
    if ids is not None:
        seen = np.isin(order + 1, ids)
        order = np.concatenate([order[seen], order[~seen]])
    beyond = (0, room - len(points))
    fitted = {"keypoints": np.pad(points[order], (beyond, (0, 0), (0, 0)))}
    if "area" in example:
        area = np.asarray(example["area"], np.float32) * grown.prod()
        fitted["area"] = np.pad(area[order], beyond)
    return fitted


def _compact(ids: np.ndarray) -> np.ndarray:
    """Objects numbered 1..n without a gap: small ones may have gone. i32[h,w]"""
    left, place = np.unique(ids, return_inverse=True)
    number = np.where(left > 0, np.cumsum(left > 0), left).astype(np.int32)
    return number[place].reshape(ids.shape)


def covered(shape: tuple[int, ...], side: int, fit: str) -> tuple[int, int]:
    """The height and width that a picture takes up of the fitted square."""
    if fit == "stretch":
        return side, side
    h, w = shape[:2]
    scale = side / max(h, w)
    return max(1, round(h * scale)), max(1, round(w * scale))


def _resize(array: np.ndarray, size: tuple[int, int], how: Image.Resampling):
    if array.shape[:2] == size:
        return array
    h, w = size
    enlarges = array.shape[0] < h or array.shape[1] < w
    if how is Image.Resampling.BOX and enlarges:
        how = Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(array).resize((w, h), how))


def _pad(array: np.ndarray, side: int, value: int) -> np.ndarray:
    h, w = array.shape[:2]
    beyond = [(0, side - h), (0, side - w)] + [(0, 0)] * (array.ndim - 2)
    return (
        np.pad(array, beyond, constant_values=value) if h < side or w < side else array
    )
