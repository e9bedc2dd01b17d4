"""Several hosts: how they join, and how one of them decides for all."""

import contextlib
import json
import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils

from segjax.base import MISTAKE, Mistake

_JOIN_WITHIN = 45  # seconds until all processes of a run must have come
_DEAD_AFTER = 30  # seconds without a sign of life after which a process is given up

T = TypeVar("T")


def join_cluster(where: str) -> None:
    """Join the other processes of this run. Before anything else touches jax.

    where: '' on a Cloud TPU pod or under a scheduler that jax knows, which say
    themselves; else HOST:PORT,COUNT,INDEX with the address of process 0.
    """
    how = _parse_cluster(where)
    try:
        with not_alone(where):
            jax.distributed.initialize(
                **how,
                initialization_timeout=4 * _JOIN_WITHIN,  # ours is first
                heartbeat_timeout_seconds=_DEAD_AFTER,
                shutdown_timeout_seconds=_DEAD_AFTER,
            )
            jax.devices()  # until all are there
    except (ValueError, RuntimeError) as error:
        raise Mistake(
            f"This process cannot join the others: {str(error).splitlines()[0]}"
            " Outside of a Cloud TPU pod, --cluster=HOST:PORT,COUNT,INDEX says where"
            " process 0 is, how many there are, and which one this is."
        ) from None


def _parse_cluster(where: str) -> dict[str, Any]:
    if not where:
        return {}
    try:
        address, count, index = where.split(",")
        port, processes, process = int(address.split(":")[1]), int(count), int(index)
        if not (0 < port < 65536 and 0 <= process < processes):
            raise ValueError
    except (ValueError, IndexError):
        raise Mistake(
            f"--cluster is {where!r}; it must be HOST:PORT,COUNT,INDEX, for example"
            " 10.0.0.2:8476,2,0 on the first of two machines."
        ) from None
    return {
        "coordinator_address": address,
        "num_processes": processes,
        "process_id": process,
        "cluster_detection_method": "deactivate",
    }


@contextlib.contextmanager
def not_alone(where: str):
    """The block may wait for other processes, but not for ever."""
    waited = threading.Timer(_JOIN_WITHIN, _end_alone, [where])
    waited.daemon = True
    waited.start()
    try:
        yield
    finally:
        waited.cancel()


def _end_alone(where: str) -> None:
    """The other processes have not come; jax itself would end with a stack trace."""
    start = (
        "the same command, with its own INDEX, on each machine"
        if where
        else "gcloud compute tpus tpu-vm ssh NAME --worker=all"
        " --command='python launch.py --cluster ...'"
    )
    print(
        f"\nsegjax: Not all processes of this run have come within {_JOIN_WITHIN}"
        f" seconds. Start all of them at once: {start}.",
        file=sys.stderr,
        flush=True,
    )
    os._exit(MISTAKE)


def hosts() -> int:
    return jax.process_count()


def is_first() -> bool:
    """Whether this is the host that keeps the run folder."""
    return jax.process_index() == 0


def on_first_host(decide: Callable[[], Any]) -> Any:
    """What decide() gives on the first host, on all of them; what it raises too.

    With several hosts, what JSON can hold.
    """
    if hosts() == 1:
        return decide()
    answer: dict[str, Any] = {}
    if is_first():
        try:
            answer["value"] = decide()
        except Mistake as mistake:
            answer["mistake"] = str(mistake)
        except OSError as error:
            answer["failure"] = [error.errno, error.strerror or str(error)]
    answer = _tell_all(answer)
    if "mistake" in answer:
        raise Mistake(answer["mistake"])
    if "failure" in answer:
        raise OSError(*answer["failure"])
    return answer["value"]


def from_first_host(mine: list[Any], like: Any) -> Any:
    """The one tree in the first host's list, on all hosts. like: its shapes."""
    if hosts() == 1:
        return mine[0]
    empty = jax.tree.map(lambda a: np.zeros(a.shape, a.dtype), like)
    return multihost_utils.broadcast_one_to_all(mine[0] if mine else empty)


def on_every_host(decide: Callable[[], T]) -> T:
    """What decide() gives here, once it gives something on all hosts; the Mistake of
    one is a Mistake on all, who would else wait for it in vain."""
    if hosts() == 1:
        return decide()
    mistake, found = "", []
    try:
        found.append(decide())
    except Mistake as error:
        mistake = str(error)
    for host, told in enumerate(_tell_each_other(mistake)):
        if told:
            raise Mistake(f"Host {host}: {told}")
    return found[0]


def check_same(what: str, value: Any) -> None:
    """A Mistake where the hosts were given different things."""
    given = _tell_each_other(json.dumps(value))
    others = [str(host) for host, one in enumerate(given) if one != given[0]]
    if others:
        raise Mistake(
            f"The {what} of host {', '.join(others)} is not that of host 0; start the"
            " same command, on the same data, on all hosts."
        )


def _tell_each_other(text: str) -> list[str]:
    """The text of each host."""
    if hosts() == 1:
        return [text]
    mine = np.frombuffer(text.encode(), np.uint8)
    sizes = multihost_utils.process_allgather(np.array(mine.size, np.int32))
    padded = np.zeros(max(int(sizes.max()), 1), np.uint8)
    padded[: mine.size] = mine
    found = multihost_utils.process_allgather(padded)
    return [bytes(row[:size]).decode() for row, size in zip(found, sizes)]


def _tell_all(answer: dict[str, Any]) -> dict[str, Any]:
    text = np.frombuffer(json.dumps(answer).encode(), np.uint8)
    size = multihost_utils.broadcast_one_to_all(np.array(text.size, np.int32))
    padded = np.zeros(int(size), np.uint8)
    padded[: text.size] = text[: int(size)]
    told = multihost_utils.broadcast_one_to_all(padded)
    return json.loads(np.asarray(told, np.uint8).tobytes().decode())


def gather(rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The rows of all hosts, [n / hosts, ...] -> [hosts, n / hosts, ...]"""
    if hosts() == 1:
        return {word: row[None] for word, row in rows.items()}
    return multihost_utils.process_allgather(rows)


def gather_texts(texts: Sequence[str]) -> list[str]:
    """Each text from a host that has it; '' stands for one that it has not."""
    if hosts() == 1:
        return list(texts)
    encoded = [text.encode() for text in texts]
    longest = np.array(max(map(len, encoded), default=0))
    width = max(int(multihost_utils.process_allgather(longest).max()), 1)
    mine = np.array([list(one.ljust(width, b"\0")) for one in encoded], np.uint8)
    found = multihost_utils.process_allgather(mine).max(0)  # [hosts, n, width]
    return [bytes(row).rstrip(b"\0").decode() for row in found.tolist()]


def describe_dangers() -> str:
    """What several hosts must know of each other; '' for one alone."""
    if hosts() == 1:
        return ""
    return (
        f"one that falls silent ends the run within {_DEAD_AFTER} seconds; the same"
        " command on all of them goes on"
    )
