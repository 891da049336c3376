"""Recordings made on request while a stream runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from ..background_queue import Errands
from ..errors import EdgeganError
from ..model.image import Image
from .controls.panel import Panel
from .sinks import Clock, Sink, open_sink
from .snapshots import next_path
from .sources import Frame


class Recorder(Sink):
    """Records `recording-0001.mp4` and on, while the panel says so. A recording that fails is said and ended.

    A recording begins at second 0, with the clock's sound from there on. It is finished in a thread of its own,
    which copies the whole file once more: what is shown goes on meanwhile, and so may the next recording.

    Args:
        folder: where they go; made with the first.
        panel: says when.
        clock: of the stream.
        dress: gives a recording its view and mark.
    """

    def __init__(self, folder: Path, panel: Panel, clock: Clock, dress: Callable[[Sink], Sink]) -> None:
        self._folder, self._panel, self._clock, self._dress = folder, panel, clock, dress
        self._sink: Sink | None = None
        self._first: Frame | None = None
        self._endings = Errands("edgegan-finish")

    def write(self, frame: Frame, before: Image | None = None) -> str:
        """Begins, goes on or ends, as the panel says."""
        if not self._panel.look.recording:
            self._finish()
            return ""
        try:
            if self._sink is None:
                self._begin(frame)
            self._record(frame, before)
        except EdgeganError as error:
            self._panel.choose(recording=False)
            self._panel.say(f"not recorded: {error.seen}")
            self._finish(failed=True)
        return ""

    def _begin(self, first: Frame) -> None:
        path = next_path(self._folder, "recording", ".mp4")
        clock = self._clock
        if clock.sound is not None:
            begin_s = clock.sound.begin_s + clock.moment_s(first, first.timestamp)
            clock = replace(clock, sound=replace(clock.sound, begin_s=begin_s))
        self._sink, self._first = self._dress(open_sink(str(path), clock, label=False)), first
        self._panel.say(f"recording {path}")

    def _record(self, frame: Frame, before: Image | None) -> None:
        """Writes the frame as one of a film that begins with the first one recorded."""
        if self._sink is None or self._first is None:
            return
        begin = self._first.moment_s
        moment_s = None if frame.moment_s is None or begin is None else frame.moment_s - begin
        self._sink.write(replace(frame, index=frame.index - self._first.index, moment_s=moment_s), before)

    def _finish(self, *, failed: bool = False) -> None:
        """Lets a thread end the recording that is under way, if there is one."""
        sink, self._sink, self._first = self._sink, None, None
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
