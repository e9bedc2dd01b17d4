"""Every picture of a data set tested once, by a training on all the other folds.

    python benchmarks/every_fold.py --config configs/unet.py:ph2 --out DIR \\
        [--config.steps=600] [--folds 0 1]

The launcher keeps one fold back to choose the checkpoint by. Here the steps are fixed
beforehand, the last state is the one that is tested, and so four folds of five are
learnt from: the way to the figure that a data set of few pictures can give. A fold's
rows are kept in DIR; one that is there is not trained again, so several processes can
share the work, and the one that comes last tells the score of all that are done.
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
from segjax.data._folds import FOLDS
from segjax.data._split import Part, Split
from segjax.ops.bootstrap import summarise


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", required=True, metavar="FILE[:PRESET]")
    parser.add_argument("--out", required=True, type=Path, help="where rows are kept")
    parser.add_argument("--folds", type=int, nargs="+", choices=range(FOLDS))
    flags, rest = parser.parse_known_args()
    try:
        config = run.load_config(flags.config, [_override(word) for word in rest])
        found, _ = data.settle(**run.options(config.data))
        config = run.with_found(config, found)
        parts = run.build_parts(config)
        check_folder(flags.out, config)
        whole, fold_of = every_picture(config)
    except Mistake as mistake:
        print(f"every_fold: {mistake}", file=sys.stderr)
        return 2
    for fold in flags.folds or range(FOLDS):
        if not kept(flags.out, fold).exists():
            rows, minutes = trained(config, parts, whole, fold_of, fold)
            save(kept(flags.out, fold), rows)
            print(f"fold {fold}, {minutes:.1f} min: {told(parts.task, [rows])}")
    done = [k for k in range(FOLDS) if kept(flags.out, k).exists()]
    rows = [dict(np.load(kept(flags.out, k))) for k in done]
    print(f"folds {done}, {config.steps} steps each: {told(parts.task, rows)}")
    return 0


def _override(word: str) -> tuple[str, str]:
    name, _, value = word.removeprefix("--config.").partition("=")
    return name, value


def check_folder(out: Path, config) -> None:
    """A Mistake where the rows that are there are of other settings."""
    settings = json.dumps(run.plain(config), indent=1, sort_keys=True)
    out.mkdir(parents=True, exist_ok=True)
    kept = out / "config.json"
    if kept.exists() and kept.read_text() != settings:
        raise Mistake(f"{out} holds rows of other settings; give another --out.")
    kept.write_text(settings)


def every_picture(config) -> tuple[Split, np.ndarray]:
    """All pictures, and the fold of each."""
    options = run.options(config.data) | {"fold": 0}
    folds = [
        data.load_split(split="test", **options | {"fold": k}) for k in range(FOLDS)
    ]
    arrays = {
        word: np.concatenate([fold.arrays[word] for fold in folds])
        for word in folds[0].arrays
    }
    names = sum((fold.names for fold in folds), ())
    labels = sum((fold.labels for fold in folds), ())
    sizes = [len(fold) for fold in folds]
    return Split(arrays, names, labels), np.repeat(np.arange(FOLDS), sizes)


def trained(config, parts, whole: Split, fold_of, fold: int):
    """The rows of a fold's pictures after a training on all others, and the minutes."""
    began = time.monotonic()
    learnt, tested = (Part(whole, np.flatnonzero(at)) for at in _sides(fold_of, fold))
    size, seed, batch = config.data.size, config.seed, config.batch
    state = parallel.run_once(
        lambda: step.create_state(parts.model, parts.optimizer, seed, size)
    )
    state, store = parallel.replicate(state), parallel.replicate(whole.source)
    train = parallel.train_on_devices(
        step.make_train_step(parts.model, parts.task, parts.optimizer, parts.augment)
    )
    indices = (
        data.make_batch(seed, k, batch, len(learnt)) for k in range(config.steps)
    )
    for k, one in enumerate(learnt.feed(indices), 1):
        state, metrics = train(state, store, parallel.share(one))
        jax.block_until_ready(metrics)
        if k % 100 == 0:
            print(f"fold {fold}: step {k} of {config.steps}", flush=True)
    rows = step.evaluate(
        parallel.evaluate_on_devices(step.make_eval_step(parts.model, parts.task)),
        step.evaluated_variables(state),
        store,
        tested,
        min(batch, len(tested)),
    )
    return rows, (time.monotonic() - began) / 60


def _sides(fold_of: np.ndarray, fold: int) -> tuple[np.ndarray, np.ndarray]:
    return fold_of != fold, fold_of == fold


def kept(out: Path, fold: int) -> Path:
    return out / f"fold{fold}.npz"


def save(path: Path, rows: dict[str, np.ndarray]) -> None:
    """Whole or not at all."""
    with (path.with_suffix(".part")).open("wb") as file:
        np.savez(file, **rows)
    path.with_suffix(".part").replace(path)


def told(task, rows: list[dict[str, np.ndarray]]) -> str:
    """The deciding score over pictures and pooled."""
    joined = {word: np.concatenate([of[word] for of in rows]) for word in rows[0]}
    scores = summarise(task.score, joined)
    name, found = next(iter(scores.items()))
    pictures = len(next(iter(joined.values())))
    return (
        f"{name} {found['mean']:.4f} (95 % interval {found['low']:.4f} to"
        f" {found['high']:.4f}) a picture, {found['pooled']:.4f} pooled, over"
        f" {pictures} pictures at training size"
    )


if __name__ == "__main__":
    sys.exit(main())
