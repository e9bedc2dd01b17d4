"""The layers that models are made of. Every one takes f[b,h,w,c]."""

import functools
import math
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax.core import FrozenDict
from jax import Array
from jax.ad_checkpoint import checkpoint_name

from segjax.base import check_choice
from segjax.ops.conv import conv1x1, conv3x3
from segjax.ops.up import bilinear2, conv_transpose2, nearest2

NORMS = ("batch", "group", "none")
UPS = ("transposed", "nearest", "bilinear")
DTYPES = {"float32": jnp.float32, "bfloat16": jnp.bfloat16, "float64": jnp.float64}
CONVOLVED = "convolved"  # what a gradient that keeps little keeps
he_normal = nn.initializers.he_normal()


def dtype_of(name: str):
    """The type that a model computes in; its parameters stay float32."""
    check_choice("model.dtype", name, tuple(DTYPES))
    return DTYPES[name]


class Norm(nn.Module):
    """Batch or group normalisation, or none. Statistics are float32, and batch
    statistics are taken over all devices of the named axis."""

    kind: str
    dtype: jnp.dtype
    axis_name: str | None = None

    @nn.compact
    def __call__(self, x: Array, train: bool) -> Array:
        if self.kind == "batch":
            # momentum .9: at .99 a run of 300 steps keeps much of its initial values
            return nn.BatchNorm(
                use_running_average=not train,
                momentum=0.9,
                dtype=self.dtype,
                axis_name=self.axis_name if train else None,
            )(x)
        if self.kind == "group":
            groups = math.gcd(8, x.shape[-1])
            return nn.GroupNorm(num_groups=groups, dtype=self.dtype)(x)
        return x


class ConvNorm(nn.Module):
    """Convolution, normalisation, ReLU: the brick of all networks."""

    features: int
    norm: str
    dtype: jnp.dtype
    axis_name: str | None = None
    kernel: int = 3
    strides: int = 1
    dilation: int = 1
    padding: str | int = "SAME"
    use_bias: bool = False
    relu: bool = True
    exact: bool = False  # before a pooling whose choices are kept

    @nn.compact
    def __call__(self, x: Array, train: bool) -> Array:
        form = None
        if self.strides == self.dilation == 1:
            if self.kernel == 1:
                form = _form(conv1x1)
            elif self.kernel == 3 and self.padding in ("SAME", 1):
                form = _form(conv3x3, self.exact)
        x = nn.Conv(
            self.features,
            (self.kernel, self.kernel),
            self.strides,
            padding=self.padding,
            kernel_dilation=self.dilation,
            use_bias=self.use_bias,
            kernel_init=he_normal,
            dtype=self.dtype,
            conv_general_dilated=form,
        )(x)
        x = checkpoint_name(x, CONVOLVED)
        x = Norm(self.norm, self.dtype, self.axis_name)(x, train)
        return nn.relu(x) if self.relu else x


def _form(convolve: Callable, *options) -> Callable:
    """The convolution in the place of Flax's, whose other arguments it has within."""
    return lambda x, kernel, *_, **__: convolve(x, kernel, *options)


class ConvTranspose2(nn.Module):
    """Learnt 2x2 up-sampling with a bias."""

    features: int
    dtype: jnp.dtype

    @nn.compact
    def __call__(self, x: Array) -> Array:
        shape = (2, 2, x.shape[-1], self.features)
        # each output pixel is fed by one place of the kernel, so fan-in is c alone
        init = nn.initializers.variance_scaling(
            2.0, "fan_in", "truncated_normal", in_axis=2, out_axis=3, batch_axis=(0, 1)
        )
        kernel = self.param("kernel", init, shape, jnp.float32)
        bias = self.param("bias", nn.initializers.zeros, (self.features,), jnp.float32)
        x, kernel, bias = nn.dtypes.promote_dtype(x, kernel, bias, dtype=self.dtype)
        return checkpoint_name(conv_transpose2(x, kernel) + bias, CONVOLVED)


class Up(nn.Module):
    """Twice the size, with the features asked for: learnt, or interpolated after a
    1x1 convolution (before, not after: a quarter of the work for the same map)."""

    how: str
    features: int
    dtype: jnp.dtype

    @nn.compact
    def __call__(self, x: Array) -> Array:
        if self.how == "transposed":
            return ConvTranspose2(self.features, self.dtype)(x)
        x = nn.Conv(
            self.features,
            (1, 1),
            kernel_init=he_normal,
            dtype=self.dtype,
            conv_general_dilated=_form(conv1x1),
        )(x)
        x = checkpoint_name(x, CONVOLVED)
        return nearest2(x) if self.how == "nearest" else bilinear2(x)


class Heads(nn.Module):
    """One convolution a map, in float32: logits deserve the digits."""

    channels: FrozenDict[str, int]
    dtype: jnp.dtype
    kernel: int = 1

    @nn.compact
    def __call__(self, x: Array) -> dict[str, Array]:
        wide = jnp.promote_types(self.dtype, jnp.float32)
        form = _form(conv1x1 if self.kernel == 1 else conv3x3)
        convolution = functools.partial(
            nn.Conv,
            kernel_size=(self.kernel, self.kernel),
            dtype=wide,
            conv_general_dilated=form,
        )
        return {
            name: convolution(count, name=name)(x.astype(wide))
            for name, count in self.channels.items()
        }


def dropout(x: Array, rate: float, keys: Array | None, layer: int) -> Array:
    """Values dropped at random, each picture by its own key; none without keys.

    A key a picture, not one a batch: the same picture at the same step drops the same
    values however many devices share the batch. f[b,h,w,c], key[b]
    """
    if keys is None or rate == 0:
        return x

    def drop(key, picture):
        keep = jax.random.bernoulli(
            jax.random.fold_in(key, layer), 1 - rate, picture.shape
        )
        return jnp.where(keep, picture / (1 - rate), 0).astype(picture.dtype)

    return jax.vmap(drop)(keys, x)
