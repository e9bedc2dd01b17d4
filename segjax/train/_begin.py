"""The state that training begins with."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from segjax import parallel, run
from segjax.step import State
from segjax.train._keeper import Keeper


def begin(
    config: ConfigDict, create: Callable, keeper: Keeper, say: Callable[[str], None]
) -> tuple[State, dict[str, Any]]:
    """The state of the newest checkpoint, or a new one, on every device; and what was
    noted with it. create: as Programs have it."""
    if keeper.newest is None:
        return parallel.replicate(new_state(config, create, say)), {}
    state, memory = keeper.read_newest(jax.eval_shape(create, seed_of(config)))
    say(f"going on from step {keeper.newest}")
    return parallel.replicate(state), memory


def new_state(
    config: ConfigDict, create: Callable, say: Callable[[str], None]
) -> State:
    """The state before the first step, the same on all hosts."""
    state = create(seed_of(config))
    taken = []
    if config.get("init"):

        def start() -> str:
            fresh = {"params": state.params, "batch_stats": state.batch_stats}
            variables, told = run.start_from(config.init, fresh)
            ema = jax.tree.map(np.copy, variables) if state.ema else ()
            taken.append(state._replace(**variables, ema=ema))
            return told

        say(parallel.on_first_host(start))
    return parallel.from_first_host(taken or [state], state)


def seed_of(config: ConfigDict) -> np.ndarray:
    """The seed as an argument of a program, which serves every other, too."""
    return np.asarray(config.seed, np.uint32)
