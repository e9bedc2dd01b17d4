"""SegNet (arXiv 1511.00561): VGG16's convolutions, and a decoder that puts each value
back where the encoder's pooling took it from. After the authors' Caffe files."""

from collections.abc import Mapping

import flax.linen as nn
import jax.numpy as jnp
from flax.core import FrozenDict
from jax import Array

from segjax.base import check_choice, check_range
from segjax.models._encoders import VGG16
from segjax.models._layers import NORMS, ConvNorm, Heads, dropout, dtype_of
from segjax.models._stages import MOST_STAGES, Stage
from segjax.ops.pool import max_pool_places, unpool

# Channels of each convolution, level by level, at the paper's width of 64.
_DECODER = ((64,), (128, 64), (256, 256, 128), (512, 512, 256), (512,) * 3)
_BASIC = ((64,),) * 4
_VARIANTS = {"vgg16": (VGG16, _DECODER), "basic": (_BASIC, _BASIC)}


def build(
    heads: Mapping[str, int],
    *,
    variant: str = "vgg16",
    width: int = 64,
    norm: str = "batch",
    dropout: float = 0.0,
    stages: int = 0,
    dtype: str = "float32",
    axis_name: str | None = None,
) -> "SegNet":
    """The paper's network by default.

    variant: vgg16, or basic (7x7 convolutions, four levels, no ReLU in the decoder;
    its input normalisation across channels is left out); width: channels of the first
    level, the others in proportion; dropout: the share that Bayesian SegNet (arXiv
    1511.02680) drops after the levels in the middle; the paper's is 0.5;
    stages: how many answer anew after the first answer, each with a loss.
    """
    check_choice("model.variant", variant, tuple(_VARIANTS))
    check_range("model.width", width, 1)
    check_range("model.dropout", dropout, 0, 0.99)
    check_range("model.stages", stages, 0, MOST_STAGES)
    check_choice("model.norm", norm, NORMS)
    return SegNet(
        heads=FrozenDict(heads),
        variant=variant,
        width=width,
        norm=norm,
        dropout=dropout,
        stages=stages,
        dtype=dtype_of(dtype),
        axis_name=axis_name,
    )


class SegNet(nn.Module):
    heads: FrozenDict[str, int]
    variant: str
    width: int
    norm: str
    dropout: float
    stages: int
    dtype: jnp.dtype
    axis_name: str | None

    @nn.compact
    def __call__(
        self, image: Array, train: bool = False, keys: Array | None = None
    ) -> dict[str, Array]:
        """Maps at the picture's size. f[b,h,w,c] -> {name: f32[b,h,w,heads[name]]}

        keys: one a picture, for dropout; without them nothing is dropped.
        """
        encoder, decoder = _VARIANTS[self.variant]
        basic = self.variant == "basic"
        middle = range(1, 4) if basic else range(2, 5)
        x = image.astype(self.dtype)
        places = []  # of each pooling: where its maxima stood, and the size before
        for level, channels in enumerate(encoder):
            x = self._convs(x, channels, f"encoder{level}", train, exact=True)
            size = x.shape[1:3]
            x, index = max_pool_places(x)
            places.append((index, size))
            if level in middle:
                x = dropout(x, self.dropout, keys, layer=level)
        for level in reversed(range(len(decoder))):
            x = unpool(x, *places[level])
            x = self._convs(x, decoder[level], f"decoder{level}", train, relu=not basic)
            if level in middle:
                x = dropout(x, self.dropout, keys, layer=len(decoder) + level)
        kernel = 1 if basic else 3
        maps = Heads(self.heads, self.dtype, kernel, name="heads")(x)
        for k in range(self.stages):
            self.sow("answers", "earlier", maps)
            maps = Stage(
                self.heads, self.norm, self.dtype, self.axis_name, name=f"stage{k}"
            )(x, maps, train)
        return maps

    def _convs(self, x, channels, name, train, relu=True, exact=False):
        """A level's convolutions. What a notebook may ask for is kept by name."""
        for i, count in enumerate(channels):
            x = ConvNorm(
                max(1, count * self.width // 64),
                self.norm,
                self.dtype,
                self.axis_name,
                kernel=7 if self.variant == "basic" else 3,
                use_bias=True,  # as the authors', though normalisation cancels it
                relu=relu,
                exact=exact,
                name=f"{name}_{i}",
            )(x, train)
        self.sow("intermediates", name, x)
        return x
