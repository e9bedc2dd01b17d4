"""What true maps score, all of them or one at a time: what reading them back loses, and
which map limits a trained network.

    python benchmarks/true_maps.py --config configs/instance.py:nuclei \\
        --config.data.dir=DIR
    python benchmarks/true_maps.py --run runs/instance-nuclei

With --config, every picture of the data, its maps made of the truth. With --run, the
run's test pictures, with the network's own maps, then with true ones in place of some.
All at the pictures' own size.
"""

import argparse
import functools
import itertools
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

_SURE = 20.0  # a logit
_BLOCK = 128  # sides are padded to a multiple of it, or each size would be compiled
_TOLD = ("pq", "sq", "rq", "ap", "ap50", "mean_precision", "aji", "count_error")


def main() -> int:
    parser = Parser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--config", metavar="FILE[:PRESET]")
    what.add_argument("--run", type=Path, metavar="DIR")
    try:
        flags, overrides = parse(parser, sys.argv[1:])
        if flags.run:
            limits(run.load_run(flags.run))
        else:
            ideal(flags.config, overrides)
    except Mistake as mistake:
        print(f"true_maps: {mistake}", file=sys.stderr)
        return 2
    return 0


def ideal(source: str, overrides: list[tuple[str, str]]) -> None:
    config = run.load_config(source, overrides)
    found, _ = data.settle(**run.options(config.data))
    config = run.with_found(config, found)
    wanted = run.options(config.data)
    info = data.make_info(**wanted)
    task = tasks.make_task(info=info, **run.options(config.task))
    splits = [data.open_split(split=split, **wanted) for split in data.SPLITS]
    rows = []
    for example in itertools.chain.from_iterable(map(_each, splits)):
        example = padded(example)
        maps = true_maps(task, example, is_thing(info))
        rows.append(jax.device_get(row_of(task, maps, example)))
    tell(task, rows, "all true")


def limits(trained) -> None:
    task = trained.task
    rows = data.open_split(split="test", **run.options(trained.config.data))
    heads = sorted(task.heads)
    choices = [(), *((head,) for head in heads)]
    choices += itertools.combinations(heads, len(heads) - 1)
    choices.append(tuple(heads))
    found: dict = {true: [] for true in choices}  # of one or two heads, some are twice
    for example in _each(rows):
        own = {
            name: _padded(np.asarray(values), 0)
            for name, values in trained.seen(example["image"])[0].items()
        }
        example = padded(example)
        ideals = true_maps(task, example, is_thing(trained.info))
        for true in found:
            maps = own | {head: ideals[head] for head in true}
            found[true].append(jax.device_get(row_of(task, maps, example)))
    for true, of_choice in found.items():
        tell(task, of_choice, f"true {', '.join(true) or 'none'}")


def is_thing(info) -> tuple[bool, ...]:
    return tuple(name in info.things for name in info.classes)


def _each(rows):
    return (rows[k] for k in range(len(rows)))


def padded(example: dict) -> dict:
    beyond = {"image": 0, "semantic": VOID, "instance": 0}
    return {word: _padded(example[word], value) for word, value in beyond.items()}


def _padded(values: np.ndarray, beyond: int) -> np.ndarray:
    sides = [(0, -n % _BLOCK) for n in values.shape[:2]]
    rest = [(0, 0)] * (values.ndim - 2)
    return np.pad(values, sides + rest, constant_values=beyond)


@functools.partial(jax.jit, static_argnums=0)
def _true_maps(heads, targets, classes):
    """What a network would say that knows the truth."""
    heads = dict(heads)
    maps = {"offset": targets["way"]} if "offset" in heads else {}
    if "center" in heads:
        heat = jnp.clip(targets["heat"], 1e-4, 1 - 1e-4)[..., None]
        maps["center"] = jnp.log(heat) - jnp.log1p(-heat) - RARE
    if "mask" in heads:
        maps["mask"] = jnp.where(classes[..., None] == 1, _SURE, -_SURE)
    else:
        maps["semantic"] = _SURE * jax.nn.one_hot(classes, heads["semantic"])
    return maps


def true_maps(task, example: dict, things: tuple[bool, ...]) -> dict:
    targets = _encode(task.encode, example)
    of_classes = targets.get("classes", targets)["labels"]
    # of what does not count, no object: a crowd would be given to the nearest
    count = task.heads.get("semantic", 2)
    none = count - 1 - things[::-1].index(False) if count == len(things) else 0
    counts = (example["semantic"] != VOID) & (example["instance"] >= 0)
    classes = jnp.where(counts, of_classes, none)
    return _true_maps(tuple(task.heads.items()), targets, classes)


@functools.partial(jax.jit, static_argnums=0)
def _encode(encode, example):
    return encode(example)


@functools.partial(jax.jit, static_argnums=0)
def _row_of(functions, maps, example):
    decode, count = functions
    return count(decode(maps), example)


def row_of(task, maps: dict, example: dict) -> dict:
    return _row_of((task.decode, task.count), maps, example)


def tell(task, rows: list[dict], what: str) -> None:
    stacked = {word: np.stack([row[word] for row in rows]) for word in rows[0]}
    scores = summarise(task.score, stacked)
    pooled = (f"{s} {scores[s]['pooled']:.4f}" for s in _TOLD if s in scores)
    print(f"{what:<28}{'  '.join(pooled)}  over {len(rows)} pictures", flush=True)
    if task.remark and (remark := task.remark(stacked)):
        print(f"{'':<28}{remark}")


if __name__ == "__main__":
    sys.exit(main())
