"""How often a 95 % interval holds the true mean, and a paired test cries wolf.

    python benchmarks/coverage.py
    python benchmarks/coverage.py --rows runs/unet-ph2-fold0/rows.csv

Simulated: populations whose mean is known are drawn from again and again. --rows: a
run's scores are such a population, too.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from segjax import run
from segjax.base import Mistake
from segjax.ops.bootstrap import interval, paired

SIZES = (5, 15, 30, 100)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--rows", help="a rows.csv whose scores are drawn from, too")
    parser.add_argument("--score", default="dice")
    flags = parser.parse_args()
    rng = np.random.default_rng(0)
    people = {
        "normal": rng.normal(0.9, 0.03, 100_000),
        "skewed (beta 20, 1.5)": rng.beta(20, 1.5, 100_000),
        "one of 20 fails": np.where(
            rng.random(100_000) < 0.05,
            rng.uniform(0.2, 0.7, 100_000),
            rng.beta(60, 3, 100_000),
        ),
    }
    try:
        if flags.rows:
            path = Path(flags.rows)
            scores = run.numbers_of(run.read_rows(path)[flags.score], path)
            people[f"{path}"] = scores[np.isfinite(scores)]
    except (Mistake, KeyError) as problem:
        print(f"coverage: {problem}", file=sys.stderr)
        return 2
    print(f"{flags.draws} draws each; below: the share of intervals that lie too low")
    print(
        f"{'population':<28}{'pictures':>9}{'held':>8}{'below':>8}{'percentiles':>13}"
    )
    for name, of in people.items():
        for size in SIZES:
            print(f"{name:<28}{size:>9}{held(of, size, flags.draws, rng)}", flush=True)
    print(f"\n{'paired test, no difference':<28}{'pictures':>9}{'p < .05':>9}")
    for name, of in people.items():
        for size in SIZES:
            share = wolves(of, size, flags.draws, rng)
            print(f"{name:<28}{size:>9}{share:>9.3f}", flush=True)
    return 0


def held(of: np.ndarray, size: int, draws: int, rng) -> str:
    """How often our interval, and one by plain percentiles, holds the mean."""
    true, ours, below, plain = of.mean(), 0, 0, 0
    for k in range(draws):
        values = rng.choice(of, size)
        low, high = interval(values, np.ones(size), seed=k)
        ours, below = ours + (low <= true <= high), below + (high < true)
        means = values[rng.integers(0, size, (1000, size))].mean(1)
        low, high = np.percentile(means, [2.5, 97.5])
        plain += low <= true <= high
    return f"{ours / draws:>8.3f}{below / draws:>8.3f}{plain / draws:>13.3f}"


def wolves(of: np.ndarray, size: int, draws: int, rng) -> float:
    """How often two methods that err alike, though on other pictures, are told apart:
    a picture's difficulty is common, and each errs by half of another's."""
    cries = 0
    for k in range(draws):
        common, one, other = (rng.choice(of, size) for _ in range(3))
        cries += paired(common + one / 2, common + other / 2, seed=k).p < 0.05
    return cries / draws


if __name__ == "__main__":
    sys.exit(main())
