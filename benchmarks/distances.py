"""Distances between masks: ours beside SciPy's, the same masks, the same run.

    python benchmarks/distances.py
    python benchmarks/distances.py --from PH2Dataset   # real masks

Each mask is set against the next one of its size, where there is one. Ours and SciPy's
take turns; the medians over the rounds are compared, the largest difference is told.
"""

import argparse
import itertools
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from segjax.ops.distance import surface_distances
from segjax.tasks._measure import _cut_out


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="source", help="a folder that PH2 lies in")
    parser.add_argument("--rounds", type=int, default=3)
    flags = parser.parse_args()
    masks = real(Path(flags.source)) if flags.source else drawn(50)
    if len(masks) < 2:
        print(f"distances: no *_lesion.bmp below {flags.source}", file=sys.stderr)
        return 2
    pairs = []
    for _, alike in itertools.groupby(sorted(masks, key=np.shape), key=np.shape):
        first, *others = alike
        pairs += itertools.pairwise([first, *others, first]) if others else []
    if not pairs:
        print("distances: no two masks have the same size", file=sys.stderr)
        return 2
    sizes = f"{len({a.shape for a, _ in pairs})} sizes such as {pairs[0][0].shape}"
    print(f"{len(pairs)} pairs of {len(masks)} masks, {sizes}")
    took: dict[str, list[float]] = {"ours": [], "scipy": []}
    start = time.perf_counter()
    ours(pairs)
    print(f"first round, which compiles: {time.perf_counter() - start:.2f} s")
    for _ in range(flags.rounds):
        for name, method in (("ours", ours), ("scipy", by_scipy)):
            start = time.perf_counter()
            found = method(pairs)
            took[name].append(time.perf_counter() - start)
            if name == "ours":
                kept = found
    worst = max(abs(a - b).max() for a, b in zip(kept, found))
    a, b = (statistics.median(t) for t in took.values())
    print(f"ours {a:.2f} s, SciPy {b:.2f} s (medians of {flags.rounds}); {a / b:.2f} x")
    print(f"largest difference of a distance: {worst:.1e} pixels")
    return 0


def ours(pairs) -> list[np.ndarray]:
    found = []
    for pair in pairs:
        found.append(np.sqrt(np.concatenate(surface_distances(*_cut_out(*pair)))))
    return found


def by_scipy(pairs) -> list[np.ndarray]:
    """As one writes it: what erosion takes away, and a transform of the whole."""
    found = []
    for pair in pairs:
        a, b = (m & ~ndimage.binary_erosion(m) for m in pair)
        gaps = [
            ndimage.distance_transform_edt(~b)[a],
            ndimage.distance_transform_edt(~a)[b],
        ]
        found.append(np.concatenate(gaps))
    return found


def real(folder: Path) -> list[np.ndarray]:
    paths = sorted(folder.rglob("*_lesion.bmp"))
    return [np.asarray(Image.open(p).convert("L")) > 127 for p in paths]


def drawn(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:576, :768]
    masks = []
    for _ in range(count):
        y, x, a, b = rng.uniform((230, 330, 60, 60), (340, 430, 220, 300))
        masks.append(((rows - y) / a) ** 2 + ((columns - x) / b) ** 2 < 1)
    return masks


if __name__ == "__main__":
    sys.exit(main())
