"""How true a 3x3 convolution and its gradients are in float32: as segjax makes them on
a CPU, as plain sums, and PyTorch's, each beside float64.

    python benchmarks/rounding.py [--torch-python PATH]

A line a shape of U-Net's and SegNet's: the largest difference over the largest value,
of the map, the input's gradient and the kernel's. Normal inputs; kernels as they begin.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import jax
import numpy as np
from jax import lax

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from parity_torch import Stop, find_python

from segjax.ops.conv import conv3x3

NETS = Path(__file__).with_name("_torch_rounding.py")
SHAPES = (  # side, channels in, channels out
    (256, 64, 64),
    (256, 128, 64),
    (128, 128, 128),
    (64, 256, 256),
    (32, 512, 512),
    (32, 1024, 512),
    (128, 32, 32),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--torch-python", metavar="PATH", help="a Python with PyTorch")
    flags = parser.parse_args()
    jax.config.update("jax_platforms", "cpu")
    try:
        python = find_python(flags.torch_python)
    except Stop as reason:
        print(reason, file=sys.stderr)
        return 2
    print(f"{'':24}{'segjax':^30}{'plain sums':^30}{'PyTorch':^30}")
    for side, c, d in SHAPES:
        given = make(side, c, d)
        with jax.enable_x64(True):
            true = gradients(plain, *(a.astype(np.float64) for a in given))
        found = (
            gradients(conv3x3, *given),
            gradients(plain, *given),
            theirs(python, given),
        )
        told = "".join(
            f"{'  '.join(f'{far(a, b):.1e}' for a, b in zip(some, true)):^30}"
            for some in found
        )
        print(f"{f'{side}x{side}, {c} to {d}':24}{told}", flush=True)
    return 0


def make(side: int, c: int, d: int) -> tuple[np.ndarray, ...]:
    """A map, a kernel and the gradient that comes back."""
    rng = np.random.default_rng(side + c + d)
    shapes = (1, side, side, c), (3, 3, c, d), (1, side, side, d)
    x, kernel, g = (rng.normal(size=s).astype(np.float32) for s in shapes)
    return x, kernel * np.float32(np.sqrt(2 / (9 * c))), g


def plain(x, kernel):
    dimensions = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, kernel, (1, 1), "SAME", None, None, dimensions)


def gradients(convolve, x, kernel, g) -> list[np.ndarray]:
    y, back = jax.vjp(convolve, x, kernel)
    return [np.asarray(a) for a in (y, *back(g))]


def theirs(python: str, given: tuple[np.ndarray, ...]) -> list[np.ndarray]:
    """The same three by PyTorch, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder, "given.npz"), *given)
        subprocess.run([python, str(NETS), folder], check=True)
        with np.load(Path(folder, "found.npz"), allow_pickle=False) as file:
            return [file[name] for name in sorted(file)]


def far(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).max() / np.abs(b).max())


if __name__ == "__main__":
    sys.exit(main())
