"""Every score of a mask beside one written down anew, with SciPy for the distances.

    python benchmarks/scores.py [--masks 200]

Random pairs of masks (blobs, dust, bands, discs, of many sizes, some with void) and the
corner cases; the largest difference of each score is told. Exit code 1 if one is above
1e-9.
"""

import argparse
import itertools
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from segjax.base import VOID, Info
from segjax.tasks import make_task

INFO = Info(("skin", "nevus"), provides=("image", "semantic"))
TOLERANCE = 2.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--masks", type=int, default=200)
    flags = parser.parse_args()
    task, rng = make_task("semantic", INFO), np.random.default_rng(0)
    pairs = [random_pair(rng) for _ in range(flags.masks)]
    corners = [*corner_pairs()]
    worst: dict[str, float] = {}
    undefined: dict[str, int] = {}
    for truth, called in pairs + corners:
        chance = np.where(called == 1, rng.uniform(0.5, 1, called.shape), 0.2)
        probability = np.stack([1 - chance, chance], -1).astype(np.float32)
        prediction = {"semantic": called, "probability": probability}
        row = task.measure(prediction, {"semantic": truth}, TOLERANCE)
        ours = task.score({word: value[None] for word, value in row.items()})
        theirs = written_down(truth, called, probability)
        if ours.keys() != theirs.keys():
            print(f"scores: {ours.keys() ^ theirs.keys()} are not checked")
            return 1
        for name, value in theirs.items():
            same = np.isnan(value) and np.isnan(ours[name])
            undefined[name] = undefined.get(name, 0) + same
            gap = 0.0 if same else abs(ours[name] - value)
            worst[name] = max(worst.get(name, 0.0), np.inf if np.isnan(gap) else gap)
    print(f"{len(pairs)} random pairs of masks and {len(corners)} corner cases")
    for name, gap in worst.items():
        print(
            f"{name:<14} largest difference {gap:.1e}, rightly undefined on"
            f" {undefined[name]}"
        )
    return int(max(worst.values()) > 1e-9)


def random_pair(rng) -> tuple[np.ndarray, np.ndarray]:
    h, w = rng.integers(1, 90, 2)
    made = []
    for _ in range(2):
        kind, noise = rng.integers(4), rng.random((h, w))
        if kind == 0:  # blobs
            noise = ndimage.gaussian_filter(noise, rng.uniform(0.5, 6))
            mask = noise > np.quantile(noise, rng.random())
        elif kind == 1:  # dust
            mask = noise < 0.02
        elif kind == 2:  # a band
            mask = np.abs(np.arange(h) - rng.uniform(0, h))[:, None] < noise * 5
        else:  # a disc, often beyond the border
            (y, x), r = rng.uniform(0, 1, 2) * (h, w), rng.uniform(1, 40)
            mask = np.hypot(np.arange(h)[:, None] - y, np.arange(w) - x) < r
        made.append(mask.astype(np.uint8))
    truth, called = made
    if rng.random() < 0.3:
        truth = np.where(rng.random((h, w)) < 0.1, VOID, truth).astype(np.uint8)
    return truth, called


def corner_pairs():
    for shape in ((9, 13), (1, 1), (1, 12)):
        empty, full = np.zeros(shape, np.uint8), np.ones(shape, np.uint8)
        one, border = empty.copy(), empty.copy()
        one[-1, 0] = border[0] = border[-1] = 1
        yield from itertools.product((empty, full, one, border), repeat=2)
    yield np.full((5, 5), VOID, np.uint8), np.ones((5, 5), np.uint8)


def written_down(truth, called, probability) -> dict[str, float]:
    """From the definitions, pixel by pixel or with SciPy; nothing of segjax."""
    counts = truth != VOID
    t, c = (truth == 1) & counts, (called == 1) & counts
    if not counts.any():
        names = "dice iou miou accuracy sensitivity specificity hd95 asd surface_dice"
        names += " boundary_iou ece isic_jaccard course_iou"
        return dict.fromkeys(names.split(), np.nan)
    both, either = (t & c).sum(), (t | c).sum()
    iou = both / either if either else 1.0
    rest, rest_either = (counts & ~t & ~c).sum(), (counts & ~(t & c)).sum()
    ious = [v / n for v, n in ((both, either), (rest, rest_either)) if n]
    steps = [0.5 + 0.05 * k for k in range(10)]
    return {
        "dice": 2 * both / (t.sum() + c.sum()) if either else 1.0,
        "iou": iou,
        "miou": np.mean(ious),
        "accuracy": (t == c)[counts].mean(),
        "sensitivity": both / t.sum() if t.any() else np.nan,
        "specificity": rest / (counts & ~t).sum() if (counts & ~t).any() else np.nan,
        **of_surfaces(t, c),
        "ece": calibration_error(probability[..., 1][counts], t[counts]),
        "isic_jaccard": iou if iou >= 0.65 else 0.0,
        "course_iou": sum(iou > step + 1e-12 for step in steps) / 10,
    }


def of_surfaces(t, c) -> dict[str, float]:
    if not t.any() and not c.any():
        return {"hd95": 0.0, "asd": 0.0, "surface_dice": 1.0, "boundary_iou": 1.0}
    if not t.any() or not c.any():
        far = float(np.hypot(*t.shape))
        return {"hd95": far, "asd": far, "surface_dice": 0.0, "boundary_iou": 0.0}
    surfaces = [m & ~ndimage.binary_erosion(m) for m in (t, c)]
    to = [ndimage.distance_transform_edt(~s) for s in surfaces]
    gaps = [to[1][surfaces[0]], to[0][surfaces[1]]]
    every = np.concatenate(gaps)
    width = max(1, round(0.02 * float(np.hypot(*t.shape))))
    inside = [ndimage.distance_transform_edt(np.pad(m, 1))[1:-1, 1:-1] for m in (t, c)]
    bands = [(d > 0) & (d <= width) for d in inside]
    return {
        "hd95": float(max(np.percentile(g, 95) for g in gaps)),
        "asd": float(every.mean()),
        "surface_dice": float((every <= TOLERANCE).mean()),
        "boundary_iou": (bands[0] & bands[1]).sum() / (bands[0] | bands[1]).sum(),
    }


def calibration_error(confidence, right) -> float:
    total = 0.0
    for k in range(15):
        inside = np.minimum(np.floor(confidence * np.float32(15)), 14) == k
        if inside.any():
            gap = confidence[inside].astype(np.float64).mean() - right[inside].mean()
            total += inside.sum() * abs(gap)
    return total / len(right)


if __name__ == "__main__":
    sys.exit(main())
