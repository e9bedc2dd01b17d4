"""A class for every pixel: one map and a sigmoid for two classes, softmax for more."""

import functools
import math
from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from segjax.base import Info, Mistake, Task, check_range
from segjax.ops import losses
from segjax.ops.confusion import class_pixels, confusion
from segjax.tasks import _draw
from segjax.tasks._measure import measure
from segjax.tasks._scores import measured_scores, scores_of_many, scores_of_two

BALANCE = "median_frequency"


def make_task(
    info: Info,
    *,
    cross_entropy: float = 1.0,
    dice: float = 0.0,
    focal: float = 0.0,
    class_weights: tuple[float, ...] | str | None = None,
) -> Task:
    """Two classes: is it info.classes[1]? More: which class is it, background included?

    cross_entropy, dice, focal: the weight of each term of the loss; class_weights: of
    each class in cross-entropy and focal, or "median_frequency" to have them measured.
    """
    classes = len(info.classes)
    if classes < 2:
        raise Mistake(f"Task 'semantic' needs two classes; the data has {classes}.")
    terms = {"cross_entropy": cross_entropy, "dice": dice, "focal": focal}
    for name, k in terms.items():
        check_range(f"task.{name}", k, 0)
    if not any(terms.values()):
        raise Mistake("Every term of the loss is 0; set task.cross_entropy to 1.")
    weights = _check_weights(class_weights, classes)
    binary = classes == 2
    if binary:
        entropy_of, focal_of = losses.sigmoid_cross_entropy, losses.sigmoid_focal
    else:
        entropy_of, focal_of = losses.softmax_cross_entropy, losses.softmax_focal

    def encode(example):
        """{"labels": u8[h,w], "weight": f32[h,w]}"""
        labels = example["semantic"]
        counts = losses.counted(labels)
        return {"labels": labels, "weight": counts * _weight_map(labels, weights)}

    def loss(outputs, targets):
        labels, weight = targets["labels"], targets["weight"]
        logits = outputs["mask"][..., 0] if binary else outputs["semantic"]
        sums = {}
        if cross_entropy:
            sums["cross_entropy"] = entropy_of(logits, labels, weight)
        if focal:
            sums["focal"] = focal_of(logits, labels, weight)
        if dice:
            # the background of two classes is the other's complement: one Dice will do
            truth = jax.nn.one_hot(labels, classes)[..., 1 if binary else 0 :]
            soft = jax.nn.sigmoid(outputs["mask"]) if binary else jax.nn.softmax(logits)
            sums["dice"] = losses.soft_dice(soft, truth, losses.counted(labels))
        return {name: (terms[name] * n, w) for name, (n, w) in sums.items()}

    def decode(outputs):
        """{"semantic": u8[h,w], "probability": f32[h,w,c]}"""
        if binary:
            one = jax.nn.sigmoid(outputs["mask"][..., 0])
            probability = jnp.stack([1 - one, one], axis=-1)
        else:
            probability = jax.nn.softmax(outputs["semantic"], axis=-1)
        semantic = probability.argmax(-1).astype(jnp.uint8)
        return {"semantic": semantic, "probability": probability}

    def count(prediction, example):
        """{"confusion": i32[c,c]}, pixels of true class i called class j"""
        pair = example["semantic"], prediction["semantic"]
        return {"confusion": confusion(*pair, classes)}

    def score(rows):
        matrix = np.asarray(rows["confusion"], np.float64).sum(0)
        scores = scores_of_two(matrix) if binary else scores_of_many(matrix, info)
        if "surface" in rows:  # as `measure` gives them
            scores |= measured_scores(rows, scores["iou"] if binary else None)
        return scores

    def draw(image, prediction, truth=None):
        semantic = np.asarray(prediction["semantic"])
        mask = None if truth is None else np.asarray(truth["semantic"])
        return _draw.strip(image, semantic, mask, _draw.palette(info))

    return Task(
        needs=("image", "semantic"),
        heads={"mask": 1} if binary else {"semantic": classes},
        encode=encode,
        loss=loss,
        decode=decode,
        count=count,
        score=score,
        draw=draw,
        panels="From left to right: the picture, the truth, the prediction, and where"
        " they differ (red was missed, blue was added).",
        remark=functools.partial(_remark, info),
        measure=functools.partial(measure, classes=classes),
        falling=("hd95", "asd", "ece"),
        ranges={"hd95": (0, math.inf), "asd": (0, math.inf)},
        logits="mask" if binary else "semantic",
    )


def settle(
    info: Info, examples: Iterable[dict[str, np.ndarray]], **config
) -> dict[str, Any]:
    """ "median_frequency" replaced by each class's weight on the training pictures.

    A class's frequency is its pixels over all pixels of the pictures that hold it; its
    weight is the median of all frequencies over its own (arXiv 1411.4734). A class
    that no training picture holds weighs 1.
    """
    if config.get("class_weights") != BALANCE:
        return config
    pixels, around = class_pixels(
        (example["semantic"] for example in examples), len(info.classes)
    )
    frequency = np.divide(pixels, around, out=np.zeros_like(pixels), where=around > 0)
    median = np.median(frequency[frequency > 0])
    weights = [float(median / f) if f > 0 else 1.0 for f in frequency]
    return {**config, "class_weights": tuple(round(w, 6) for w in weights)}


def _check_weights(weights, classes: int) -> tuple[float, ...] | None:
    if weights is None or weights == BALANCE:  # not settled yet: a task for its shapes
        return None
    if isinstance(weights, str):
        raise Mistake(
            f"task.class_weights is {weights!r}; it must be one number a class, or"
            f" {BALANCE!r}."
        )
    if len(weights) != classes:
        raise Mistake(
            f"task.class_weights has {len(weights)} numbers; the data has {classes}"
            " classes. Give one number a class."
        )
    for weight in weights:
        check_range("each of task.class_weights", weight, 0)
    if not any(weights):
        raise Mistake("task.class_weights are all 0; at least one must be positive.")
    return tuple(weights)


def _weight_map(labels, weights):
    if weights is None:
        return 1.0
    table = jnp.array(weights, jnp.float32)
    return table[jnp.minimum(labels, len(weights) - 1).astype(jnp.int32)]


def _remark(info: Info, rows) -> str:
    """Whether (nearly) all pixels are called one class, though they are not; and why
    that may be."""
    matrix = np.asarray(rows["confusion"], np.float64).sum(0)
    true, called = matrix.sum(1), matrix.sum(0)
    only, total = int(called.argmax()), max(true.sum(), 1)
    share, others = true[only] / total, 1 - called[only] / total
    if (true > 0).sum() < 2 or others > min(1e-3, (1 - share) / 10):
        return ""
    all_of = "every" if others == 0 else "nearly every"
    rarest = (true / true.sum())[true > 0].min()
    return (
        f"{all_of} pixel is called {info.classes[only]!r}, which {share:.1%} of them"
        " are. Early in a training that passes. If it stays, look at"
        " pictures/000000-train.png whether the masks lie on the objects (python -m"
        " segjax doctor looks at all); try a lower optim.learning_rate; and, as the"
        f" rarest class has {rarest:.1%} of the pixels, task.dice=1 or"
        " task.class_weights=median_frequency."
    )
