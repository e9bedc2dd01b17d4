"""Every picture of a data set tested once, by a training on all the other folds.

    python benchmarks/every_fold.py --config configs/unet.py:ph2 --out DIR \\
        [--config.steps=600] [--folds 0 1]

The launcher keeps one fold back to choose the checkpoint by. Here the steps are fixed
beforehand, the last state is the one that is tested, and so four folds of five are
learnt from: the way to the figure that a data set of few pictures can give. A fold's
rows are kept in DIR; one that is there is not trained again, and the scores that are
told are of all that are there. Processes that share DIR want different --folds.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import jax
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from segjax import data, parallel, run, step
from segjax.base import Mistake
from segjax.command._parse import Parser, parse
from segjax.ops.bootstrap import score_each, summarise


def main() -> int:
    parser = Parser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", required=True, metavar="FILE[:PRESET]")
    parser.add_argument("--out", required=True, type=Path, help="where rows are kept")
    parser.add_argument("--folds", type=int, nargs="+", choices=range(data.FOLDS))
    try:
        flags, overrides = parse(parser, sys.argv[1:])
        config = run.load_config(flags.config, overrides)
        test_folds(config, flags.out, flags.folds or range(data.FOLDS))
    except Mistake as mistake:
        print(f"every_fold: {mistake}", file=sys.stderr)
        return 2
    return 0


def test_folds(config, out: Path, folds) -> None:
    """What was not trained and tested yet, and the scores of all that now is."""
    if config.init or config.task.get("class_weights"):
        raise Mistake("init and task.class_weights are not for this; unset them.")
    found, _ = data.settle(**run.options(config.data))
    config = run.with_found(config, found)
    parts = run.build_parts(config)
    whole, fold_of = every_picture(run.options(config.data))
    check_folder(out, config)
    for fold in folds:
        if not rows_file(out, fold).exists():
            learnt, tested = sides(whole, fold_of, fold)
            began = time.monotonic()
            rows = trained(config, parts, learnt, tested)
            minutes = (time.monotonic() - began) / 60
            with run.whole(rows_file(out, fold)) as part, part.open("wb") as file:
                np.savez(file, **rows)
            of_fold = np.array(tested.labels)
            print(f"fold {fold}, {minutes:.1f} min: {told(parts, rows, of_fold)}")
    done = [k for k in range(data.FOLDS) if rows_file(out, k).exists()]
    each = [np.load(rows_file(out, k)) for k in done]
    rows = {word: np.concatenate([of[word] for of in each]) for word in each[0]}
    labels = np.array(whole.labels)[np.isin(fold_of, done)]
    print(f"folds {done}, {config.steps} steps each: {told(parts, rows, labels)}")


def every_picture(options: dict) -> tuple[data.Split, np.ndarray]:
    """All pictures, in the order of their folds, and the fold of each. A Mistake for
    data that folds do not divide whole, such as those that come with a test set."""
    each = range(data.FOLDS)
    folds = [data.load_split(**options | {"split": "test", "fold": k}) for k in each]
    names = sum((fold.names for fold in folds), ())
    splits = (options | {"split": split, "fold": 0} for split in data.SPLITS)
    pictures = sum(len(data.open_split(**of_split)) for of_split in splits)
    if not len(set(names)) == len(names) == pictures:
        raise Mistake(
            f"The data's {pictures} pictures are not dealt into {data.FOLDS} folds that"
            " are tested in turn; take data without splits of its own."
        )
    arrays = {
        word: np.concatenate([fold.arrays[word] for fold in folds])
        for word in folds[0].arrays
    }
    labels = sum((fold.labels for fold in folds), ())
    fold_of = np.repeat(each, [len(fold) for fold in folds])
    return data.Split(arrays, names, labels), fold_of


def check_folder(out: Path, config) -> None:
    """A Mistake where the rows that are there are of other settings."""
    settings = json.loads(json.dumps(run.plain(config)))
    run.check_place(out, "--out")
    out.mkdir(parents=True, exist_ok=True)
    if not (out / "config.json").exists():
        run.write_json(out / "config.json", settings)
    if json.loads((out / "config.json").read_text()) != settings:
        raise Mistake(f"{out} holds rows of other settings; give --out another folder.")


def sides(whole: data.Split, fold_of, fold: int) -> tuple[data.Part, data.Part]:
    """What is learnt from, and what is tested."""
    learnt, tested = (np.flatnonzero(at) for at in (fold_of != fold, fold_of == fold))
    return data.Part(whole, learnt), data.Part(whole, tested)


def trained(config, parts, learnt: data.Part, tested: data.Part):
    """The rows of the tested pictures after a training on the others."""
    size, seed, batch = config.data.size, config.seed, config.batch
    state = parallel.run_once(
        lambda: step.create_state(parts.model, parts.optimizer, seed, size)
    )
    state, store = parallel.replicate(state), parallel.replicate(learnt.source)
    train = parallel.train_on_devices(
        step.make_train_step(parts.model, parts.task, parts.optimizer, parts.augment)
    )
    indices = (
        data.make_batch(seed, k, batch, len(learnt)) for k in range(config.steps)
    )
    for k, one in enumerate(learnt.feed(indices), 1):
        state, metrics = train(state, store, parallel.share(one))
        if not jax.device_get(metrics["finite"]).all():
            raise Mistake(f"The numbers of step {k} went wrong; nothing is tested.")
        if k % 100 == 0:
            print(f"step {k} of {config.steps}", flush=True)
    return step.evaluate(
        parallel.evaluate_on_devices(step.make_eval_step(parts.model, parts.task)),
        step.evaluated_variables(state),
        store,
        tested,
        batch,
    )


def rows_file(out: Path, fold: int) -> Path:
    return out / f"fold{fold}.npz"


def told(parts, rows: dict[str, np.ndarray], labels: np.ndarray) -> str:
    """The deciding score over pictures, pooled, and of each label."""
    task = parts.task
    scores = summarise(task.score, rows, ranges=task.ranges)
    name, found = next(iter(scores.items()))
    each = score_each(task.score, rows)[name]
    kinds = ", ".join(
        f"{kind} {np.nanmean(each[labels == kind]):.4f} ({(labels == kind).sum()})"
        for kind in dict.fromkeys(labels)
        if kind
    )
    caution = f"\n{parts.info.caution}" if parts.info.caution else ""
    return (
        f"{name} {found['mean']:.4f} (95 % interval {found['low']:.4f} to"
        f" {found['high']:.4f}) a picture, {found['pooled']:.4f} pooled, over"
        f" {found['n']} tested pictures at training size; median"
        f" {np.nanmedian(each):.4f}, standard deviation {np.nanstd(each):.4f}, lowest"
        f" {np.nanmin(each):.4f}; {kinds}{caution}"
    )


if __name__ == "__main__":
    sys.exit(main())
