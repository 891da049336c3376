"""What an editor has done: how many pictures, how many failures, and the time of each stage."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import msgspec

from .times import Times


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """Counts since the editor was opened, and times of the last 4096 calls.

    `stages_ms` holds p50 and p95, in milliseconds, of each stage of `stopwatch.STAGES`, of `wait` (for another
    thread's turn to end) and of `total` (the whole call, without `wait`). A batch counts as one call.
    """

    frames: int  # given to `edit` and `edit_batch`
    crops: int  # given to `translate`
    errors: int  # calls that raised
    stages_ms: dict[str, dict[str, float]]
    left_alone: dict[str, int] = {}  # faces that were not edited, by the reason; each counts in every frame


class Tally:
    """Counts and clocks; every method may be called from any thread. It costs a few microseconds a call."""

    def __init__(self) -> None:
        self._frames = self._crops = self._errors = 0
        self._times = Times()
        self._lock = Lock()

    def record(self, stage: str, seconds: float) -> None:
        """Adds one duration to a stage."""
        self._times.record(stage, seconds)

    @contextmanager
    def call(self, *, frames: int = 0, crops: int = 0) -> Iterator[None]:
        """Counts and times one call; one that raises counts as an error alone."""
        began = time.perf_counter()
        try:
            yield
        except BaseException:
            with self._lock:
                self._errors += 1
            raise
        self.record("total", time.perf_counter() - began)
        with self._lock:
            self._frames += frames
            self._crops += crops

    def statistics(self) -> Statistics:
        """The counts and times so far."""
        stages = self._times.percentiles_ms()
        with self._lock:
            return Statistics(
                frames=self._frames,
                crops=self._crops,
                errors=self._errors,
                stages_ms={name: {p: times[p] for p in ("p50", "p95")} for name, times in stages.items()},
            )
