"""What training changes."""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from segjax.models import initialise
from segjax.optim import Optimizer


class State(NamedTuple):
    """All that training changes, and the seed it follows from. Arrays only."""

    step: Array  # i32[]
    params: Any
    batch_stats: Any
    ema: Any  # averaged {"params", "batch_stats"}, or () for none
    opt_state: Any
    seed: Array  # u32[]


def create_state(
    model: nn.Module, optimizer: Optimizer, seed: ArrayLike, size: int
) -> State:
    """The state before the first step."""
    variables = initialise(model, jax.random.key(seed), size)
    return State(
        step=jnp.zeros((), jnp.int32),
        params=variables["params"],
        batch_stats=variables["batch_stats"],
        ema=jax.tree.map(jnp.copy, variables) if optimizer.ema else (),
        opt_state=optimizer.update.init(variables["params"]),
        seed=jnp.asarray(seed, jnp.uint32),
    )


def evaluated_variables(state: State) -> dict[str, Any]:
    """What is scored and used: the averaged weights, where they are kept."""
    return state.ema or {"params": state.params, "batch_stats": state.batch_stats}


def saved_parts(state: State) -> dict[str, dict[str, Any]]:
    """The state as a checkpoint keeps it: what prediction needs, and what only going
    on needs."""
    model, training = ("params", "batch_stats", "ema"), ("step", "opt_state", "seed")
    return {
        "model": {field: getattr(state, field) for field in model},
        "training": {field: getattr(state, field) for field in training},
    }
