"""Recorded pictures at their own speed."""

from __future__ import annotations

import time

_LATE_S = 1.0  # further behind than this, the clock starts anew: no rush to catch up


class Pace:
    """Tells how long to wait until a moment has come; the first moment asked for is now."""

    def __init__(self) -> None:
        self._begin: float | None = None

    def wait_s(self, moment_s: float) -> float:
        """Seconds until `moment_s` of the recording; 0 if it is past."""
        now = time.monotonic()
        if self._begin is None or now - self._begin - moment_s > _LATE_S:
            self._begin = now - moment_s
        return max(0.0, self._begin + moment_s - now)
