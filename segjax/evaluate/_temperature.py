"""The temperature that makes a network's probabilities mean what they say."""

import jax
import numpy as np

from segjax import data, run
from segjax.base import Mistake, Rows
from segjax.ops.calibration import INVERSE, best_temperature, surprise
from segjax.run import options


def fit_temperature(of: run.Run, pictures: Rows) -> float:
    """Of least cross-entropy over all pixels of the pictures, at training size."""
    how = data.Loading.of(options(of.config.data))
    total = np.zeros(len(INVERSE))
    for index in range(len(pictures)):
        try:
            example = data.fit_to_size(pictures[index], how.side, how.fit)
        except Mistake:
            continue  # one that cannot be read
        maps = of.outputs(example["image"][None])
        sums = _surprise(maps[of.task.logits][0], example["semantic"])
        total += np.asarray(sums, np.float64)
    return best_temperature(total)


_surprise = jax.jit(surprise)
