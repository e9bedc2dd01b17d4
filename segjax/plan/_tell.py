"""A plan as lines for a reader."""

from ml_collections import ConfigDict

from segjax import parallel
from segjax.plan._compile import Costs, Pictures


def told_parameters(name: str, counts: dict[str, int]) -> list[str]:
    """A line for each part of the network, and their sum."""
    lines = [f"{part:<14}{count:>12,}" for part, count in counts.items()]
    return [*lines, f"{name:<14}{sum(counts.values()):>12,} parameters"]


def told_step(
    config: ConfigDict, target: parallel.Target, batch: int, costs: Costs
) -> list[str]:
    """What a device computes and moves in a step."""
    size, devices = config.data.size, len(target.devices)
    moved = "unknown" if costs.bytes is None else f"{amount(costs.bytes)}B"
    return [
        f"A step of {batch} pictures of {size}x{size} on {devices} x {target.kind},"
        " of one device:",
        f"  FLOPs   {amount(costs.flops):<9} {amount(costs.layer_flops)} of them in"
        " convolutions and matrix products",
        f"  bytes   {moved:<9} read and written, as the compiler counts",
    ]


def told_memory(config: ConfigDict, pictures: Pictures, costs: Costs) -> list[str]:
    """What a device holds, by what it is for."""
    wide = max(map(len, costs.memory))
    lines = [
        f"  {part:<{wide}}{size / 1e6:>11,.1f} MB"
        for part, size in {**costs.memory, "in all": costs.total}.items()
    ]
    if pictures.resident:
        where = f"{pictures.train} to learn from and {pictures.val} that choose"
    elif pictures.train:
        where = "streamed: they take more than data.memory"
    else:
        where = (
            f"data {config.data.name!r} is not at hand to be counted; taken to be"
            " streamed"
        )
    return ["Memory of a device:", *lines, f"  (pictures: {where})"]


def told_roofline(
    costs: Costs, batch: int, peaks: parallel.Peaks | None, measured: bool
) -> list[str]:
    """The shortest time that a step could take."""
    if peaks is None:
        return ["Roofline: unknown; what this device can do stands in no table."]
    source = "measured here" if measured else "by its vendor"
    compute = costs.flops / peaks.flops
    moving = (costs.bytes or 0) / peaks.bytes
    bound = "bytes" if moving > compute else "FLOPs"
    by_bytes = f"{moving * 1e3:,.1f} ms" if costs.bytes else "unknown"
    return [
        f"Roofline of {amount(peaks.flops)}FLOP/s and {amount(peaks.bytes)}B/s,"
        f" {source}:",
        f"  by FLOPs {compute * 1e3:>10,.1f} ms",
        f"  by bytes {by_bytes:>13}",
        f"  bound by {bound}: {batch / max(compute, moving):,.0f} pictures a second at"
        " most",
    ]


def told_largest(largest: int | None, memory: int | None, sure: bool) -> list[str]:
    """The largest batch that fits."""
    if memory is None:
        return ["Largest batch: unknown; nobody says how much memory this device has."]
    room = f"{memory / 1e9:,.1f} GB a device"
    if not largest:
        return [f"Largest batch: none; not even the smallest fits in {room}."]
    if sure:
        return [f"Largest batch: {largest:,} in {room}; its step was compiled too."]
    return [f"Largest batch: about {largest:,} in {room}, by the growth of two steps."]


def amount(value: float) -> str:
    """Three digits and a prefix: '38.9 G'."""
    thousands = 0
    while value >= 999.5 and thousands < 5:
        value, thousands = value / 1000, thousands + 1
    prefix = ("", "k", "M", "G", "T", "P")[thousands]
    digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:.{digits}f} {prefix}"
