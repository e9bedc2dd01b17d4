"""The lesson's own exercise: its small SegNet, and a U-Net of its size, on PH2.

    python -m segjax prepare ph2 --from PH2Dataset
    python benchmarks/lesson.py [--data DIR]

256x256, 30 epochs, 90 % of the pictures to learn from and 10 % to test on, binary
cross-entropy, no augmentation. Its course reports a test cross-entropy of .577 (SegNet)
and .572 (U-Net): its networks end in a sigmoid, and its loss applies another. So each
network is trained both ways here, and both figures are taken: the lesson's (of a
sigmoid of a sigmoid) and the plain one (of the probability).
"""

import argparse
import sys
import time
from pathlib import Path

import jax
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from segjax import data, models, optim, parallel, step, tasks
from segjax.base import Mistake
from segjax.data import Split
from segjax.ops.augment import augment
from segjax.ops.bootstrap import summarise

NETWORKS = {"SegNet of the lesson": "lesson", "U-Net of its size": "unet"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="where ph2 was prepared to")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    flags = parser.parse_args()
    try:
        train, test = nine_to_one(every_picture(flags.data, flags.size), flags.seed)
    except Mistake as mistake:
        print(f"lesson: {mistake}", file=sys.stderr)
        return 2
    share = float((test.arrays["semantic"] == 1).mean())
    floor = -share * np.log(sigmoid(1.0)) - (1 - share) * np.log(sigmoid(0.0))
    print(
        f"PH2, {len(train)} pictures to learn from, {len(test)} to test on,"
        f" {flags.size}x{flags.size}, {flags.epochs} epochs, seed {flags.seed}; a"
        f" perfect mask scores {floor:.3f} by the lesson's loss"
    )
    for title, name in NETWORKS.items():
        for twice in (True, False):
            print(f"{title}: {trained(name, twice, train, test, flags)}", flush=True)
    return 0


def every_picture(dir: str | None, size: int) -> Split:
    """All pictures of PH2, of all folds."""
    folds = [
        data.load_split("ph2", "test", size=size, dir=dir, fold=k)
        if dir
        else data.load_split("ph2", "test", size=size, fold=k)
        for k in range(5)
    ]
    arrays = {
        word: np.concatenate([fold.arrays[word] for fold in folds])
        for word in folds[0].arrays
    }
    names = sum((fold.names for fold in folds), ())
    return Split(arrays, names, sum((fold.labels for fold in folds), ()))


def nine_to_one(split: Split, seed: int) -> tuple[Split, Split]:
    """Nine tenths and one tenth, at random."""
    order = np.random.default_rng(seed).permutation(len(split))
    tenth = len(split) // 10

    def part(places):
        arrays = {word: array[places] for word, array in split.arrays.items()}
        names = (tuple(np.array(named)[places]) for named in split[1:])
        return Split(arrays, *names)

    return part(order[tenth:]), part(order[:tenth])


def trained(name: str, twice: bool, train: Split, test: Split, flags) -> str:
    """A network trained and tested: the line that says what came of it."""
    started = time.monotonic()
    task = tasks.make_task("semantic", data.make_info("ph2"))
    learnt = task._replace(loss=through_sigmoid(task.loss)) if twice else task
    steps = flags.epochs * len(train) // flags.batch
    model = models.build(name, task.heads, width=16, axis_name=parallel.AXIS)
    optimizer = optim.make_optimizer(
        steps, learning_rate=1e-3, schedule="constant", weight_decay=0.0, ema=0.0
    )
    state = parallel.run_once(
        lambda: step.create_state(model, optimizer, flags.seed, flags.size)
    )
    state = parallel.replicate(state)
    step_fn = parallel.train_on_devices(
        step.make_train_step(model, learnt, optimizer, plain)
    )
    store = parallel.replicate(train.source)
    for k in range(steps):
        batch = data.make_batch(flags.seed, k, flags.batch, len(train))
        state, metrics = step_fn(state, store, parallel.share(batch))
        jax.block_until_ready(metrics)
    found = {
        way: step.evaluate(
            parallel.evaluate_on_devices(step.make_eval_step(model, of_way)),
            step.evaluated_variables(state),
            parallel.replicate(test.source),
            test,
            min(flags.batch, len(test)),
        )
        for way, of_way in (
            ("plain", task),
            ("lesson", task._replace(loss=through_sigmoid(task.loss))),
        )
    }
    dice = summarise(task.score, found["plain"])["dice"]
    return (
        f"trained with {'two sigmoids, as the lesson' if twice else 'one sigmoid'}:"
        f" test cross-entropy {step.mean_loss(found['lesson']):.3f} as the lesson"
        f" measures it, {step.mean_loss(found['plain']):.3f} plain; Dice"
        f" {dice['mean']:.3f} ({dice['low']:.3f} to {dice['high']:.3f}) a picture,"
        f" {dice['pooled']:.3f} pooled; {steps} steps,"
        f" {(time.monotonic() - started) / 60:.1f} min"
    )


def plain(key, example):
    """No change but the type."""
    return augment(key, example, flip=False)


def through_sigmoid(loss):
    """The loss of probabilities that a second sigmoid is applied to."""

    def of_probability(outputs, targets):
        return loss({"mask": jax.nn.sigmoid(outputs["mask"])}, targets)

    return of_probability


def sigmoid(x: float) -> float:
    return 1 / (1 + np.exp(-x))


if __name__ == "__main__":
    sys.exit(main())
