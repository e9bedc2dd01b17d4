"""TensorBoard's files, written at once: no thread that a full disk could hang."""

import time
from pathlib import Path
from typing import Any

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.summary import scalar


class Board:
    """Scalars by step. TensorBoard forgets what older files hold from `step` on."""

    def __init__(self, folder: Path, step: int):
        folder.mkdir(exist_ok=True)
        # restarts within a second must not write over each other's file
        unlike = f".{time.time_ns() % 10**9:09d}"
        self.file = EventsWriter(str(folder / "events"), unlike)
        start = SessionLog(status=SessionLog.START)
        self.file.write_event(Event(step=step, session_log=start))

    def write(self, line: dict[str, Any]) -> None:
        """The figures of a step, as metrics.jsonl holds them, but for those that are
        not defined: a curve has a gap there."""
        for name, value in line.items():
            if name != "step" and value is not None:
                event = Event(
                    step=line["step"],
                    summary=scalar(name, value),
                    wall_time=time.time(),
                )
                self.file.write_event(event)

    def flush(self) -> None:
        self.file.flush()

    def close(self) -> None:
        self.file.close()
