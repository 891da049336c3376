"""What a visitor may ask of this device, and how much of it."""

from __future__ import annotations

import time
from dataclasses import dataclass

IN_FLIGHT = 2  # frames on the way to a visitor, and from one


@dataclass(frozen=True)
class Limits:
    """Of one visitor, and of all together.

    guests: how many may show their own cameras at a time.
    """

    visitors: int = 8
    guests: int = 4
    frame_bytes: int = 2 << 20
    frame_pixels: int = 1920 * 1080
    messages_per_s: float = 250.0
    burst: float = 500.0


class Bucket:
    """Allows so many a second in the long run, and so many at once."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s, self._burst = per_s, burst
        self._left, self._then = burst, time.monotonic()

    def take(self) -> bool:
        """Takes one; False when none is left."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + self._per_s * (now - self._then)) - 1.0
        self._then = now
        return self._left >= 0.0
