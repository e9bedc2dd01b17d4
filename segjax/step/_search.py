"""Where in a training step the numbers break."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jax import Array

from segjax import parallel
from segjax.base import Task
from segjax.models import forward_train
from segjax.optim import Optimizer
from segjax.step._state import State
from segjax.step._train import accumulate, examples_of, picture_keys, term_weights


def changed_examples(augment: Callable, state: State, source, batch):
    """The batch's examples as the network sees them in this step. {word: [b,...]}"""
    change_keys, _ = picture_keys(state, batch["position"])
    return jax.vmap(augment)(change_keys, examples_of(source, batch))


def make_search_step(
    model: nn.Module, task: Task, augment: Callable, names: list[str]
) -> Callable:
    """The per-device step `search_step(state, source, batch) -> bool[things]`: whether
    each thing that a training step computes is finite, in their order.

    names: filled with what the things are, when the step is traced.
    """

    def search_step(state: State, source, batch):
        flags: dict[str, Array] = {}
        layers: list[str] = []  # as they end

        def look(name: str, tree) -> None:
            arrays = [a for a in jax.tree.leaves(tree) if isinstance(a, Array)]
            leaves = [a for a in arrays if jnp.isdtype(a.dtype, "real floating")]
            if leaves:
                finite = [jnp.isfinite(a).all() for a in leaves]
                flags.setdefault(name, jnp.stack(finite).all())

        def watch(call, args, kwargs, context):
            if context.method_name != "__call__":
                return call(*args, **kwargs)
            place = "/".join(context.module.path)
            if not place:
                look("the pictures as the network takes them", args)
            given = call(*args, **kwargs)
            layers.append(place)
            look(f"layer {place}" if place else "the network's maps", given)
            return given

        look("the parameters", state.params)
        look("the batch statistics", state.batch_stats)
        examples = changed_examples(augment, state, source, batch)
        targets = jax.vmap(task.encode)(examples)
        _, drop_keys = picture_keys(state, batch["position"])
        weights = jax.lax.psum(term_weights(task, targets, examples), parallel.AXIS)
        pictures = examples["image"], targets, drop_keys
        variables = {"params": state.params, "batch_stats": state.batch_stats}
        with nn.intercept_methods(watch):
            forward_train(model, variables, examples["image"], drop_keys)
        undivided = Optimizer(optax.identity(), optax.constant_schedule(0.0), 0.0, 1)
        gradients, terms, _ = accumulate(
            model, task, state, pictures, weights, undivided
        )
        for name, term in terms.items():
            look(f"loss/{name}", term)
        named = {
            jax.tree_util.keystr(path, simple=True, separator="/"): leaf
            for path, leaf in jax.tree_util.tree_leaves_with_path(gradients)
        }
        for place in reversed(layers):  # as gradients come about: from the end
            for name, leaf in named.items():
                if place and name.startswith(f"{place}/"):
                    look(f"the gradient of {name}", leaf)
        look("the gradients", gradients)
        names[:] = flags
        return jnp.stack(list(flags.values()))

    return search_step
