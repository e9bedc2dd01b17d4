"""The folder of an encoder that others have trained: `python -m segjax weights` writes
it, and a run may start from it."""

import contextlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

import segjax
from segjax import models
from segjax.base import Mistake

_FILE = "encoder.safetensors"
_PART = f"{_FILE}.part"  # all that a killed process may leave


def check_new_folder(folder: Path) -> None:
    """A Mistake unless an encoder can be written there."""
    for there in (folder, *folder.absolute().parents):
        if there.is_dir():
            break
        if there.exists() or there.is_symlink():
            raise Mistake(f"{there} is a file; give --out a new folder.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise Mistake(f"{there} cannot be written to; give --out another folder.")
    if there == folder and {p.name for p in folder.iterdir()} - {_PART}:
        raise Mistake(f"{folder} is not empty; give --out a new folder.")


def write_encoder(folder: Path, form: str, arrays: Mapping[str, np.ndarray]) -> None:
    """The folder, whole or not at all. arrays: by their names in a network."""
    folder = folder.absolute()
    made = [p for p in (folder, *folder.parents) if not p.exists()]
    told = {"form": form, "arrays": str(len(arrays)), "segjax": segjax.__version__}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _PART).write_bytes(save(dict(arrays), told))
        (folder / _PART).replace(folder / _FILE)
    except BaseException as error:
        for undo in ((folder / _PART).unlink, *(empty.rmdir for empty in made)):
            with contextlib.suppress(OSError):
                undo()
        if isinstance(error, OSError):
            raise Mistake(f"{folder} cannot be written: {error.strerror}.") from None
        raise


def is_encoder(folder: Path) -> bool:
    return (folder / _FILE).is_file()


def read_encoder(folder: Path) -> tuple[str, dict[str, np.ndarray]]:
    """Which encoder lies in the folder, and its arrays by their names in a network."""
    try:
        with safe_open(folder / _FILE, framework="np") as file:
            told = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise Mistake(
            f"{folder / _FILE} cannot be read ({error}); write it again with:"
            " python -m segjax weights"
        ) from None
    if told.get("form") not in models.ENCODERS:
        raise Mistake(
            f"{folder / _FILE} is not what `python -m segjax weights` writes; it turns"
            " such a file of torchvision's into one that a run can start from."
        )
    return told["form"], arrays


def check_fits(
    folder: str, form: str, given: Mapping[str, Any], fresh: Mapping[str, Any]
) -> None:
    """A Mistake unless all arrays given have a place in the fresh ones and no
    convolution of their encoder is left out. What it says is what to set."""
    kernels = _encoder_kernels(fresh)
    if kernels != _encoder_kernels(given):
        segnet = ", or take segnet" if form.startswith("vgg") else ""
        raise Mistake(
            f"init is {folder!r}, which holds the encoder {form}; this model has"
            f" another. Set --config.model.encoder={form} of unet{segnet}."
        )
    if not given.keys() <= fresh.keys():
        raise Mistake(
            f"init is {folder!r}, which holds the encoder {form} with its batch"
            " normalisation, for which this model has no place. Set"
            f" --config.model.encoder={form} of unet, or --config.model.norm=batch of"
            " segnet."
        )
    other = [name for name in given if given[name].shape != fresh[name].shape]
    if other:
        raise Mistake(
            f"init is {folder!r}, which holds the encoder {form}; this model's is of"
            " another width. Set --config.model.width=64."
        )


def _encoder_kernels(names: Iterable[str]) -> set[str]:
    return {n for n in names if re.fullmatch(r"params/encoder.*/kernel", n)}


def parts_of(names: Iterable[str]) -> list[str]:
    """'decoder', 'heads' for parameters of theirs; 'normalisation of the encoder' for
    the encoder's, which lacks nothing else."""
    first = {re.sub(r"[\d_]*$", "", name.split("/")[0]) for name in names}
    own = "normalisation of the encoder"
    return sorted(own if part == "encoder" else part for part in first)
