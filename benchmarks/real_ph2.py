"""A run scored on real nevi, beside what needs no network.

    python -m segjax prepare ph2 --from PH2Dataset
    python benchmarks/real_ph2.py runs/unet-ph2-fold0 [--data DIR]

A run that learnt from PH2 is scored on the fold that it did not see; one that learnt
from drawn nevi, on all pictures. Beside it, on the same pictures: Otsu's threshold (no
learning, the blue channel, inside a centred circle) and the mean mask of the pictures
that trained. Scores are taken at the pictures' own size.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent))
import segjax
from segjax import data
from segjax.base import Mistake
from segjax.ops.bootstrap import score_each, summarise

KINDS = ("typical nevus", "atypical nevus", "melanoma")
SIDE = 128  # of the mean mask


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", help="the folder of a trained run")
    parser.add_argument("--data", help="where ph2 was prepared to")
    flags = parser.parse_args()
    try:
        run = segjax.load_run(flags.run)
        learnt = run.config.data.name == "ph2"
        dir = flags.data or (run.config.data.get("dir") if learnt else None)
        where = {"dir": dir} if dir else {}
        fold = run.config.data.get("fold") or 0
        folds = [fold] if learnt else range(5)
        tests = [data.open_split("ph2", "test", fold=k, **where) for k in folds]
        mean = mean_mask(fold, where) if learnt else None
    except Mistake as mistake:
        print(f"real_ph2: {mistake}", file=sys.stderr)
        return 2
    methods = {
        "network": lambda image: run.predict([image])[0]["semantic"],
        "otsu": otsu_mask,
    }
    if mean is not None:
        methods["mean mask"] = lambda image: resized(mean, image.shape[:2])
    examples = [rows[i] for rows in tests for i in range(len(rows))]
    rows = {name: counted(run, find, examples) for name, find in methods.items()}
    print(f"{len(examples)} pictures of PH2, at their own size; run of step {run.step}")
    report(run, examples, rows)
    return 0


def counted(run, find, examples) -> dict[str, np.ndarray]:
    rows = [
        run.task.count({"semantic": find(example["image"])}, example)["confusion"]
        for example in examples
    ]
    return {"confusion": np.stack(rows)}


def mean_mask(fold: int, where: dict) -> np.ndarray:
    """Where most training masks are, at the threshold that serves training best.

    bool[128,128]
    """
    train = data.load_split("ph2", "train", size=SIDE, fold=fold, **where)
    masks = train.arrays["semantic"] == 1
    share = masks.mean(0)

    def dice(level: float) -> float:
        mask = share > level
        both = (masks & mask).sum((1, 2))
        return float((2 * both / (masks.sum((1, 2)) + mask.sum())).mean())

    return share > max(np.linspace(0.05, 0.95, 19), key=dice)


def resized(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    image = Image.fromarray(mask.astype(np.uint8))
    return np.asarray(image.resize(size[::-1], Image.Resampling.NEAREST))


def otsu_mask(image: np.ndarray) -> np.ndarray:
    """What is darker in blue than Otsu's threshold, inside a centred circle a tenth
    larger than the frame is high: of seven circles tried on 100 of the pictures the
    one that served Otsu best. u8[h,w,3] -> u8[h,w]"""
    h, w = image.shape[:2]
    y, x = np.mgrid[:h, :w]
    circle = np.hypot(y - (h - 1) / 2, x - (w - 1) / 2) <= 0.55 * h
    blue = image[..., 2]
    threshold = otsu_threshold(blue[circle])
    return ((blue <= threshold) & circle).astype(np.uint8)


def otsu_threshold(values: np.ndarray) -> int:
    """The level that parts the values into the two tightest groups. u8[n]"""
    share = np.bincount(values, minlength=256) / len(values)
    below, level_sum = np.cumsum(share), np.cumsum(share * np.arange(256))
    apart = (level_sum[-1] * below - level_sum) ** 2
    spread = below * (1 - below)
    between = np.divide(apart, spread, out=np.zeros(256), where=spread > 1e-9)
    return int(between.argmax())


def report(run, examples: list[dict], rows: dict[str, dict[str, np.ndarray]]) -> None:
    kinds = np.array([example["label"] for example in examples])
    for method, counts in rows.items():
        found = summarise(run.task.score, counts)["dice"]
        each = score_each(run.task.score, counts)["dice"]
        print(
            f"{method:<10}Dice {found['mean']:.4f} (95 % interval {found['low']:.4f} to"
            f" {found['high']:.4f}) a picture, sd {each.std():.3f}, median"
            f" {np.median(each):.4f}, {found['pooled']:.4f} pooled"
        )
        for kind in KINDS:
            few = each[kinds == kind]
            print(f"    {kind:<15}{few.mean():.4f} over {len(few)}")
        if method == "network":
            worst = np.argsort(each)[:5]
            told = ", ".join(f"{examples[i]['name']} {each[i]:.2f}" for i in worst)
            print(f"    worst: {told}")


if __name__ == "__main__":
    sys.exit(main())
