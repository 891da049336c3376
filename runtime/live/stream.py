"""The live loop: one thread reads, one edits, and the caller's thread shows.

The newest frame wins for a live source: a frame that waits when a newer one comes is dropped and counted. From a
file no frame is lost: whoever is faster waits. Frames are shown in the order they were read.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from threading import Event, Thread

from ..channel import Channel, ChannelClosed
from ..metrics.live import LiveTally
from ..metrics.tally import Record
from ..model.image import Image
from .frame_clock import FrameClock
from .sink import Sink, SinkClosed
from .source import Frame, Source

Process = Callable[[Frame, Record], Image]  # must leave the frame's picture as it is

_WAITING = 4  # frames between two threads when none may be lost
_EXACT_S = 1e-6  # of sums of seconds
_NOTICE_S = 0.1  # how soon a stop is noticed while no frame comes

# Why a frame was not shown.
BEHIND = "behind"  # the source left it out, to catch up with what it shows
MODEL_BUSY = "model_busy"  # a newer frame came while the model worked
SINK_BUSY = "sink_busy"  # a newer one was ready while the sinks worked
STOPPED = "stopped"  # under way when the run ended, or its sink had gone
FAILED = "failed"  # its processing or writing raised


class Stream:
    """Frames from `source` through `process` to `sink`.

    Args:
        source: open; stays the caller's to close.
        process: frame in, picture out, (H, W, 3) uint8 BGR; runs in a thread of its own, one frame at a time. What it
            records of a stage named "network" is left out of `besides`.
        sink: open; written to from the thread that calls `run`, which windows need. Stays the caller's to close.
        newest_wins: the drop rule; None takes it from the clock.
        clock: when frames are; None takes the source's.
        stop: ends the run when it is set, by whatever thread.
        poll: called between frames, in the thread that calls `run`.
        stats: counts and clocks; a HUD may share them.
    """

    def __init__(
        self,
        source: Source,
        process: Process,
        sink: Sink,
        *,
        newest_wins: bool | None = None,
        clock: FrameClock | None = None,
        stop: Event | None = None,
        poll: Callable[[], object] | None = None,
        stats: LiveTally | None = None,
    ) -> None:
        self._source, self._edit, self._sink = source, process, sink
        self._clock = clock or FrameClock.of(source, every_frame=newest_wins is False)
        self._newest_wins = self._clock.by_timestamp if newest_wins is None else newest_wins
        self.stop, self._poll = stop or Event(), poll
        self._asked_at: float | None = None  # when the frame that the reader waits for was asked for
        self.stats = stats or LiveTally()

    def run(self, *, max_frames: int | None = None, seconds: float | None = None) -> LiveTally:
        """Runs until the source ends, `stop` is set, a sink has gone, `max_frames` were shown or `seconds` have passed.

        The seconds are those of a recording's own time, and of the clock on the wall for a live source, and for a
        recording that is waited for because it went away.

        Both threads have ended when it returns or raises, and frames read = shown + dropped. An error in any
        thread is raised here, after the frames before it were shown; so is Ctrl-C, at once. Runs once.
        """
        capacity = 1 if self._newest_wins else _WAITING
        captured: Channel[Frame] = Channel(capacity, newest_wins=self._newest_wins)
        edited: Channel[tuple[Frame, Image]] = Channel(capacity, newest_wins=self._newest_wins)
        # Daemons, so that a driver that never answers cannot keep the program alive after a second Ctrl-C.
        threads = [
            Thread(target=self._read, args=(captured, max_frames, seconds), name="edgegan-read", daemon=True),
            Thread(target=self._process, args=(captured, edited), name="edgegan-process", daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            self._show(edited, max_frames, seconds)
        finally:
            self.stats.count_dropped(STOPPED, captured.abort() + edited.abort())
            self._source.stop()
            for thread in threads:
                thread.join()
        return self.stats

    def _read(self, captured: Channel[Frame], max_frames: int | None, seconds: float | None) -> None:
        stats = self.stats
        try:
            began, self._asked_at = time.perf_counter(), time.monotonic()
            for count, frame in enumerate(self._source, 1):
                self._asked_at = None
                if seconds is not None and not self._source.live and self._clock.moment_s(frame) >= seconds - _EXACT_S:
                    break
                stats.record("read", time.perf_counter() - began)
                if frame.decode_s > 0:
                    stats.record("decode", frame.decode_s)
                stats.count_read(frame.held_s, frame.skipped)
                stats.count_dropped(BEHIND, frame.skipped)
                try:
                    stats.count_dropped(MODEL_BUSY, captured.put(frame))
                except ChannelClosed:
                    stats.count_dropped(STOPPED)
                    return
                if not self._newest_wins and count == max_frames:
                    break
                began, self._asked_at = time.perf_counter(), time.monotonic()
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
                result = self._measure(frame)
            except BaseException as error:
                stats.count_dropped(FAILED)
                return edited.finish(error)
            try:
                stats.count_dropped(SINK_BUSY, edited.put((frame, result)))
            except ChannelClosed:
                return stats.count_dropped(STOPPED)

    def _measure(self, frame: Frame) -> Image:
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
        deadline = None if seconds is None or not self._source.live else time.monotonic() + seconds
        while not self.stop.is_set() and (max_frames is None or stats.shown < max_frames):
            left_s = _NOTICE_S if deadline is None else min(_NOTICE_S, deadline - time.monotonic())
            try:
                frame, result = edited.get(max(0.0, left_s))
            except ChannelClosed:
                return
            except TimeoutError:
                if left_s < _NOTICE_S or (seconds is not None and self._away_s() >= seconds):
                    return
                continue
            began = time.perf_counter()
            after = replace(frame, image_bgr=result)
            try:
                self._sink.write(after, frame.image_bgr)
            except SinkClosed:
                return stats.count_dropped(STOPPED)
            except BaseException:
                stats.count_dropped(FAILED)
                raise
            stats.record("write", time.perf_counter() - began)
            stats.count_shown(frame.timestamp - frame.held_s)
            if self._poll is not None:
                self._poll()
            if deadline is not None and time.monotonic() >= deadline:
                return

    def _away_s(self) -> float:
        """How long a recording that may come back has not given the frame that was asked for."""
        asked_at = self._asked_at
        away = asked_at is not None and self._source.revivable and not self._source.live
        return time.monotonic() - asked_at if away and asked_at is not None else 0.0
