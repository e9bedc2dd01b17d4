"""Stages of refinement after the first answer, as OpenPose has them (arXiv 1812.08008):
what was said is seen from afar, and said anew."""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp
from flax.core import FrozenDict
from jax import Array

from segjax.models._layers import ConvNorm, Heads
from segjax.ops.pool import mean_pool
from segjax.ops.up import bilinear2

MOST_STAGES = 8


class Stage(nn.Module):
    """Maps anew, from the network's last features and from the maps before.

    At a quarter of the size, where it is cheap, three dilated convolutions see seven
    places to each side; what they make of it is weighed against the features at full
    size, which have the detail.
    """

    heads: FrozenDict[str, int]
    norm: str
    dtype: jnp.dtype
    axis_name: str | None

    @nn.compact
    def __call__(
        self, x: Array, maps: dict[str, Array], train: bool
    ) -> dict[str, Array]:
        """f[b,h,w,c], {name: f32[b,h,w,heads[name]]} -> {name: f32 of that shape}"""
        conv = partial(
            ConvNorm,
            norm=self.norm,
            dtype=self.dtype,
            axis_name=self.axis_name,
            use_bias=self.norm == "none",
        )
        h, w, features = x.shape[1:]
        # by name: parameters depend on the order here, and heads promise none
        seen = [x, *(maps[name].astype(self.dtype) for name in sorted(maps))]
        far = jnp.concatenate([mean_pool(m, 4) for m in seen], axis=-1)
        for dilation, wide in ((1, 4), (2, 4), (4, 1)):
            far = conv(wide * features, dilation=dilation, name=f"far{dilation}")(
                far, train
            )
        far = bilinear2(bilinear2(far))[:, :h, :w]
        both = jnp.concatenate([x, far], axis=-1)
        x = conv(features, kernel=1, name="weighed")(both, train)
        return Heads(self.heads, self.dtype, name="heads")(x)
