"""The same networks in PyTorch, with the same weights: do outputs and gradients agree?

    python benchmarks/parity_torch.py

Run by a Python that has segjax's requirements. PyTorch lives in an environment of its
own (ENVIRONMENT below), made at the first call; --torch-python PATH takes one that is
there already, --quick narrows the networks to a quarter. Both sides compute in float64
on the CPU, from random weights, biases, normalisation scales and running statistics;
the PyTorch side (_torch_nets.py) is written from the papers and shares no code.

A difference is the largest of a tensor, over the largest magnitude of that tensor; the
table shows the worst tensor of each kind. Exit code 1 if any is above 1e-9.
"""

import argparse
import json
import math
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

try:
    import jax
    import numpy as np
    from flax.traverse_util import flatten_dict, unflatten_dict

    from segjax import models
except ModuleNotFoundError as error:
    print(
        f"{sys.executable} lacks {error.name}: see requirements.txt.", file=sys.stderr
    )
    sys.exit(2)

TOLERANCE = 1e-9
ENVIRONMENT = Path.home() / ".cache" / "segjax" / "torch-env"
PACKAGES = ("torch==2.13.0", "numpy")
NETS = Path(__file__).with_name("_torch_nets.py")
WIDTHS = {"unet": 64, "segnet": 64, "lesson": 16}  # the papers'

Arrays = dict[str, np.ndarray]  # by PyTorch's names, in its layouts
Variables = dict[str, Any]  # by segjax's


class Case(NamedTuple):
    net: str
    form: str
    size: tuple[int, int] = (45, 60)  # odd at several levels: pooling rounds up
    train: bool = True
    batch: int = 2
    channels: int = 3
    classes: int = 1
    settings: Mapping[str, Any] = MappingProxyType({})  # keywords that both sides take


PAPERS_UNET = {"norm": "none", "padding": "valid"}
CASES = (
    Case("unet", "batch norm", size=(64, 64)),
    Case("unet", "batch norm", train=False),
    Case("unet", "paper's", (188, 188), True, 1, 1, 2, PAPERS_UNET),
    Case("unet", "group norm", settings={"norm": "group"}),
    Case("unet", "bilinear", settings={"up": "bilinear"}),
    Case("unet", "nearest", settings={"up": "nearest"}),
    Case("segnet", "vgg16", classes=11),
    Case("segnet", "vgg16", classes=11, train=False),
    Case("segnet", "basic", classes=11, settings={"variant": "basic"}),
    Case("segnet", "basic", classes=11, settings={"variant": "basic"}, train=False),
    Case("lesson", "batch norm"),
)


class Stop(Exception):
    """Why nothing can be compared, in one sentence."""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--torch-python", metavar="PATH", help="a Python with PyTorch")
    parser.add_argument("--quick", action="store_true", help="a quarter of the width")
    flags = parser.parse_args()
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    try:
        python = find_python(flags.torch_python)
        return compare_all(python, narrower=4 if flags.quick else 1)
    except Stop as reason:
        print(reason, file=sys.stderr)
        return 2


def find_python(
    given: str | None,
    environment: Path = ENVIRONMENT,
    packages: Sequence[str] = PACKAGES,
) -> str:
    """A Python that has PyTorch: the one given, or that of our own environment."""
    python = given or make_environment(environment, packages)
    ask = [python, "-c", "import numpy, torch; print(torch.__version__)"]
    version = attempt(ask, f"{python} has no PyTorch to import.").strip()
    print(f"jax {jax.__version__}, torch {version}, float64, CPU\n", flush=True)
    return python


def make_environment(environment: Path, packages: Sequence[str]) -> str:
    """The Python of our own environment, which is made unless it is there."""
    python = str(environment / "bin" / "python")
    if not (environment / "complete").exists():
        print(f"Making {environment} with {' and '.join(packages)} ...", flush=True)
        make = [sys.executable, "-m", "venv", str(environment)]
        attempt(
            make, f"{environment} cannot be made (Debian: apt install python3-venv)."
        )
        install = [python, "-m", "pip", "install", "--quiet", *packages]
        attempt(install, "PyTorch cannot be installed; is there a network?")
        (environment / "complete").touch()
    return python


