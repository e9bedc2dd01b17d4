"""How long it takes to read people from heat and fields, against how many there are.

    python benchmarks/decode_people.py [--size 256] [--rounds 10]

The maps are true ones of dancers' skeletons strewn over a picture, with room for 64
people whoever is there, and with no more room than people. Medians of rounds in turns.
"""

import argparse
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from segjax import tasks
from segjax.data import dancers
from segjax.tasks._centers import RARE

PEOPLE = (1, 5, 20, 50)
ROOM = 64
STRIDE = 2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=10)
    flags = parser.parse_args()
    bodies = skeletons()
    decoders = {}
    for many in PEOPLE:
        for room in (ROOM, max(2, many)):
            maps, decode = prepare(bodies, many, room, flags.size)
            called = int((decode(maps)["score"] >= 0).sum())
            decoders[many, room] = maps, decode, called
    times = {key: [] for key in decoders}
    for _ in range(flags.rounds):
        for key, (maps, decode, _) in decoders.items():
            began = time.perf_counter()
            jax.block_until_ready(decode(maps))
            times[key].append(1e3 * (time.perf_counter() - began))
    print(
        f"{flags.size}x{flags.size} pixels, stride {STRIDE}, 14 joints, 13 limbs;"
        f" medians of {flags.rounds} (fastest, slowest)"
    )
    for (many, room), (_, _, called) in decoders.items():
        of = times[many, room]
        print(
            f"{many:>3} people, {called:>3} called, room for {room:>3}:"
            f" {np.median(of):7.1f} ms ({min(of):.1f}, {max(of):.1f})"
        )
    return 0


def skeletons(count: int = 50) -> list[np.ndarray]:
    """Dancers' joints, each about their middle, for a body of height 1. f32[14,3]"""
    found, k = [], 0
    while len(found) < count:
        points = dancers.draw(0, k, 96)["keypoints"][:1]
        k += 1
        if len(points) and (points[0, :, 2] > 0).all():
            places = points[0, :, :2] - points[0, :, :2].mean(0)
            tall = np.ptp(places[:, 0])
            found.append(np.c_[places / max(tall, 1e-6), points[0, :, 2]])
    return found


def prepare(bodies: list[np.ndarray], many: int, room: int, size: int):
    """True maps of so many people, and what reads them, compiled."""
    info = dancers.make_info()._replace(people=room)
    task = tasks.make_task(
        info=info, name="pose", people=room, stride=STRIDE, sigma=0.01
    )
    example = {
        "image": np.zeros((size, size, 3), np.uint8),
        "keypoints": strewn(bodies, many, room, size),
    }
    targets = jax.jit(task.encode)(example)
    heat = jnp.clip(targets["heat"], 1e-6, 1 - 1e-6)
    ways = targets["ways"].reshape(*heat.shape[:2], -1)
    maps = {"heatmap": jnp.log(heat) - jnp.log1p(-heat) - RARE, "paf": ways}
    maps = {name: m.repeat(STRIDE, 0).repeat(STRIDE, 1) for name, m in maps.items()}
    return maps, jax.jit(task.decode)


def strewn(bodies, many: int, room: int, size: int) -> np.ndarray:
    """People on the squares of a board, as tall as its squares leave room for."""
    rows = int(np.ceil(np.sqrt(many)))
    square = size / rows
    points = np.zeros((room, *bodies[0].shape), np.float32)
    for k, body in enumerate(bodies[:many]):
        middle = square * (np.array(divmod(k, rows)) + 0.5)
        span = max(np.ptp(body[:, 0]), np.ptp(body[:, 1]))
        points[k] = body
        points[k, :, :2] = middle + body[:, :2] * 0.8 * square / span
    return points


if __name__ == "__main__":
    sys.exit(main())
