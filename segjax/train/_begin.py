"""The state that training begins with."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from segjax import parallel, run
from segjax.step import State, create_state
from segjax.train._keeper import Keeper


def begin(
    config: ConfigDict, parts: run.Parts, keeper: Keeper, say: Callable[[str], None]
) -> tuple[State, dict[str, Any]]:
    """The state of the newest checkpoint, or a new one, on every device; and what was
    noted with it."""
    if keeper.newest is None:
        return parallel.replicate(new_state(config, parts, say)), {}
    new = functools.partial(create, config, parts)
    state, memory = keeper.read_newest(jax.eval_shape(new))
    say(f"going on from step {keeper.newest}")
    return parallel.replicate(state), memory


def new_state(
    config: ConfigDict, parts: run.Parts, say: Callable[[str], None]
) -> State:
    """The state before the first step, the same on all hosts."""
    state = parallel.run_once(functools.partial(create, config, parts))
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


def create(config: ConfigDict, parts: run.Parts) -> State:
    """The state before the first step, from the seed alone."""
    return create_state(parts.model, parts.optimizer, config.seed, config.data.size)