def attempt(command: list[str], failure: str) -> str:
    """What the command prints, or a Stop with the last thing it complained of."""
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise Stop(f"{failure} {command[0]}: {error.strerror}.") from None
    if done.returncode:
        complaint = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise Stop(f"{failure} {''.join(complaint)}")
    return done.stdout


def compare_all(python: str, narrower: int) -> int:
    """The table, a line a case. Gives the exit code."""
    print(
        f"{'net':<7} {'form':<11} {'mode':<6} {'picture':<8} {'parameters':>10}"
        f" {'output':>9} {'gradients':>9} {'statistics':>10} {'seconds':>7}"
    )
    failed = []
    for case in CASES:
        started = time.monotonic()
        worst, parameters = compare(python, case, WIDTHS[case.net] // narrower)
        output, gradient, statistics = (
            f"{worst[kind][0]:.1e}" if kind in worst else "-"
            for kind in ("output", "gradient", "statistics")
        )
        print(
            f"{case.net:<7} {case.form:<11} {'train' if case.train else 'eval':<6}"
            f" {'x'.join(map(str, case.size)):<8} {parameters:>10,}"
            f" {output:>9} {gradient:>9} {statistics:>10}"
            f" {time.monotonic() - started:>7.1f}",
            flush=True,
        )
        for found, name in worst.values():
            if found > TOLERANCE:
                failed.append(f"{case.net}, {case.form}: {name} differs by {found:.1e}")
    print("\n" + ("\n".join(failed) or f"All agree to {TOLERANCE:.0e}."))
    return 1 if failed else 0


def compare(python: str, case: Case, width: int) -> tuple[dict, int]:
    """{kind: (worst difference, its tensor)}, and how many parameters there are."""
    model = build(case, width)
    variables, image, upstream = draw(case, model)
    found = run_jax(model, case.train, variables, image, upstream)
    given = to_torch(variables["params"]) | to_torch(variables.get("batch_stats", {}))
    given |= {"image": channels_first(image), "upstream": channels_first(upstream)}
    expected = run_torch(python, case, width, given)
    worst: dict[str, tuple[float, str]] = {}
    for name in found.keys() | expected.keys():
        kind = name.partition("/")[0]
        pair = difference(name, found, expected, case.train), name
        worst[kind] = max(worst.get(kind, pair), pair)
    parameters = sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))
    return worst, parameters


def build(case: Case, width: int):
    settings = {**case.settings, "width": width, "dtype": "float64"}
    if "padding" in settings:
        settings["margin"] = False  # the paper's: the map is smaller than the picture
    return models.build(case.net, {"map": case.classes}, **settings)


def draw(case: Case, model) -> tuple[Variables, np.ndarray, np.ndarray]:
    """Random variables, a batch of pictures, and a gradient for its maps. f64[b,h,w,c]

    Nothing is left at 0 or 1, where a term forgotten or done twice would not show.
    """
    random = np.random.default_rng(0)
    image = random.normal(size=(case.batch, *case.size, case.channels))
    shapes = jax.eval_shape(model.init, jax.random.key(0), image)
    maps = jax.eval_shape(model.apply, shapes, image)["map"]
    variables = {
        path: draw_leaf(random, path, leaf.shape)
        for path, leaf in flatten_dict(shapes).items()
        if path[0] != "intermediates"
    }
    return unflatten_dict(variables), image, random.normal(size=maps.shape)


def draw_leaf(random, path: tuple[str, ...], shape: tuple[int, ...]) -> np.ndarray:
    if path[-1] == "kernel":
        # keeps values near 1; one place of a transposed kernel feeds an output pixel
        fan_in = shape[2] if "ConvTranspose2_0" in path else np.prod(shape[:-1])
        return random.normal(size=shape) * np.sqrt(2 / fan_in)
    if path[-1] in ("scale", "var"):
        return random.uniform(0.5, 1.5, shape)
    return random.normal(size=shape) * 0.2  # biases and running means


