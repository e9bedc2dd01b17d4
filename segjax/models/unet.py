"""U-Net (arXiv 1505.04597): an encoder, a decoder, and the maps between them handed
across. With norm="none" and padding="valid" it is the paper's."""

from collections.abc import Mapping

import flax.linen as nn
import jax.numpy as jnp
from flax.core import FrozenDict
from jax import Array

from segjax.base import Mistake, check_choice, check_range
from segjax.models._encoders import FORMS, RESNETS, encode
from segjax.models._layers import NORMS, UPS, ConvNorm, Heads, Up, dropout, dtype_of
from segjax.models._stages import MOST_STAGES, Stage
from segjax.ops.pool import max_pool


def build(
    heads: Mapping[str, int],
    *,
    encoder: str = "plain",
    width: int = 64,
    depth: int = 4,
    norm: str = "batch",
    padding: str = "same",
    margin: bool = True,
    up: str = "transposed",
    dropout: float = 0.0,
    stages: int = 0,
    dtype: str = "float32",
    axis_name: str | None = None,
) -> "UNet":
    """The paper's network by default, with batch normalisation.

    width: channels of the first level, doubled at each of `depth` poolings; margin:
    the `valid` form mirrors its margin so that maps fit the picture (False: the
    paper's 572 -> 388); dropout: share dropped at the bottom; stages: how many answer
    anew after the first answer, each with a loss.

    encoder: plain, or one that others have trained (vgg16, vgg16_bn, resnet18,
    resnet34, resnet50), with channels and normalisation of its own: width and norm are
    then the decoder's. A ResNet's finest map is half the picture's size; above it the
    decoder goes on alone, with half the width.
    """
    check_range("model.width", width, 1)
    check_range("model.depth", depth, 1, 8)
    check_range("model.dropout", dropout, 0, 0.99)
    check_range("model.stages", stages, 0, MOST_STAGES)
    check_choice("model.norm", norm, NORMS)
    check_choice("model.padding", padding, ("same", "valid"))
    check_choice("model.up", up, UPS)
    check_choice("model.encoder", encoder, ("plain", *FORMS))
    if encoder != "plain" and (depth, padding) != (4, "same"):
        raise Mistake(
            f"model.encoder={encoder} has levels and padding of its own; leave"
            f" model.depth at 4 (it is {depth}) and model.padding at 'same' (it is"
            f" {padding!r})."
        )
    return UNet(
        heads=FrozenDict(heads),
        encoder=encoder,
        width=width,
        depth=depth,
        norm=norm,
        valid=padding == "valid",
        margin=margin,
        up=up,
        dropout=dropout,
        stages=stages,
        dtype=dtype_of(dtype),
        axis_name=axis_name,
    )


class UNet(nn.Module):
    heads: FrozenDict[str, int]
    encoder: str
    width: int
    depth: int
    norm: str
    valid: bool
    margin: bool
    up: str
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
        h, w = image.shape[1:3]
        x = image.astype(self.dtype)
        if self.valid and self.margin:
            x = _mirror_margin(x, self.depth)
        *skips, x = self._encode(x, train)
        x = dropout(x, self.dropout, keys, layer=0)
        for level in reversed(range(len(skips))):
            x = Up(self.up, self.width << level, self.dtype, name=f"up{level}")(x)
            x = _join(skips[level], x)
            x = self._block(x, self.width << level, f"decoder{level}", train)
        if self.encoder in RESNETS:
            half = max(1, self.width // 2)
            x = Up(self.up, half, self.dtype, name="up_top")(x)[:, :h, :w]
            x = self._block(x, half, "top", train)
        maps = Heads(self.heads, self.dtype, name="heads")(x)
        if self.margin or not self.valid:
            x, maps = x[:, :h, :w], {name: m[:, :h, :w] for name, m in maps.items()}
        for k in range(self.stages):
            self.sow("answers", "earlier", maps)
            maps = Stage(
                self.heads, self.norm, self.dtype, self.axis_name, name=f"stage{k}"
            )(x, maps, train)
        return maps

    def _encode(self, x: Array, train: bool) -> list[Array]:
        """The maps of all levels, the finest first; the last is the bottom's."""
        if self.encoder != "plain":
            maps = encode(self.encoder, x, train, self.dtype, self.axis_name)
            for level, of_level in enumerate(maps):
                self.sow("intermediates", f"encoder{level}", of_level)
            return maps
        maps = []
        for level in range(self.depth):
            maps.append(self._block(x, self.width << level, f"encoder{level}", train))
            x = max_pool(maps[-1])
        return [*maps, self._block(x, self.width << self.depth, "bottom", train)]

    def _block(self, x: Array, features: int, name: str, train: bool) -> Array:
        """Two 3x3 convolutions. What a notebook may ask for is kept under the name."""
        for i in range(2):
            x = ConvNorm(
                features,
                self.norm,
                self.dtype,
                self.axis_name,
                padding="VALID" if self.valid else "SAME",
                use_bias=self.norm == "none",
                name=f"{name}_{i}",
            )(x, train)
        self.sow("intermediates", name, x)
        return x


def _join(skip: Array, x: Array) -> Array:
    """The encoder's map and the decoder's, the larger cut to the smaller.

    Rounded-up pooling leaves the decoder's a row longer (cut at the bottom and right);
    valid convolutions leave it smaller (the encoder's is cut round its middle).
    """
    h, w = (min(skip.shape[i], x.shape[i]) for i in (1, 2))
    top, left = ((max(skip.shape[i] - x.shape[i], 0)) // 2 for i in (1, 2))
    return jnp.concatenate(
        [skip[:, top : top + h, left : left + w], x[:, :h, :w]], axis=-1
    )


def _mirror_margin(x: Array, depth: int) -> Array:
    """The picture with the mirrored margin that valid convolutions eat."""
    pads = [_margin(size, depth) for size in x.shape[1:3]]
    return jnp.pad(x, [(0, 0), *pads, (0, 0)], mode="symmetric")


def _margin(size: int, depth: int) -> tuple[int, int]:
    """Margins before and after, so that the output is at least `size` and every
    pooling meets an even size. The part after takes the rounding."""
    bottom = 5  # the smallest map that the bottom's two convolutions leave one of
    while (out := _valid_output(bottom, depth)) < size:
        bottom += 1
    full = _valid_input(bottom, depth)
    before = (full - out) // 2
    return before, full - size - before


def _valid_input(bottom: int, depth: int) -> int:
    """Size of the picture whose lowest map, before its convolutions, is `bottom`."""
    for _ in range(depth):
        bottom = 2 * bottom + 4
    return bottom


def _valid_output(bottom: int, depth: int) -> int:
    bottom -= 4
    for _ in range(depth):
        bottom = 2 * bottom - 4
    return bottom
