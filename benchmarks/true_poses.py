"""What true heat and fields score: what reading skeletons back from maps loses, by the
maps' stride, between their cells and at whole ones.

    python benchmarks/true_poses.py --config configs/pose.py:coco --config.data.dir=DIR
    python benchmarks/true_poses.py --config configs/pose.py:many \\
        --config.data.people=10 --config.data.pictures=100

Every picture of the data at its own size, its maps made of the truth.
"""

import argparse
import functools
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from segjax import data, run, tasks
from segjax.base import VOID, Mistake
from segjax.command._parse import Parser, parse
from segjax.ops.bootstrap import summarise
from segjax.tasks._centers import RARE

STRIDES = (1, 2, 4, 8)
_BEYOND = {"image": 0, "semantic": VOID, "instance": 0}
_TOLD = ("oks", "ap", "ap50", "ap75", "ar", "pck", "count_error")


def main() -> int:
    parser = Parser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", required=True, metavar="FILE[:PRESET]")
    try:
        flags, overrides = parse(parser, sys.argv[1:])
        fixed = any(name == "task.stride" for name, _ in overrides)
        for stride in (0,) if fixed else STRIDES:
            asked = [("task.stride", str(stride))] if stride else []
            tell(run.load_config(flags.config, [*overrides, *asked]))
    except Mistake as mistake:
        print(f"true_poses: {mistake}", file=sys.stderr)
        return 2
    return 0


def tell(config) -> None:
    """The scores at the config's stride."""
    found, _ = data.settle(**run.options(config.data))
    config = run.with_found(config, found)
    wanted = run.options(config.data)
    info = data.make_info(**wanted)
    task = tasks.make_task(info=info, **run.options(config.task))
    if "heatmap" not in task.heads:
        raise Mistake("The config's task is no pose; take configs/pose.py.")
    if config.task.get("silhouette"):
        raise Mistake("True maps are of joints alone; leave task.silhouette at 0.")
    splits = [data.open_split(split=split, **wanted) for split in data.SPLITS]
    stride, rows = config.task.get("stride", 1), {"between": [], "at whole": []}
    for pictures in splits:
        for k in range(len(pictures)):
            example = padded(pictures[k], info.people)
            of_both = jax.device_get(rows_of(task, stride, example))
            for how, row in zip(rows, of_both):
                rows[how].append(row)
    for how, found in rows.items():
        stacked = {word: np.stack([row[word] for row in found]) for word in found[0]}
        scores = summarise(task.score, stacked, ranges=task.ranges)
        pooled = (f"{s} {scores[s]['pooled']:.4f}" for s in _TOLD if s in scores)
        there, called, _ = stacked["number"].sum(0)
        print(
            f"stride {stride}, {how} cells: {'  '.join(pooled)}; {called} of {there}"
            f" people called on {len(found)} pictures\n"
            f"  ap by people in a picture: {by_number(task, stacked)}",
            flush=True,
        )


def by_number(task, rows: dict[str, np.ndarray]) -> str:
    """The average precision over pictures of one person, of two, and so on."""
    there = rows["number"][:, 0]
    each = []
    for number in np.unique(there[there > 0]):
        some = {word: row[there == number] for word, row in rows.items()}
        pictures = len(some["number"])
        each.append(f"{number}: {task.score(some)['ap']:.3f} ({pictures})")
    return "  ".join(each)


def padded(example: dict, people: int) -> dict:
    """What is needed of an example, in few shapes: each is compiled anew."""
    example = {w: example[w] for w in (*_BEYOND, "keypoints", "area") if w in example}
    for word in _BEYOND.keys() & example.keys():
        example[word] = run.in_blocks(example[word], _BEYOND[word])
    for word in {"keypoints", "area"} & example.keys():
        rest = [(0, 0)] * (example[word].ndim - 1)
        more = people - len(example[word])
        example[word] = np.pad(example[word], [(0, more), *rest])
    return example


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _rows(functions, heads: tuple, stride: int, example: dict):
    encode, decode, count = functions
    prediction = decode(true_maps(dict(heads), encode(example), stride, example))
    cells = (prediction["keypoints"][..., :2] + 0.5) / stride - 0.5
    at_whole = (jnp.round(cells) + 0.5) * stride - 0.5
    coarse = prediction["keypoints"].at[..., :2].set(at_whole)
    return (
        count(prediction, example),
        count(prediction | {"keypoints": coarse}, example),
    )


def rows_of(task, stride: int, example: dict):
    """The rows with joints read between the cells, and at whole ones."""
    functions = task.encode, task.decode, task.count
    return _rows(functions, tuple(task.heads.items()), stride, example)


def true_maps(heads: dict, targets: dict, stride: int, example: dict) -> dict:
    """What a network would say that knows the truth."""
    heat = jnp.clip(targets["heat"], 1e-6, 1 - 1e-6)
    if "paf" not in heads:  # a softmax over places
        return {"heatmap": _spread(jnp.log(heat), stride, example)}
    logits = jnp.log(heat) - jnp.log1p(-heat) - RARE
    ways = targets["ways"].reshape(*heat.shape[:2], heads["paf"])
    return {
        "heatmap": _spread(logits, stride, example),
        "paf": _spread(ways, stride, example),
    }


def _spread(cells, stride: int, example: dict):
    """Each cell as the pixels of which it is the mean."""
    h, w = example["image"].shape[:2]
    return jnp.repeat(jnp.repeat(cells, stride, 0), stride, 1)[:h, :w]


if __name__ == "__main__":
    sys.exit(main())
