"""What a live run did: time per stage, frames per second, age of what is shown, and why frames were dropped."""

from __future__ import annotations

import time
from collections import Counter, deque
from threading import Lock
from typing import Any

import numpy as np

_WINDOW = 4096  # samples kept per stage: memory stays bounded however long the run
_RECENT_S = 1.5  # what "now" means on screen
PERCENTILES = (50, 95, 99)


class Stats:
    """Counts and clocks of one run; every method may be called from any thread.

    Frames read = shown + the sum of `dropped` at the end of a run. Percentiles are over the last 4096 samples of
    a stage. Stage names are free; `age` is the time from capture to shown.
    """

    def __init__(self) -> None:
        self.read = self.shown = 0
        self.dropped: Counter[str] = Counter()
        self._stages: dict[str, deque[float]] = {}
        self._shown_at: deque[float] = deque(maxlen=240)
        self._begin: float | None = None
        self._last_read: float | None = None
        self._end: float | None = None
        self._first_shown: float | None = None
        self._lock = Lock()

    def record(self, stage: str, seconds: float) -> None:
        """Adds one duration to a stage."""
        with self._lock:
            self._stages.setdefault(stage, deque(maxlen=_WINDOW)).append(seconds)

    def frame_read(self) -> None:
        """One frame came from the source."""
        with self._lock:
            self._last_read = time.monotonic()
            self._begin = self._begin or self._last_read
            self.read += 1

    def frame_shown(self, captured_at: float) -> None:
        """One frame reached the sinks; `captured_at` is its monotonic timestamp."""
        now = time.monotonic()
        self.record("age", now - captured_at)
        with self._lock:
            self._first_shown = self._first_shown or now
            self._shown_at.append(now)
            self._end = now
            self.shown += 1

    def frames_dropped(self, cause: str, count: int = 1) -> None:
        """`count` frames were not shown, because of `cause`."""
        with self._lock:
            if count:
                self.dropped[cause] += count

    def recent(self) -> tuple[float, float]:
        """Frames per second over the last moments, and the median age in milliseconds of their frames."""
        with self._lock:
            now = time.monotonic()
            times = [t for t in self._shown_at if now - t < _RECENT_S]
            ages = list(self._stages.get("age", ()))[-max(1, len(times)) :] if times else []
        fps = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0
        return fps, 1000.0 * float(np.median(ages)) if ages else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON: times in milliseconds, rates per second, None where nothing was measured."""
        with self._lock:
            begin, end = self._begin, self._end
            reading, showing = _span(begin, self._last_read), _span(self._first_shown, end)
            stages = {name: np.array(samples) for name, samples in self._stages.items()}
            read, shown, dropped = self.read, self.shown, dict(self.dropped)
        return {
            "seconds": round(_span(begin, end), 3),
            "frames": {"read": read, "shown": shown, "dropped": dropped},
            "fps": {
                "in": round((read - 1) / reading, 2) if reading else None,
                "out": round((shown - 1) / showing, 2) if showing else None,
            },
            "stages_ms": {
                name: {f"p{p}": round(1000 * float(np.percentile(samples, p)), 3) for p in PERCENTILES}
                for name, samples in stages.items()
            },
        }

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Head and rows of the stage times, for a terminal."""
        stages = self.as_dict()["stages_ms"]
        rows = [(name, *(f"{times[f'p{p}']:.1f}" for p in PERCENTILES)) for name, times in stages.items()]
        return ("stage", *(f"p{p} ms" for p in PERCENTILES)), rows

    def summary(self) -> str:
        """One line: frames in and out, rates, and drops by cause."""
        all_ = self.as_dict()
        rates = ", ".join(f"{v:.1f} fps {k}" for k, v in all_["fps"].items() if v is not None)
        drops = ", ".join(f"{n} {cause.replace('_', ' ')}" for cause, n in sorted(self.dropped.items())) or "none"
        return f"{self.read} frames read, {self.shown} shown" + (f" ({rates})" if rates else "") + f"; dropped: {drops}"


def _span(begin: float | None, end: float | None) -> float:
    return 0.0 if begin is None or end is None else end - begin
