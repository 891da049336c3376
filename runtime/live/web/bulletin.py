"""The statistics of the page: those of the line on screen, in parts."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ...metrics.live import LiveTally

_FRESH_S = 0.5  # figures this old are good enough: all visitors share them


class Bulletin:
    """What `stats` says of these moments, with rates per second and times in milliseconds. Not thread-safe.

    Args:
        stats: of the device's stream.
        about: what runs: model, backend, device, precision.
    """

    def __init__(self, stats: LiveTally, about: Mapping[str, str]) -> None:
        self._stats, self._about = stats, dict(about)
        self._made_at = -_FRESH_S
        self._figures: dict[str, Any] = {}

    def figures(self, visitors: int) -> dict[str, Any]:
        """Everything, for JSON; `stages` are medians."""
        now = time.monotonic()
        if now - self._made_at >= _FRESH_S:
            self._made_at = now
            self._figures = self._gather()
        return {**self._figures, "visitors": visitors}

    def _gather(self) -> dict[str, Any]:
        fps_out, age_ms = self._stats.recent()
        return {
            **self._about,
            "fps_in": round(self._stats.fps_in(), 1),
            "fps_out": round(fps_out, 1),
            "age_ms": round(age_ms),
            "stages": {name: round(ms, 1) for name, ms in self._stats.recent_ms().items()},
            "dropped": dict(self._stats.dropped),
        }
