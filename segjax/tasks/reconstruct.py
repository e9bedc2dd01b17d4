"""The autoencoder: give back the picture. Its encoder can start another run."""

import math

import jax.numpy as jnp
import numpy as np

from segjax.base import Info, Task
from segjax.ops import losses


def make_task(info: Info) -> Task:
    """Squared error of the picture in 0..1; padding (void in `semantic`, where the
    data has one) does not count."""

    def encode(example):
        """{"image": f32[h,w,3], "weight": f32[h,w]}"""
        image = example["image"].astype(jnp.float32) / 255
        return {"image": image, "weight": _counted(example)}

    def loss(outputs, targets):
        sums = losses.squared_error(
            outputs["image"], targets["image"], targets["weight"]
        )
        return {"squared_error": sums}

    def decode(outputs):
        """{"image": u8[h,w,3]}"""
        levels = jnp.round(jnp.clip(outputs["image"], 0, 1) * 255)
        return {"image": levels.astype(jnp.uint8)}

    def count(prediction, example):
        """{"squared_error": f32[], "pixels": f32[]}, of levels in 0..1"""
        found, true = (
            p["image"].astype(jnp.float32) / 255 for p in (prediction, example)
        )
        error, pixels = losses.squared_error(found, true, _counted(example))
        return {"squared_error": error, "pixels": pixels}

    def score(rows):
        pixels = np.asarray(rows["pixels"], np.float64).sum()
        if pixels == 0:
            return {"psnr": float("nan"), "rmse": float("nan")}
        mean = np.asarray(rows["squared_error"], np.float64).sum() / pixels
        # Levels are 1/255 apart: an error below the rounding's own cannot be told.
        floor = (1 / 255) ** 2 / 12
        return {"psnr": float(-10 * np.log10(max(mean, floor))), "rmse": mean**0.5}

    def draw(image, prediction, truth=None):
        return np.concatenate([np.asarray(image), np.asarray(prediction["image"])], 1)

    return Task(
        needs=("image",),
        heads={"image": 3},
        encode=encode,
        loss=loss,
        decode=decode,
        count=count,
        score=score,
        draw=draw,
        panels="The picture, and what was made of it.",
        falling=("rmse",),
        ranges={"psnr": (-math.inf, math.inf)},
    )


def _counted(example):
    if "semantic" in example:
        return losses.counted(example["semantic"])
    return jnp.ones(example["image"].shape[:2], jnp.float32)
