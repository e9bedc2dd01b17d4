"""What knowing nothing scores: the figures that a network must leave behind.

    python benchmarks/floors.py --config configs/unet.py
    python benchmarks/floors.py --run runs/unet

On the test split of the config, or of the run's: each class called for every pixel, and
the mean mask of the training pictures (of two classes, at the threshold that serves the
training pictures best; of more, each pixel's most frequent class); of joints, each at
its mean place in the training pictures. With --run, the run
beside them, picture by picture: the mean difference of the deciding score, its 95 %
bootstrap interval over pictures, and how many pictures the run does better on.
"""

import csv
import functools
import sys
from pathlib import Path

import jax
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from segjax import data, run, tasks
from segjax.base import Mistake
from segjax.command._parse import Parser, parse
from segjax.ops.bootstrap import DRAWS, score_each, summarise


def main() -> int:
    parser = Parser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--config", metavar="FILE[:PRESET]")
    what.add_argument("--run", type=Path, metavar="DIR")
    try:
        flags, overrides = parse(parser, sys.argv[1:])
        config, task, info, scored = _asked(flags, overrides)
        splits = {
            split: data.load_split(split=split, **run.options(config.data))
            for split in ("train", "test")
        }
    except Mistake as mistake:
        print(f"floors: {mistake}", file=sys.stderr)
        return 2
    wanted = {"semantic", "keypoints"} & {*task.needs}
    train, test = (
        {word: splits[split].arrays[word] for word in wanted} for split in splits
    )
    side = run.options(config.data).get("size")
    print(f"{len(splits['test'])} test pictures, {side}x{side}")
    for name, prediction in floors(task, info, train).items():
        rows = rows_of(task, test, prediction)
        scores = summarise(task.score, rows)
        deciding = next(iter(scores))
        told = "  ".join(
            f"{s} {scores[s]['mean']:.4f} ({scores[s]['pooled']:.4f} pooled)"
            for s in dict.fromkeys((deciding, "iou", "accuracy", "oks"))
            if s in scores
        )
        print(f"{name:<24}{told}")
        if scored is not None:
            alone = score_each(task.score, rows)[deciding]
            ours = np.array([scored[n][deciding] for n in splits["test"].names])
            print(f"{'':<24}{compare(ours, alone)}")
    return 0


def _asked(flags, overrides):
    """Config, task and info; and, of a run, each test picture's scores by name."""
    if flags.config:
        config, scored = run.load_config(flags.config, overrides), None
        found, _ = data.settle(**run.options(config.data))
        config = run.with_found(config, found)
        info = data.make_info(**run.options(config.data))
        task = tasks.make_task(info=info, **run.options(config.task))
    else:
        loaded = run.load_run(flags.run)
        config, task, info = loaded.config, loaded.task, loaded.info
        with (flags.run / "rows.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        scored = {
            row.pop("name"): {k: float(v) for k, v in row.items() if k in _SCORES}
            for row in rows
        }
    return config, task, info, scored


_SCORES = ("dice", "miou", "pck")  # those that decide

Words = dict[str, np.ndarray]


def floors(task, info, train: Words) -> dict[str, Words]:
    """The predictions that know nothing, by name. {word: [n,...]}"""
    if "keypoints" in train:
        return {"mean pose": mean_pose(train["keypoints"])}
    masks = mean_masks(task, info, train["semantic"])
    return {name: {"semantic": mask} for name, mask in masks.items()}


def mean_pose(people: np.ndarray) -> Words:
    """Each joint at its mean place, of pictures of one person. f32[n,1,j,3]"""
    there = people[:, 0, :, 2:] > 0
    place = (people[:, 0, :, :2] * there).sum(0) / np.maximum(there.sum(0), 1)
    points = np.append(place, there.any(0), axis=1)[None]
    return {"keypoints": points.astype(np.float32), "score": np.ones(1, np.float32)}


def mean_masks(task, info, train: np.ndarray) -> Words:
    """Each class everywhere, and the mean mask. u8[n,h,w] -> u8[h,w] each"""
    classes = len(info.classes)
    masks = {
        f"all {name}": np.full(train.shape[1:], k, np.uint8)
        for k, name in enumerate(info.classes)
    }
    shares = np.stack([(train == k).mean(0) for k in range(classes)])
    if classes > 2:
        return masks | {"mean mask": shares.argmax(0).astype(np.uint8)}
    levels = np.linspace(0.05, 0.95, 19)

    def serves(level: float) -> float:
        prediction = {"semantic": (shares[1] > level).astype(np.uint8)}
        rows = rows_of(task, {"semantic": train}, prediction)
        return summarise(task.score, rows)["dice"]["mean"]

    best = max(levels, key=serves)
    mask = (shares[1] > best).astype(np.uint8)
    return masks | {f"mean mask > {best:.2f}": mask}


def rows_of(task, truth: Words, prediction: Words) -> Words:
    """The rows of one prediction given for every picture. {word: [n,...]}"""
    count = jax.jit(functools.partial(task.count, prediction))
    pictures = len(next(iter(truth.values())))
    rows = [
        jax.device_get(count({word: held[k] for word, held in truth.items()}))
        for k in range(pictures)
    ]
    return {word: np.stack([row[word] for row in rows]) for word in rows[0]}


def compare(ours: np.ndarray, theirs: np.ndarray) -> str:
    """The paired difference, in words. f64[n] x2"""
    gain = (ours - theirs)[np.isfinite(ours) & np.isfinite(theirs)]
    draws = np.random.default_rng(0).integers(0, len(gain), (DRAWS, len(gain)))
    low, high = np.percentile(gain[draws].mean(1), [2.5, 97.5])
    return (
        f"the run is better by {gain.mean():+.4f} ({low:+.4f} to {high:+.4f}), on"
        f" {(gain > 0).sum()} of {len(gain)} pictures"
    )


if __name__ == "__main__":
    sys.exit(main())
