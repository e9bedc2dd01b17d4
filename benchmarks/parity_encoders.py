"""torchvision's VGG16 and ResNets, converted: does each level give the same map?

    python benchmarks/parity_encoders.py

Run by a Python that has segjax's requirements. torchvision lives in an environment of
its own (ENVIRONMENT below), made at the first call; --torch-python PATH takes one that
is there already.

Random weights, biases, normalisation scales and running statistics go the way that
anyone's would: torchvision's network -> safetensors -> `python -m segjax weights` ->
what --config.init does -> a network. Both sides then compute in float64 on the CPU,
torchvision by its own forward. Its ReLUs' and layers' maps are compared with ours: the
largest difference over the largest magnitude. Exit code 1 if any is above 1e-9.

ResNets are compared at odd sizes too. VGG16 is not: torchvision's pooling drops the
last row and column of an odd map, ours keeps them, so the sizes are multiples of 16.
"""

import argparse
import contextlib
import io
import itertools
import json
import math
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from parity_torch import Stop, attempt, find_python

from segjax import models, run
from segjax.__main__ import main as segjax_command

TOLERANCE = 1e-9
ENVIRONMENT = Path.home() / ".cache" / "segjax" / "torchvision-env"
PACKAGES = ("torch==2.15.0", "torchvision==0.29.2", "safetensors==0.8.0", "numpy")
NETS = Path(__file__).with_name("_torch_encoders.py")
LEVELS = range(5)

Arrays = dict[str, np.ndarray]


class Case(NamedTuple):
    form: str
    sizes: tuple[tuple[int, int], ...]
    networks: tuple[str, ...] = ("unet",)


VGG_SIZES, RESNET_SIZES = ((64, 64), (48, 80)), ((64, 96), (65, 77))
CASES = (
    Case("vgg16", VGG_SIZES),
    Case("vgg16_bn", VGG_SIZES, ("unet", "segnet")),
    Case("resnet18", RESNET_SIZES),
    Case("resnet34", RESNET_SIZES),
    Case("resnet50", RESNET_SIZES),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--torch-python", metavar="PATH", help="one with torchvision")
    flags = parser.parse_args()
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    try:
        python = find_python(flags.torch_python, ENVIRONMENT, PACKAGES)
        return compare_all(python)
    except Stop as reason:
        print(reason, file=sys.stderr)
        return 2


def compare_all(python: str) -> int:
    """The table, a line for each network and size. Gives the exit code."""
    print(
        f"{'encoder':<9} {'network':<8} {'picture':<8} {'arrays':>6}"
        + "".join(f"   level {level}" for level in LEVELS)
        + " seconds"
    )
    failed = []
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            theirs = run_torchvision(python, case, Path(folder))
            for network, size in itertools.product(case.networks, case.sizes):
                started = time.monotonic()
                model, variables, taken = start_network(case, network, Path(folder))
                ours = level_maps(model, variables, theirs[f"{shown(size)}/image"])
                worst = [
                    difference(ours[level], theirs[f"{shown(size)}/{level}"])
                    for level in LEVELS
                ]
                line = f"{case.form:<9} {network:<8} {shown(size):<8} {taken:>6}"
                line += "".join(f"   {each:.1e}" for each in worst)
                print(f"{line} {time.monotonic() - started:7.1f}", flush=True)
                if not max(worst) <= TOLERANCE:
                    failed.append(f"{case.form} in {network}, {shown(size)}")
    if failed:
        print(f"\nNot within {TOLERANCE:.0e}: {'; '.join(failed)}.")
        return 1
    print(f"\nAll agree to {TOLERANCE:.0e}.")
    return 0


def run_torchvision(python: str, case: Case, folder: Path) -> Arrays:
    """torchvision's maps, {"64x96/0": f64[b,c,h,w], ...}, and the pictures. Its weights
    lie in the folder afterwards, converted."""
    (folder / "case.json").write_text(json.dumps({"form": case.form}))
    random = np.random.default_rng(0)
    images = {shown(size): random.normal(size=(2, 3, *size)) for size in case.sizes}
    np.savez(folder / "images.npz", **images)
    attempt([python, str(NETS), str(folder)], f"torchvision failed on {case.form}.")
    words = [str(folder / "weights.safetensors"), "--as", case.form]
    with contextlib.redirect_stdout(io.StringIO()):
        code = segjax_command(["weights", *words, "--out", str(folder / "converted")])
    if code:
        raise Stop(f"python -m segjax weights failed on {case.form}.")
    with np.load(folder / "maps.npz", allow_pickle=False) as maps:
        return dict(maps) | {f"{size}/image": image for size, image in images.items()}


def start_network(case: Case, network: str, folder: Path) -> tuple:
    """The network, its variables as --config.init makes them, and how many arrays were
    taken. What is not the encoder's is narrow: it is not looked at.

    The float32 numbers are made float64 here too: Flax's normalisation takes the root
    of a variance in the variance's own type.
    """
    options = {"encoder": case.form, "width": 1} if network == "unet" else {}
    model = models.build(network, {"mask": 1}, dtype="float64", **options)
    shapes = models.variable_shapes(model)
    fresh = jax.tree.map(lambda leaf: np.zeros(leaf.shape, np.float32), shapes)
    variables, told = run.start_from(str(folder / "converted"), fresh)
    taken = re.match(r"init: (\d+) of", told)
    variables = jax.tree.map(lambda leaf: leaf.astype(np.float64), variables)
    return model, variables, int(taken[1]) if taken else 0


def level_maps(model, variables, image: np.ndarray) -> list[np.ndarray]:
    """The encoder's maps. By model.apply: models.intermediate_maps makes float32 of its
    pictures. f64[b,c,h,w]"""

    @jax.jit
    def maps_of(variables, image):
        _, kept = model.apply(variables, image, mutable=["intermediates"])
        return [kept["intermediates"][f"encoder{level}"][0] for level in LEVELS]

    maps = jax.device_get(maps_of(variables, np.moveaxis(image, 1, -1)))
    return [np.moveaxis(of_level, -1, 1) for of_level in maps]


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The largest difference over the largest magnitude; inf where shapes differ."""
    if ours.shape != theirs.shape or not ours.dtype == theirs.dtype == np.float64:
        return math.inf
    relative = np.abs(ours - theirs).max() / np.abs(theirs).max()
    return float(relative) if np.isfinite(relative) else math.inf


def shown(size: tuple[int, int]) -> str:
    return "x".join(map(str, size))


if __name__ == "__main__":
    sys.exit(main())
