"""TensorBoard events, written at once and by this thread.

PyTorch's SummaryWriter writes from a thread of its own, whose errors (a full disk) end in a traceback on the screen.
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class EventFile:
    """One file of events in `folder`; every method raises OSError if it cannot be written.

    Args:
        folder: made if it is not there.
        purge_step: what earlier files say from this step on is not shown any more; None keeps all.
    """

    def __init__(self, folder: Path, purge_step: int | None = None) -> None:
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog  # slow to import
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._event = Event
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}"
        self._file = open(folder / name, "ab", buffering=0)  # noqa: SIM115 - `close` closes it
        self._records = RecordWriter(self._file)
        self._write(file_version="brain.Event:2")
        if purge_step is not None:
            self._write(step=purge_step, session_log=SessionLog(status=SessionLog.START))

    def add_scalars(self, values: dict[str, float], step: int) -> None:
        """One value for each name."""
        from torch.utils.tensorboard import summary

        for name, value in values.items():
            self._write(step=step, summary=summary.scalar(name, value))  # type: ignore[no-untyped-call]

    def add_picture(self, name: str, picture: NDArray[np.uint8], step: int) -> None:
        """(H, W, 3) uint8 RGB."""
        from torch.utils.tensorboard import summary

        shown = summary.image(name, picture, dataformats="HWC")  # type: ignore[no-untyped-call]
        self._write(step=step, summary=shown)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _write(self, **fields: Any) -> None:
        self._records.write(self._event(wall_time=time.time(), **fields).SerializeToString())