def run_jax(model, train: bool, variables, image, upstream) -> Arrays:
    """Output, gradients of upstream * output, and the statistics afterwards.

    By model.apply: models.forward makes float32 of its pictures.
    """

    @jax.jit
    def run(params, image, upstream):
        def output_of(params, image):
            given = {**variables, "params": params}
            maps, changed = model.apply(
                given, image, train=train, mutable=["batch_stats"]
            )
            return maps["map"], changed.get("batch_stats", {})

        output, pull, statistics = jax.vjp(output_of, params, image, has_aux=True)
        return output, *pull(upstream), statistics

    output, of_params, of_image, statistics = jax.device_get(
        run(variables["params"], image, upstream)
    )
    return {
        "output": channels_first(output),
        "gradient/image": channels_first(of_image),
        **to_torch(of_params, "gradient/"),
        **to_torch(statistics, "statistics/"),
    }


def run_torch(python: str, case: Case, width: int, given: Arrays) -> Arrays:
    """The same of PyTorch, in a process of its own. Only arrays are read back."""
    settings = {**case.settings, "width": width}
    told = {"net": case.net, "train": case.train, "settings": settings}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "case.json").write_text(json.dumps(told))
        np.savez(Path(folder, "given.npz"), **given)
        attempt([python, str(NETS), folder], f"PyTorch failed on {case.net}.")
        with np.load(Path(folder, "found.npz"), allow_pickle=False) as found:
            return dict(found)


def to_torch(tree: Variables, prefix: str = "") -> Arrays:
    """A tree of segjax as PyTorch names it and lays it out."""
    return {
        prefix + torch_name(path): torch_layout(path, np.asarray(leaf))
        for path, leaf in flatten_dict(tree).items()
    }


def torch_name(path: tuple[str, ...]) -> str:
    """("decoder2_1", "Conv_0", "kernel") -> "decoder.2.1.conv.weight" """
    layer, leaf = path[0], _LEAVES[path[-1]]
    if layer == "heads":
        return f"head.{leaf}"
    match = re.fullmatch(r"([a-z]+)(\d*)_?(\d*)", layer)
    assert match, path
    kind, level, place = match.groups()
    parts = [kind, level, place or "0", "norm" if "Norm_0" in path else "conv", leaf]
    if kind == "up":
        parts[2:4] = [] if "ConvTranspose2_0" in path else ["0"]
    return ".".join(part for part in parts if part)


_LEAVES = {
    "kernel": "weight",
    "scale": "weight",
    "bias": "bias",
    "mean": "running_mean",
    "var": "running_var",
}


def torch_layout(path: tuple[str, ...], array: np.ndarray) -> np.ndarray:
    """[h,w,in,out] -> [out,in,h,w]; transposed convolutions -> [in,out,h,w]"""
    if array.ndim != 4:
        return array
    return array.transpose((2, 3, 0, 1) if "ConvTranspose2_0" in path else (3, 2, 0, 1))


def channels_first(maps: np.ndarray) -> np.ndarray:
    return np.moveaxis(maps, -1, 1)


def difference(name: str, found: Arrays, expected: Arrays, train: bool) -> float:
    """The largest difference in a tensor over its magnitude; inf where it lacks."""
    if name not in found or name not in expected:
        return math.inf
    ours, theirs = found[name], expected[name]
    if ours.shape != theirs.shape or not ours.dtype == theirs.dtype == np.float64:
        return math.inf
    largest = np.abs(ours - theirs).max()
    if largest == 0:
        return 0.0
    relative = largest / np.abs(expected[yardstick(name, expected, train)]).max()
    return float(relative) if np.isfinite(relative) else math.inf


def yardstick(name: str, expected: Arrays, train: bool) -> str:
    """The tensor by whose largest magnitude this one's difference is measured: itself.

    But the true gradient of a bias that a batch normalisation follows is 0, and both
    sides give rounding noise: there, the gradient of the same layer's kernel.
    """
    layer = name.removesuffix("conv.bias")
    normalised = layer != name and f"{layer}norm.weight" in expected
    return f"{layer}conv.weight" if train and normalised else name


if __name__ == "__main__":
    sys.exit(main())
