"""The live loop: one thread reads, one edits, and the caller's thread shows.

The newest frame wins for a live source: a frame that waits when a newer one comes is dropped and counted. From a
file no frame is lost: whoever is faster waits. Frames are shown in the order they were read.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from threading import Thread

from ..channel import Channel, ChannelClosed
from ..metrics.stats import Stats
from ..metrics.stopwatch import Record
from ..model.image import Image
from .sinks import Sink
from .sources import Frame, Source

Process = Callable[[Frame, Record], Image]  # must leave the frame's picture as it is

_WAITING = 4  # frames between two threads when none may be lost

# Why a frame was not shown.
BEHIND = "behind"  # the source left it out, to catch up with what it shows
MODEL_BUSY = "model_busy"  # a newer frame came while the model worked
SINK_BUSY = "sink_busy"  # a newer one was ready while the sinks worked
STOPPED = "stopped"  # under way when the run ended
FAILED = "failed"  # its processing or writing raised


class Stream:
    """Frames from `source` through `process` to `sink`.

    Args:
        source: open; stays the caller's to close.
        process: frame in, picture out, (H, W, 3) uint8 BGR; runs in a thread of its own, one frame at a time. What it
            records of a stage named "network" is left out of `besides`.
        sink: open; written to from the thread that calls `run`, which windows need. Stays the caller's to close.
        newest_wins: the drop rule; None takes it from the source.
        on_keys: given the keys pressed in a window; False ends the run.
        stats: counts and clocks; a HUD may share them.
    """

    def __init__(
        self,
        source: Source,
        process: Process,
        sink: Sink,
        *,
        newest_wins: bool | None = None,
        on_keys: Callable[[str], bool] | None = None,
        stats: Stats | None = None,
    ) -> None:
        self._source, self._edit, self._sink = source, process, sink
        self._newest_wins = source.live if newest_wins is None else newest_wins
        self._on_keys = on_keys
        self.stats = stats or Stats()

    def run(self, *, max_frames: int | None = None, seconds: float | None = None) -> Stats:
        """Runs until the source ends, a key ends it, `max_frames` were shown or `seconds` have passed.

        Both threads have ended when it returns or raises, and frames read = shown + dropped. An error in any
        thread is raised here, after the frames before it were shown; so is Ctrl-C, at once. Runs once.
        """
        capacity = 1 if self._newest_wins else _WAITING
        captured: Channel[Frame] = Channel(capacity, newest_wins=self._newest_wins)
        edited: Channel[tuple[Frame, Image]] = Channel(capacity, newest_wins=self._newest_wins)
        # Daemons, so that a driver that never answers cannot keep the program alive after a second Ctrl-C.
        threads = [
            Thread(target=self._read, args=(captured, max_frames), name="edgegan-read", daemon=True),
            Thread(target=self._process, args=(captured, edited), name="edgegan-process", daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            self._show(edited, max_frames, seconds)
        finally:
            self.stats.frames_dropped(STOPPED, captured.abort() + edited.abort())
            self._source.stop()
            for thread in threads:
                thread.join()
        return self.stats

    def _read(self, captured: Channel[Frame], max_frames: int | None) -> None:
        stats = self.stats
        try:
            began = time.perf_counter()
            for count, frame in enumerate(self._source, 1):
                stats.record("read", time.perf_counter() - began)
                if frame.decode_s > 0:
                    stats.record("decode", frame.decode_s)
                stats.frame_read(frame.held_s, frame.skipped)
                stats.frames_dropped(BEHIND, frame.skipped)
                try:
                    stats.frames_dropped(MODEL_BUSY, captured.put(frame))
                except ChannelClosed:
                    stats.frames_dropped(STOPPED)
                    return
                if not self._newest_wins and count == max_frames:
                    break
                began = time.perf_counter()
            captured.finish()
        except BaseException as error:
            captured.finish(error)

    def _process(self, captured: Channel[Frame], edited: Channel[tuple[Frame, Image]]) -> None:
        stats = self.stats
        while True:
            try:
                frame = captured.get()
            except ChannelClosed:
                return edited.finish()
            except BaseException as error:  # the reader's, passed on in its turn
                return edited.finish(error)
            try:
                result = self._timed(frame)
            except BaseException as error:
                stats.frames_dropped(FAILED)
                return edited.finish(error)
            try:
                stats.frames_dropped(SINK_BUSY, edited.put((frame, result)))
            except ChannelClosed:
                return stats.frames_dropped(STOPPED)

    def _timed(self, frame: Frame) -> Image:
        """The processed frame, and how long that took, with and without the network."""
        network: list[float] = []

        def record(stage: str, seconds: float) -> None:
            self.stats.record(stage, seconds)
            if stage == "network":
                network.append(seconds)

        began = time.perf_counter()
        result = self._edit(frame, record)
        seconds = time.perf_counter() - began
        self.stats.record("process", seconds)
        if network:
            self.stats.record("besides", seconds - sum(network))
        return result

    def _show(self, edited: Channel[tuple[Frame, Image]], max_frames: int | None, seconds: float | None) -> None:
        stats = self.stats
        deadline = None if seconds is None else time.monotonic() + seconds
        while max_frames is None or stats.shown < max_frames:
            try:
                frame, result = edited.get(None if deadline is None else max(0.0, deadline - time.monotonic()))
            except (ChannelClosed, TimeoutError):
                return
            began = time.perf_counter()
            after = replace(frame, image_bgr=result)
            try:
                keys = self._sink.write(after, frame.image_bgr)
            except BaseException:
                stats.frames_dropped(FAILED)
                raise
            stats.record("write", time.perf_counter() - began)
            stats.frame_shown(frame.timestamp - frame.held_s)
            if keys and self._on_keys and not self._on_keys(keys):
                return
            if deadline is not None and time.monotonic() >= deadline:
                return
