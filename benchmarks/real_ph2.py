"""A run scored on real nevi, beside what needs no network.

    python benchmarks/real_ph2.py --from PH2Dataset runs/unet

PH2 is read as its owners hand it out: nothing need be prepared. A run that learnt from
PH2 is scored on the fold that it did not see; one that learnt from drawn nevi on all
pictures, or a part of them. Beside it, on the same pictures: Otsu's threshold (no
learning, the blue channel, inside a centred circle) and, where PH2 trained, the mean
mask of the pictures that did. Scores are taken at the pictures' own size.
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
from segjax.data._folds import fold_of_split
from segjax.data._intake import Files, decode_picture, open_files
from segjax.data._records.scan import Record, foreground, look_through
from segjax.data.ph2 import KINDS, scan
from segjax.ops.bootstrap import score_each, summarise

SIDE = 128  # of the mean mask


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", help="the folder of a trained run")
    parser.add_argument("--from", dest="folder", required=True, help="PH2Dataset")
    parser.add_argument(
        "--part",
        choices=("all", "tune", "held"),
        default="all",
        help="of a run on drawn nevi: two thirds (tune) or one third (held) of each"
        " kind, by order of name",
    )
    flags = parser.parse_args()
    try:
        run = segjax.load_run(flags.run)
        files = open_files(flags.folder)
        checked, _ = look_through(scan, files)
    except Mistake as mistake:
        print(f"real_ph2: {mistake}", file=sys.stderr)
        return 2
    for problem in checked.problems:
        print(f"left out: {problem}", file=sys.stderr)
    methods = {
        "network": lambda image: run.predict([image])[0]["semantic"],
        "otsu": otsu_mask,
    }
    if run.config.data.name == "ph2":
        fold = run.config.data.get("fold") or 0
        chosen = of_split("test", fold, checked.records)
        mean = mean_mask(files, of_split("train", fold, checked.records))
        methods["mean mask"] = lambda image: resized(mean, image.shape[:2])
    else:
        chosen = of_part(flags.part, checked.records)
    examples = [read(files, record) for record in chosen]
    rows = {name: counted(run, find, examples) for name, find in methods.items()}
    print(f"{len(examples)} pictures of PH2, at their own size; run of step {run.step}")
    report(run, examples, rows)
    return 0


def of_split(split: str, fold: int, records: list[Record]) -> list[Record]:
    """The pictures that are a split's when this fold is tested."""
    folds = [f"fold{k}" for k in fold_of_split(split, fold)]
    return [record for record in records if record.split in folds]


def of_part(part: str, records: list[Record]) -> list[Record]:
    """All pictures; or of each kind every third (held), or the others (tune)."""
    chosen = []
    for kind in KINDS:
        of_kind = sorted(r for r in records if r.fields["label"] == kind)
        chosen += [
            record
            for place, record in enumerate(of_kind)
            if part == "all" or (part == "held") == (place % 3 == 2)
        ]
    return chosen


def read(files: Files, record: Record) -> dict:
    """A picture and its mask, at their own size."""
    image = decode_picture(files.read(record.image), record.image)
    named = {"name": record.name, "label": record.fields["label"]}
    return {"image": image, "semantic": foreground(files, record), **named}


def counted(run, find, examples) -> dict[str, np.ndarray]:
    rows = [
        run.task.count({"semantic": find(example["image"])}, example)["confusion"]
        for example in examples
    ]
    return {"confusion": np.stack(rows)}


def mean_mask(files: Files, records: list[Record]) -> np.ndarray:
    """Where most training masks are, at the threshold that serves training best.

    bool[128,128]
    """
    fitted = [data.fit_to_size(read(files, record), SIDE) for record in records]
    masks = np.stack([example["semantic"] for example in fitted]) == 1
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
