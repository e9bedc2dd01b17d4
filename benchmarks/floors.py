"""What knowing nothing scores: the figures that a network must leave behind.

    python benchmarks/floors.py --config configs/unet.py

On the test split of the config: every pixel foreground, none, and the mean mask of the
training pictures at the threshold that serves the training pictures best.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from segjax import data, run, tasks
from segjax.base import Mistake
from segjax.ops.bootstrap import summarise


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, metavar="FILE[:PRESET]")
    try:
        config = run.load_config(parser.parse_args().config)
        info = data.make_info(**run.options(config.data))
        task = tasks.make_task(info=info, **run.options(config.task))
        train, test = (
            data.load_split(split=split, **run.options(config.data)).arrays["semantic"]
            for split in ("train", "test")
        )
    except Mistake as mistake:
        print(f"floors: {mistake}", file=sys.stderr)
        return 2
    mean = (train == 1).mean(0)
    levels = np.linspace(0.05, 0.95, 19)
    best = max(levels, key=lambda t: score(task, train, mean > t)["dice"]["mean"])
    print(f"{len(test)} test pictures, {test.shape[1]}x{test.shape[2]}")
    for name, mask in (
        ("all foreground", np.ones_like(mean)),
        ("all background", np.zeros_like(mean)),
        (f"mean mask > {best:.2f}", mean > best),
    ):
        scores = score(task, test, mask)
        told = "  ".join(
            f"{s} {scores[s]['mean']:.4f} ({scores[s]['pooled']:.4f} pooled)"
            for s in ("dice", "iou", "accuracy")
        )
        print(f"{name:<18}{told}")
    return 0


def score(task, truth: np.ndarray, mask: np.ndarray) -> dict:
    """The scores of one mask given for every picture. u8[n,h,w], bool[h,w]"""
    prediction = {"semantic": mask.astype(np.uint8)}
    rows = [
        np.asarray(task.count(prediction, {"semantic": t})["confusion"]) for t in truth
    ]
    return summarise(task.score, {"confusion": np.stack(rows)})


if __name__ == "__main__":
    sys.exit(main())
