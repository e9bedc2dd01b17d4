"""segjax's side of speed.py: a training step as a run takes it, or a network's maps.

python benchmarks/_speed_segjax.py '{"net": "unet", "width": 16, "batch": 16,
    "size": 256, "mode": "train", "steps": 6}'
"""

import functools
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import _speed_clock
import jax
import numpy as np

from segjax import models, parallel, tasks
from segjax.base import Info
from segjax.optim import make_optimizer
from segjax.step import create_state, make_train_step

INFO = Info(("background", "object"), provides=("image", "semantic"))


def main(case: dict) -> None:
    parallel.keep_programs()
    parallel.use_cores(case["batch"])
    make = {"train": train_step, "infer": infer_step}[case["mode"]]
    rng = np.random.default_rng(0)
    shape = (case["batch"], case["size"], case["size"])
    store = {
        "image": rng.integers(0, 256, (*shape, 3), np.uint8),
        "semantic": rng.integers(0, 2, shape, np.uint8),
    }
    task = tasks.make_task("semantic", INFO)
    model = models.build(
        case["net"], heads=task.heads, width=case["width"], axis_name=parallel.AXIS
    )
    found = _speed_clock.time_steps(make(model, task, store, case), case["steps"])
    _speed_clock.tell(found | {"devices": jax.device_count(), "jax": jax.__version__})


def train_step(model, task, store, case):
    optimizer = make_optimizer(1000, ema=0.0)
    create = functools.partial(create_state, model, optimizer, size=case["size"])
    state = parallel.replicate(parallel.compiled_quickly(create)(np.uint32(0)))
    source = parallel.replicate(store)
    train = parallel.train_on_devices(
        make_train_step(model, task, optimizer, lambda key, example: example)
    )
    everyone = np.arange(case["batch"])

    def step():
        nonlocal state
        batch = parallel.share({"index": everyone, "position": everyone})
        state, metrics = train(state, source, batch)
        return jax.block_until_ready((state, metrics))

    return step


def infer_step(model, task, store, case):
    make = functools.partial(models.initialise, model, size=case["size"])
    variables = parallel.replicate(parallel.compiled_quickly(make)(jax.random.key(0)))
    forward = parallel.evaluate_on_devices(
        lambda variables, source, batch: models.forward(model, variables, batch)
    )
    images = parallel.share(store["image"])
    return lambda: jax.block_until_ready(forward(variables, (), images))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
