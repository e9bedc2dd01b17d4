"""Each object for itself: which pixels are things of some class, and whose they are."""

from collections.abc import Iterable
from typing import Any

import jax.numpy as jnp
import numpy as np

from segjax.base import VOID, Info, Task
from segjax.tasks import _objects, semantic
from segjax.tasks._centers import with_objects
from segjax.tasks._objects import OBJECTS, kinds_of


def make_task(
    info: Info,
    *,
    cross_entropy: float = 1.0,
    dice: float = 1.0,
    focal: float = 0.0,
    class_weights: tuple[float, ...] | str | None = None,
    center: float = 1.0,
    offset: float = 1.0,
    objects: int = OBJECTS,
    apart: float = 0.02,
    least: float = 0.3,
) -> Task:
    """The objects of info.things; what is none of them is called class 0.

    cross_entropy, dice, focal, class_weights: as of task 'semantic', of the background
    and the things; center, offset: weights of the two other terms; objects: most in a
    picture; apart: least distance of two middles, a share of the longer side; least:
    heat, from 0 to 1, that is a middle.
    """
    kinds = kinds_of(info, "instance")
    of_data, known, names = _numbering(info)
    those = semantic.make_task(
        names,
        cross_entropy=cross_entropy,
        dice=dice,
        focal=focal,
        class_weights=class_weights,
    )

    def encode(example):
        labels = jnp.asarray(known)[example["semantic"].astype(jnp.int32)]
        return those.encode({"semantic": labels})

    def decode(outputs):
        found = those.decode(outputs)
        labels = jnp.asarray(of_data)[found["semantic"].astype(jnp.int32)]
        of_those = found["probability"]
        every = jnp.zeros((*labels.shape, len(info.classes)), of_those.dtype)
        return {"semantic": labels, "probability": every.at[..., of_data].set(of_those)}

    return with_objects(
        info,
        those._replace(encode=encode, decode=decode),
        kinds,
        center=center,
        offset=offset,
        slots=objects,
        apart=apart,
        least=least,
    )


def _numbering(info: Info) -> tuple[np.ndarray, np.ndarray, Info]:
    """The data's number of each class here, 0 the background; the number here of each
    of the data's; and what the classes here are. u8[n], u8[256]"""
    things = [c for c, name in enumerate(info.classes) if name in info.things]
    of_data = np.array([0, *things], np.uint8)
    known = np.zeros(256, np.uint8)
    known[things] = np.arange(1, len(of_data))
    known[VOID] = VOID
    return of_data, known, Info(("background", *(info.classes[c] for c in things)))


def settle(
    info: Info, examples: Iterable[dict[str, np.ndarray]], **config
) -> dict[str, Any]:
    """The class weights that are to be measured; or a Mistake where objects find no
    room."""
    _, known, names = _numbering(info)
    here = ({**e, "semantic": known[e["semantic"]]} for e in examples)
    return _objects.settle(names, here, config.get("objects", OBJECTS), **config)
