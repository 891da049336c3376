"""Recordings made on request while a stream runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from ..background_queue import Errands
from ..errors import EdgeganError
from ..model.image import Image
from .controls.panel import Panel
from .frame_clock import FrameClock
from .sink import Sink
from .sinks import open_sink
from .snapshots import next_path
from .source import Frame


class Recorder(Sink):
    """Records `recording-0001.mp4` and on, while the panel says so. A recording that fails is said and ended.

    A recording begins at second 0, with the clock's sound from there on. It is finished in a thread of its own,
    which copies the whole file once more: what is shown goes on meanwhile, and so may the next recording.

    Args:
        folder: where they go; made with the first.
        panel: says when.
        clock: of the stream.
        compose: gives a recording its view and mark.
    """

    def __init__(self, folder: Path, panel: Panel, clock: FrameClock, compose: Callable[[Sink], Sink]) -> None:
        self._folder, self._panel, self._clock, self._compose = folder, panel, clock, compose
        self._sink: Sink | None = None
        self._endings = Errands("edgegan-finish")

    def write(self, frame: Frame, before: Image | None = None) -> None:
        """Begins, goes on or ends, as the panel says."""
        if not self._panel.look.recording:
            return self._finish()
        try:
            if self._sink is None:
                self._begin(frame)
            if self._sink is not None:
                self._sink.write(frame, before)
        except EdgeganError as error:
            self._panel.choose(recording=False)
            self._panel.say(f"not recorded: {error.seen}")
            self._finish(failed=True)

    def _begin(self, first: Frame) -> None:
        path = next_path(self._folder, "recording", ".mp4")
        self._sink = self._compose(open_sink(str(path), self._clock.beginning_at(first), label=False))
        self._panel.say(f"recording {path}")

    def _finish(self, *, failed: bool = False) -> None:
        """Lets a thread end the recording that is under way, if there is one."""
        sink, self._sink = self._sink, None
        if sink is not None:
            self._endings.send(partial(self._end, sink, failed))

    def _end(self, sink: Sink, failed: bool) -> None:
        try:
            sink.close()
            if not failed:
                self._panel.say(f"written: {sink.about}")
        except EdgeganError as error:
            self._panel.say(f"not finished: {error.seen}")

    def close(self) -> None:
        """Ends a recording that is under way, and returns when all are whole."""
        self._finish()
        self._endings.close()
