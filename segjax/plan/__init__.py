"""What a training takes, found by compiling its step from shapes alone: no picture is
read or drawn, no weight is made, no step is run."""

import functools
from collections.abc import Iterator

from ml_collections import ConfigDict

from segjax import models, parallel, run
from segjax.plan._compile import (
    Costs,
    Pictures,
    compile_step,
    costs_of,
    find_pictures,
    step_shapes,
)
from segjax.plan._flops import count_flops
from segjax.plan._largest import largest_batch
from segjax.plan._tell import (
    told_largest,
    told_memory,
    told_parameters,
    told_roofline,
    told_step,
)

__all__ = [
    "Costs",
    "Pictures",
    "compile_step",
    "costs_of",
    "count_flops",
    "find_pictures",
    "largest_batch",
    "plan",
    "step_shapes",
]


def plan(
    config: ConfigDict, parts: run.Parts, target: parallel.Target
) -> Iterator[list[str]]:
    """The plan as lines, a few at a time, as they are found."""
    counts = models.count_parameters(parts.model)
    yield told_parameters(config.model.name, counts)
    pictures, devices = find_pictures(config, parts.info), len(target.devices)

    @functools.cache
    def costs(batch: int) -> Costs | None:
        shapes = step_shapes(config, parts, pictures, devices, batch)
        made = compile_step(parts, target, shapes)
        return made and costs_of(shapes, pictures, *made)

    def bytes_of(batch: int) -> int | None:
        found = costs(batch)
        return found and found.total

    batch, unit = config.batch, devices * parts.optimizer.accumulate
    while (found := costs(batch)) is None and batch > unit:
        yield [f"A step of {batch} pictures does not fit in these devices' memory."]
        batch = max(batch // 2 // unit, 1) * unit
    if found is not None:
        yield told_step(config, target, batch, found)
        yield told_memory(config, pictures, found)
        peaks = parallel.peaks_of(target, config.model.get("dtype") or "float32")
        yield told_roofline(found, batch, *peaks)
    memory, sure = parallel.memory_of(target), not target.is_cpu
    if memory and sure:
        yield ["Looking for the largest batch: larger steps are compiled ..."]
    largest = memory and largest_batch(bytes_of, batch, unit, memory, sure)
    yield told_largest(largest, memory, sure)
