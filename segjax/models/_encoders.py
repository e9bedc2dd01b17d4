"""Encoders that others have trained: VGG16 (arXiv 1409.1556) and ResNet (arXiv
1512.03385), computed exactly as torchvision does, so that its weights fit.

VGG16's layers are named as SegNet's are: one folder of weights serves both networks.
"""

from collections.abc import Callable
from functools import partial

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from segjax.models._layers import ConvNorm
from segjax.ops.pool import max_pool, max_pool3

# Channels of each convolution, level by level.
VGG16 = ((64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3)
# Blocks of each layer.
RESNETS = {
    "resnet18": (2, 2, 2, 2),
    "resnet34": (3, 4, 6, 3),
    "resnet50": (3, 4, 6, 3),
}
FORMS = ("vgg16", "vgg16_bn", *RESNETS)


def encode(
    form: str, x: Array, train: bool, dtype: jnp.dtype, axis_name: str | None
) -> list[Array]:
    """The maps of the five levels, the finest first; what else a level would pass on
    is left out. Called inside a module, whose layers these become.

    VGG16: before each pooling, the first as large as the picture. ResNet: after the
    stem, half as large, and after each of the four layers. Sizes round up.
    """
    conv = partial(
        ConvNorm,
        norm="none" if form == "vgg16" else "batch",
        dtype=dtype,
        axis_name=axis_name,
        use_bias=form not in RESNETS,
    )
    if form in RESNETS:
        return _resnet(RESNETS[form], form == "resnet50", conv, x, train)
    return _vgg16(conv, x, train)


def _vgg16(conv: Callable, x: Array, train: bool) -> list[Array]:
    maps: list[Array] = []
    for level, channels in enumerate(VGG16):
        if maps:
            x = max_pool(maps[-1])
        for i, features in enumerate(channels):
            x = conv(features, name=f"encoder{level}_{i}")(x, train)
        maps.append(x)
    return maps


def _resnet(blocks, bottleneck: bool, conv, x: Array, train: bool) -> list[Array]:
    stem = conv(64, kernel=7, strides=2, padding=3, name="encoder0_0")
    maps = [stem(x, train)]
    x = max_pool3(maps[0])
    for level, count in enumerate(blocks, 1):
        for i in range(count):
            strides = 2 if level > 1 and i == 0 else 1
            x = Residual(
                32 << level, strides, bottleneck, conv, name=f"encoder{level}_{i}"
            )(x, train)
        maps.append(x)
    return maps


class Residual(nn.Module):
    """ResNet's block: two 3x3 convolutions, or a bottleneck that narrows, convolves and
    widens fourfold; and the way past them, convolved where channels change.

    The bottleneck's 3x3 convolution is the one that strides (version 1.5, unlike the
    paper's). Strided convolutions are padded alike on both sides, as PyTorch does.
    """

    features: int
    strides: int
    bottleneck: bool
    conv: Callable

    @nn.compact
    def __call__(self, x: Array, train: bool) -> Array:
        strided = partial(self.conv, kernel=3, strides=self.strides, padding=1)
        one = partial(self.conv, kernel=1, padding=0)
        if self.bottleneck:
            y = one(self.features, name="conv1")(x, train)
            y = strided(self.features, name="conv2")(y, train)
            y = one(4 * self.features, relu=False, name="conv3")(y, train)
        else:
            y = strided(self.features, name="conv1")(x, train)
            y = self.conv(self.features, relu=False, name="conv2")(y, train)
        if x.shape[-1] != y.shape[-1]:
            shortcut = one(
                y.shape[-1], strides=self.strides, relu=False, name="shortcut"
            )
            x = shortcut(x, train)
        return nn.relu(x + y)
