"""A run whose number of steps was changed on the way."""

from collections.abc import Sequence

from ml_collections import ConfigDict

from segjax.optim import Optimizer, make_optimizer
from segjax.run._config import options
from segjax.run._folder import Saved

Changes = Sequence[Sequence[int]]  # (step, steps): up to that step there were so many


def changes_of_steps(saved: Saved | None, steps: int, newest: int | None) -> Changes:
    """The changes of a run that goes on from its newest step with so many steps."""
    if saved is None or not newest:
        return []
    changes = saved.settled.get("optim", {}).get("changes", [])
    was = saved.config.get("steps")
    if was == steps:
        return changes
    return [*changes, [newest, was]]


def changed_optimizer(config: ConfigDict, changes: Changes) -> Optimizer:
    """The optimizer of a run with such a history."""
    return make_optimizer(config.steps, changes, **options(config.optim))


def told_of_steps(config: ConfigDict, changes: Changes) -> str:
    """What the last of the changes means for the learning rate."""
    at, was = changes[-1]
    before = changed_optimizer(config, changes).schedule(at)
    plain = changed_optimizer(config, ()).schedule(at)
    return (
        f"steps was {was} up to step {at} and is {config.steps}: the learning rate goes"
        f" over from {float(before):.2g} to the course of {config.steps} steps"
        f" ({float(plain):.2g} there)"
    )
