"""The small SegNet of the lesson's notebook: 16 to 128 channels, 256 at the bottom, and
bilinear up-sampling in the place of pooling indices. For comparison."""

from collections.abc import Mapping

import flax.linen as nn
import jax.numpy as jnp
from flax.core import FrozenDict
from jax import Array

from segjax.base import check_choice, check_range
from segjax.models._layers import NORMS, ConvNorm, Heads, dtype_of
from segjax.ops.pool import max_pool
from segjax.ops.up import bilinear2


def build(
    heads: Mapping[str, int],
    *,
    width: int = 16,
    norm: str = "batch",
    dtype: str = "float32",
    axis_name: str | None = None,
) -> "Lesson":
    """Four levels, one convolution each way. width: channels of the first level."""
    check_range("model.width", width, 1)
    check_choice("model.norm", norm, NORMS)
    return Lesson(FrozenDict(heads), width, norm, dtype_of(dtype), axis_name)


class Lesson(nn.Module):
    heads: FrozenDict[str, int]
    width: int
    norm: str
    dtype: jnp.dtype
    axis_name: str | None

    @nn.compact
    def __call__(
        self, image: Array, train: bool = False, keys: Array | None = None
    ) -> dict[str, Array]:
        """Maps at the picture's size. f[b,h,w,c] -> {name: f32[b,h,w,heads[name]]}"""
        x = image.astype(self.dtype)
        sizes = []
        for level in range(4):
            x = self._conv(x, self.width << level, f"encoder{level}", train)
            sizes.append(x.shape[1:3])
            x = max_pool(x)
        x = self._conv(x, self.width << 4, "bottom", train)
        for level in reversed(range(4)):
            h, w = sizes[level]
            x = bilinear2(x)[:, :h, :w]
            x = self._conv(x, self.width << level, f"decoder{level}", train)
        return Heads(self.heads, self.dtype, name="heads")(x)

    def _conv(self, x, features, name, train):
        x = ConvNorm(
            features,
            self.norm,
            self.dtype,
            self.axis_name,
            use_bias=self.norm == "none",
            name=f"{name}_0",  # beside the map that is kept by the level's name
        )(x, train)
        self.sow("intermediates", name, x)
        return x
