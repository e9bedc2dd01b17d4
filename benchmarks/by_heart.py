"""Some pictures learnt by heart: whether a task and a network can hold them at all.

    python benchmarks/by_heart.py --config configs/instance.py:people \\
        --config.data.dir=DIR [--config.steps=400] [--pictures 4]

The first training pictures, fitted as the config says (of a canvas the middle window),
every one of them in every step, unchanged; and scored on the same.
"""

import argparse
import functools
import sys
import time
from pathlib import Path

import jax
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from segjax import data, parallel, run, step
from segjax.base import Mistake
from segjax.command._parse import Parser, parse
from segjax.ops.bootstrap import summarise

LOOKS = 5  # at the scores on the way


def main() -> int:
    parser = Parser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", required=True, metavar="FILE[:PRESET]")
    parser.add_argument("--pictures", type=int, default=4)
    try:
        flags, overrides = parse(parser, sys.argv[1:])
        learn(flags.config, [("steps", "400"), *overrides], flags.pictures)
    except Mistake as mistake:
        print(f"by_heart: {mistake}", file=sys.stderr)
        return 2
    return 0


def learn(source: str, overrides: list[tuple[str, str]], pictures: int) -> None:
    sizes = ("batch", str(pictures)), ("optim.accumulate", "1")
    config = run.load_config(source, [*overrides, *sizes])
    found, _ = data.settle(**run.options(config.data))
    config = run.with_found(config, found)
    parts = run.build_parts(config)
    whole = first_pictures(config, pictures)
    pictures = len(whole["image"])
    create = functools.partial(
        step.create_state, parts.model, parts.optimizer, size=config.data.size
    )
    state = parallel.compiled_quickly(create)(np.uint32(config.seed))
    state, store = parallel.replicate(state), parallel.replicate(whole)
    batch = {"index": np.arange(pictures), "position": np.arange(pictures)}
    train = parallel.train_on_devices(
        step.make_train_step(parts.model, parts.task, parts.optimizer, unchanged)
    )
    score = parallel.evaluate_on_devices(step.make_eval_step(parts.model, parts.task))
    began = time.perf_counter()
    for k in range(1, config.steps + 1):
        state, _ = train(state, store, parallel.share(batch))
        if k % max(1, config.steps // LOOKS) == 0 or k == config.steps:
            variables = step.evaluated_variables(state)
            rows = jax.device_get(score(variables, store, parallel.share(batch)))
            rows = {word: array[0] for word, array in rows.items()}
            told = summarise(parts.task.score, rows)
            means = (f"{s} {v['mean']:.3f}" for s, v in told.items() if "/" not in s)
            seconds = time.perf_counter() - began
            print(f"step {k}, {seconds:.0f} s: {'  '.join(means)}", flush=True)
    print(f"Learnt by heart: {pictures} pictures, {config.data.size} pixels wide.")


def first_pictures(config, pictures: int) -> dict[str, np.ndarray]:
    options = run.options(config.data)
    loading, people = data.Loading.of(options), data.make_info(**options).people
    rows = data.open_split(split="train", **options)
    taken = range(min(pictures, len(rows)))
    fitted = [
        data.fit_to_size(rows[k], loading.side, loading.fit, people) for k in taken
    ]
    shown = [middle(example, loading.side, loading.size) for example in fitted]
    return {word: np.stack([example[word] for example in shown]) for word in shown[0]}


def middle(example: dict, side: int, size: int) -> dict:
    """The window in the middle of a canvas."""
    edge = (side - size) // 2
    window = slice(edge, edge + size)
    maps = ("image", "semantic", "instance")
    shown = {w: v[window, window] if w in maps else v for w, v in example.items()}
    if "keypoints" in shown:
        shown["keypoints"] = shown["keypoints"] - np.float32([edge, edge, 0])
    return shown


def unchanged(key, example):
    return example


if __name__ == "__main__":
    sys.exit(main())
