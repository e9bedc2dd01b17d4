"""A new run started from the weights of another, or of others' encoders."""

from pathlib import Path
from typing import Any

import jax

from segjax import checkpoint
from segjax.base import Mistake
from segjax.run._encoder import check_fits, is_encoder, parts_of, read_encoder
from segjax.run._folder import read_config
from segjax.run._history import best_step, evaluated_steps


def load_variables(folder: Path, step: int | None = None) -> tuple[int, dict[str, Any]]:
    """The step and the weights for use of a run's best checkpoint, or of a step's."""
    if not (folder / "checkpoints").is_dir():
        raise Mistake(f"{folder} has no checkpoint yet; train it first.")
    with checkpoint.open_checkpoints(folder / "checkpoints", to_read=True) as manager:
        steps = sorted(manager.all_steps())
        best = best_step(evaluated_steps(folder), steps) if step is None else step
        chosen = steps[-1] if best is None and steps else best
        held = ", ".join(map(str, steps)) or "none"
        if chosen is None or chosen not in steps:
            asked = "" if step is None else f" of step {step}"
            raise Mistake(f"{folder} has no checkpoint{asked}; it has: {held}.")
        try:
            saved = checkpoint.read(manager, chosen, {"model": None})
        except checkpoint.Damaged as damage:
            raise Mistake(
                f"The checkpoint of step {chosen} in {folder} is damaged: {damage}."
                f" There are: {held}; load_run(folder, step=...) takes another."
            ) from None
    return chosen, used_variables(saved.parts["model"])


def used_variables(model: dict[str, Any]) -> dict[str, Any]:
    """Of what a checkpoint holds for prediction: the averaged weights, where there
    are any."""
    now = {"params": model["params"], "batch_stats": model["batch_stats"]}
    return model["ema"] or now


def start_from(folder: str, fresh: Any) -> tuple[dict[str, Any], str]:
    """The fresh variables with each array that the other run, or the converted encoder,
    has in the same name and shape replaced by its own, and a sentence that says what
    was taken.

    A Mistake where that is none. Shapes will do for `fresh`, to find that out.
    """
    encoder = is_encoder(Path(folder))
    source, given = _from_encoder(folder, fresh) if encoder else _from_run(folder)
    new = []

    def choose(path, leaf):
        name = _name(path)
        if name in given and given[name].shape == leaf.shape:
            return given[name]
        new.append(name)
        return leaf

    chosen = jax.tree_util.tree_map_with_path(choose, fresh)
    total, made = len(_leaves(fresh)), [n for n in new if n.startswith("params/")]
    kernels = [_name(path) for path, leaf in _leaves(fresh) if leaf.ndim > 1]
    if set(kernels) <= set(new):  # a bias of the right length is no network
        raise Mistake(f"init is {folder!r}, but no kernel there fits this model.")
    told = f"init: {total - len(new)} of {total} arrays from {folder}, {source}"
    if made:
        names = [name.removeprefix("params/") for name in made]
        told += f"; new: {', '.join(parts_of(names) if encoder else names[:4])}"
        told += " and more" if len(names) > 4 and not encoder else ""
    return chosen, told


def _from_run(folder: str) -> tuple[str, dict[str, Any]]:
    """What tells this donor, and its arrays by name."""
    if read_config(Path(folder)) is None:
        raise Mistake(
            f"init is {folder!r}, which is not the folder of a run, nor one that"
            " `python -m segjax weights` wrote."
        )
    step, donor = load_variables(Path(folder))
    return f"step {step}", _by_name(donor)


def _from_encoder(folder: str, fresh: Any) -> tuple[str, dict[str, Any]]:
    """The same of an encoder, which must be this model's."""
    form, given = read_encoder(Path(folder))
    check_fits(folder, form, given, _by_name(fresh))
    return form, given


def _by_name(tree) -> dict[str, Any]:
    return {_name(path): leaf for path, leaf in _leaves(tree)}


def _leaves(tree):
    return jax.tree_util.tree_leaves_with_path(tree)


def _name(path) -> str:
    return "/".join(str(part.key) for part in path)
