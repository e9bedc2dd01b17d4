"""Checkpoints: the newest two and the best, written by Orbax behind the training."""

from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
from absl import logging
from jax.sharding import Sharding
from orbax.checkpoint import checkpoint_managers

PARTS = ("model", "training")  # what prediction needs; what only going on needs
SCORE = "score"

logging.set_verbosity(logging.ERROR)  # Orbax warns of what is as it should be


def open_checkpoints(folder: Path, to_read: bool = False) -> ocp.CheckpointManager:
    """The checkpoints of a run. Leftovers of a killed save are cleared away.

    to_read: nothing is made nor cleared; another process may be training here.
    """
    options = ocp.CheckpointManagerOptions(
        preservation_policy=checkpoint_managers.AnyPreservationPolicy(
            [
                checkpoint_managers.LatestN(2),
                checkpoint_managers.BestN(
                    get_metric_fn=lambda metrics: metrics[SCORE],
                    n=1,
                    keep_checkpoints_without_metrics=False,
                ),
            ]
        ),
        best_fn=lambda metrics: metrics[SCORE],  # without it, metrics are not written
        cleanup_tmp_directories=not to_read,
        create=not to_read,
    )
    handlers = {part: ocp.StandardCheckpointHandler() for part in PARTS}
    return ocp.CheckpointManager(
        folder.absolute(), options=options, item_handlers=handlers
    )


def save(manager: ocp.CheckpointManager, step: int, score: float, **parts: Any) -> None:
    """Start to write the parts of a checkpoint; their arrays may be donated at once.

    score: what decides which is best; nan where it was not measured.
    """
    items = {name: ocp.args.StandardSave(tree) for name, tree in parts.items()}
    manager.save(
        step,
        args=ocp.args.Composite(**items),
        metrics={SCORE: float(score)} if score == score else None,
        force=True,
    )


def restore(
    manager: ocp.CheckpointManager, step: int, sharding: Sharding, **targets: Any
) -> dict[str, Any]:
    """Parts of a checkpoint, shaped and placed as the targets given.

    A target of None takes the part as it was saved.
    """
    args = {}
    for part, target in targets.items():
        if target is None:
            target = manager.item_metadata(step)[part]
        args[part] = ocp.args.StandardRestore(
            jax.tree.map(
                lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype, sharding=sharding),
                target,
            )
        )
    return dict(manager.restore(step, args=ocp.args.Composite(**args)).items())
