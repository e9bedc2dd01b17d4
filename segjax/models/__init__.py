"""Networks, one file each: build(heads) gives a module that emits maps at the
picture's size. Here stand their init and apply, and nowhere else."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, cast

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array

from segjax.base import find
from segjax.models import _encoders
from segjax.models._layers import CONVOLVED
from segjax.ops.color import normalise

Variables = dict[str, Any]  # {"params": ..., "batch_stats": ...}
ENCODERS = _encoders.FORMS  # those that others have trained


def build(name: str, heads: Mapping[str, int], **config) -> nn.Module:
    """The model `name` with these output maps: {name: channels}."""
    return find("models", name).build(heads, **config)


def initialise(model: nn.Module, key: Array, size: int, channels: int = 3) -> Variables:
    """Fresh parameters and statistics, for square pictures of about this size."""
    image = jnp.zeros((1, size, size, channels))
    variables = model.init(key, image)
    return {
        "params": variables["params"],
        "batch_stats": variables.get("batch_stats", {}),
    }


def variable_shapes(model: nn.Module, channels: int = 3) -> Variables:
    """Parameters and statistics as shapes; none is made."""
    make = functools.partial(initialise, model, size=64, channels=channels)
    return jax.eval_shape(make, jax.random.key(0))


def encoder_shapes(form: str) -> Variables:
    """The arrays of an encoder, one of ENCODERS, as shapes, by their names in a
    network."""
    shapes = variable_shapes(build("unet", {}, encoder=form, width=1))
    return {
        kind: {name: of for name, of in layers.items() if name.startswith("encoder")}
        for kind, layers in shapes.items()
    }


def forward(model: nn.Module, variables: Variables, images: Array) -> dict[str, Array]:
    """The maps of pictures, as a trained network gives them. u8|f[b,h,w,3], 0..255"""
    outputs = model.apply(variables, normalise(images))
    return cast(dict[str, Array], outputs)


def forward_train(
    model: nn.Module, variables: Variables, images: Array, keys: Array
) -> tuple[list[dict[str, Array]], Any]:
    """The maps of a training batch, and the new statistics. f32[b,h,w,3], key[b]

    The maps of every stage's answer; the last is the one that `forward` gives.
    """
    outputs, changed = model.apply(
        variables,
        normalise(images),
        train=True,
        keys=keys,
        mutable=["batch_stats", "answers"],
    )
    earlier = changed.get("answers", {}).get("earlier", ())
    return [*earlier, outputs], changed.get("batch_stats", {})


def keeping_little(function: Callable) -> Callable:
    """The function, whose gradients keep of a network the convolutions' maps and what
    is summed up over them, and work out the rest again."""
    named = jax.checkpoint_policies.save_only_these_names(CONVOLVED)

    def is_kept(primitive, *values, **parameters) -> bool:
        summed = primitive.name in ("reduce_sum", "psum", "psum_invariant")
        return summed or named(primitive, *values, **parameters)

    return jax.checkpoint(function, policy=is_kept)


def intermediate_maps(
    model: nn.Module, variables: Variables, images: Array
) -> dict[str, Array]:
    """The maps inside, level by level: {"encoder0": f[b,h,w,c], ...}. For looking."""
    _, kept = model.apply(variables, normalise(images), mutable=["intermediates"])
    return {name: maps[0] for name, maps in kept["intermediates"].items()}


def count_parameters(model: nn.Module, channels: int = 3) -> dict[str, int]:
    """Parameters of each part, without making one."""
    shapes = variable_shapes(model, channels)
    return {
        part: sum(leaf.size for leaf in jax.tree.leaves(tree))
        for part, tree in shapes["params"].items()
    }
