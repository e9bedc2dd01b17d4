"""FLOPs of convolutions and matrix products, counted from their shapes.

What a compiler says of its own program may leave out what it hands to a library. A
product and its sum are two FLOPs. Zeros that a convolution pads with, or puts between
its inputs, are multiplied by nobody.
"""

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np


def count_flops(jaxpr: Any) -> int:
    """FLOPs of a traced function: of one device, inside what is mapped over devices.

    A loop of which nobody knows the length counts once, of branches the dearest.
    """
    return sum(map(_flops, jaxpr.eqns))


def _flops(equation: Any) -> int:
    name, options = equation.primitive.name, equation.params
    if name == "dot_general":
        return _of_product(equation)
    if name == "conv_general_dilated":
        return _of_convolution(equation)
    if name == "cond":
        return max(count_flops(branch.jaxpr) for branch in options["branches"])
    times = options["length"] if name == "scan" else 1
    return times * sum(map(count_flops, _inner(options)))


def _inner(options: dict[str, Any]) -> Iterator[Any]:
    """The functions that an operation calls."""
    for value in options.values():
        inside = getattr(value, "jaxpr", value)  # a closed one holds an open one
        if hasattr(inside, "eqns"):
            yield inside


def _of_product(equation: Any) -> int:
    left = equation.invars[0].aval.shape
    (summed, _), _ = equation.params["dimension_numbers"]
    out = equation.outvars[0].aval.shape
    return 2 * prod(out) * prod(left[axis] for axis in summed)


def _of_convolution(equation: Any) -> int:
    options = equation.params
    image, kernel = (v.aval.shape for v in equation.invars)
    out = equation.outvars[0].aval.shape
    at = options["dimension_numbers"]
    pairs = 1
    for axis, low_high in enumerate(options["padding"]):
        pairs *= _meetings(
            image[at.lhs_spec[2 + axis]],
            kernel[at.rhs_spec[2 + axis]],
            out[at.out_spec[2 + axis]],
            stride=options["window_strides"][axis],
            low=low_high[0],
            between=options["lhs_dilation"][axis],
            apart=options["rhs_dilation"][axis],
        )
    pictures, channels = out[at.out_spec[0]], out[at.out_spec[1]]
    return 2 * pictures * channels * kernel[at.rhs_spec[1]] * pairs


def _meetings(
    image: int,
    kernel: int,
    out: int,
    *,
    stride: int,
    low: int,
    between: int,
    apart: int,
) -> int:
    """Along one axis, how often an output's kernel cell lies on a true input: not on
    padding (`low` before the first), nor on the zeros put `between`."""
    place = np.arange(out)[:, None] * stride + np.arange(kernel) * apart - low
    inside = (place >= 0) & (place <= (image - 1) * between)
    return int((inside & (place % between == 0)).sum())
