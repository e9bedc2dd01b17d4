"""Other people's weights: torchvision's VGG16 and ResNets, turned into encoders.

Only safetensors files are read. PyTorch's own are pickles, and to read a pickle is to
run what it says.
"""

import functools
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from safetensors import SafetensorError, safe_open

from segjax import models, run
from segjax.base import Mistake, check_choice

_LEAVES = {
    "kernel": "weight",
    "scale": "weight",
    "bias": "bias",
    "mean": "running_mean",
    "var": "running_var",
}
_CONVS = (2, 2, 3, 3)  # of VGG16, before each pooling but the last
# What comes after the encoder, as torchvision and as timm call it.
_CLASSIFIERS = ("fc.", "classifier.", "pre_logits.", "head.")
_COUNTER = ".num_batches_tracked"
_TYPES = ("F64", "F32", "F16", "BF16")
_PICKLES = (".pth", ".pt", ".bin", ".pkl")
_TO_TORCH = (3, 2, 0, 1)  # [h,w,in,out] -> [out,in,h,w]


def convert(file: str, form: str, out: str) -> str:
    """The encoder of a safetensors file written to the folder `out`, for a run to start
    from. Gives what to tell: what was taken, what was left, and how to start.

    A Mistake where anything is not as torchvision's `form` has it; nothing is written.
    """
    check_choice("--as", form, models.ENCODERS)
    folder = Path(out)
    run.check_new_folder(folder)
    source = _open(Path(file))
    shapes = {n: tuple(source.get_slice(n).get_shape()) for n in source.keys()}  # noqa: SIM118
    layers = {n: s for n, s in shapes.items() if not _is_left(n)}
    _check_form(file, form, layers)
    places = _places(form)
    arrays = {name: _read(source, file, at.name) for name, at in places.items()}
    run.write_encoder(folder, form, arrays)
    numbers = sum(array.size for array in arrays.values())
    left = sorted(n for n in shapes if _is_left(n) and not n.endswith(_COUNTER))
    start = "python launch.py --config configs/"
    told = [
        f"{form}: {len(arrays)} arrays, {numbers:,} numbers, written to {folder}",
        f"left:  {', '.join(left) or 'nothing'}",
        f"start: {start}unet.py --config.model.encoder={form} --config.init={folder}",
    ]
    if form.startswith("vgg"):
        told.append(f"or:    {start}segnet.py:paper --config.init={folder}")
    return "\n".join(told)


def torchvision_name(form: str, name: str) -> str:
    """What torchvision calls an array of an encoder.

    "params/encoder1_0/conv2/Conv_0/kernel" -> "layer1.0.conv2.weight"
    """
    _, layer, *inside, leaf = name.split("/")
    level, i = map(int, layer.removeprefix("encoder").split("_"))
    norm = "Norm_0" in inside
    if form.startswith("vgg"):  # numbered through: convolution, (norm,) ReLU; pooling
        each = 3 if form == "vgg16_bn" else 2
        place = sum(each * convs + 1 for convs in _CONVS[:level]) + each * i + norm
        where = f"features.{place}"
    elif level == 0:
        where = "bn1" if norm else "conv1"
    elif inside[0] == "shortcut":
        where = f"layer{level}.{i}.downsample.{int(norm)}"
    else:
        kind = "bn" if norm else "conv"
        where = f"layer{level}.{i}.{kind}{inside[0].removeprefix('conv')}"
    return f"{where}.{_LEAVES[leaf]}"


class Place(NamedTuple):
    """Where an array stands in torchvision's network."""

    name: str
    shape: tuple[int, ...]


@functools.cache
def _places(form: str) -> dict[str, Place]:
    """The place of each array of the encoder, by its name in a network here."""
    found = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(models.encoder_shapes(form)):
        name = "/".join(part.key for part in path)
        shape = (
            tuple(leaf.shape[i] for i in _TO_TORCH) if leaf.ndim == 4 else leaf.shape
        )
        found[name] = Place(torchvision_name(form, name), shape)
    return found


def _is_left(name: str) -> bool:
    return name.startswith(_CLASSIFIERS) or name.endswith(_COUNTER)


def _check_form(file: str, form: str, layers: Mapping[str, tuple[int, ...]]) -> None:
    """A Mistake unless the file's layers are all those of the form, and no others."""
    expected = dict(_places(form).values())
    if layers == expected:
        return
    for other in models.ENCODERS:
        if layers == dict(_places(other).values()):
            raise Mistake(f"{file} is not {form} but {other}; type --as {other}.")
    wrong = []
    if lacking := expected.keys() - layers.keys():
        wrong.append(f"it lacks {_some(lacking)}")
    if foreign := layers.keys() - expected.keys():
        wrong.append(f"it holds {_some(foreign)}")
    for name in () if wrong else sorted(expected):
        if layers[name] != expected[name]:
            has, must = list(layers[name]), list(expected[name])
            wrong.append(f"{name} is {has} and must be {must}")
    said = ", and ".join(wrong[:2])
    raise Mistake(f"{file} is not torchvision's {form}: {said}.")


def _some(names: AbstractSet[str]) -> str:
    """'62 arrays (bn1.bias, bn1.running_mean, bn1.running_var, ...)'"""
    first = sorted(names)[:3]
    more = ", ..." if len(names) > len(first) else ""
    return f"{len(names)} array{'s' * (len(names) > 1)} ({', '.join(first)}{more})"


def _open(path: Path) -> Any:
    """The safetensors file, its header read."""
    if path.is_dir():
        raise Mistake(f"{path} is a folder; give a file, *.safetensors.")
    try:
        with path.open("rb") as file:
            start = file.read(2)
        return safe_open(path, framework="np")
    except OSError as error:
        raise Mistake(f"{path} cannot be read: {error.strerror or error}.") from None
    except SafetensorError as error:
        # torch.save's zip, and what it wrote before
        if path.suffix in _PICKLES or start[:1] == b"\x80" or start == b"PK":
            raise Mistake(_how_to_unpickle(path)) from None
        raise Mistake(
            f"{path} is not a safetensors file, or not all of it ({error}); get it"
            " again."
        ) from None


def _how_to_unpickle(path: Path) -> str:
    safe = path.with_suffix(".safetensors")
    return (
        f"{path} is a pickle, which could run anything, and is not read. Where you"
        ' have PyTorch and trust the file, type: python -c "import torch; from'
        f" safetensors.torch import save_file; save_file(torch.load('{path}',"
        f" map_location='cpu', weights_only=True), '{safe}')\" and give {safe.name}."
    )


def _read(source: Any, file: str, name: str) -> np.ndarray:
    """An array as it stands in a network: float32, kernels [h,w,in,out]."""
    kind = source.get_slice(name).get_dtype()
    if kind not in _TYPES:
        raise Mistake(f"{name} in {file} is {kind}; weights are one of {_TYPES}.")
    with np.errstate(over="ignore"):  # of float64; found below
        array = source.get_tensor(name).astype(np.float32)  # jax tells numpy bfloat16
    if not np.isfinite(array).all():
        raise Mistake(
            f"{name} in {file} holds numbers that are not finite; get it again."
        )
    if array.ndim == 4:
        array = array.transpose(np.argsort(_TO_TORCH))
    return np.ascontiguousarray(array)
