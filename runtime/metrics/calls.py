"""What an editor has done: how many pictures, how many failures, and the time of each stage."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from .tally import Tally

_PERCENTILES = ("p50", "p95")


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


class CallTally(Tally):
    """Counts and times the calls of an editor; every method may be called from any thread."""

    @contextmanager
    def call(self, *, frames: int = 0, crops: int = 0) -> Iterator[None]:
        """Counts and times one call; one that raises counts as an error alone."""
        began = time.perf_counter()
        try:
            yield
        except BaseException:
            self.count("errors")
            raise
        self.record("total", time.perf_counter() - began)
        self.count("frames", frames)
        self.count("crops", crops)

    def statistics(self) -> Statistics:
        """The counts and times so far."""
        return Statistics(
            frames=self.total("frames"),
            crops=self.total("crops"),
            errors=self.total("errors"),
            stages_ms={name: {p: ms[p] for p in _PERCENTILES} for name, ms in self.percentiles_ms().items()},
        )
