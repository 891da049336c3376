"""What a visitor may ask of this device, and how much of it."""

from __future__ import annotations

import asyncio
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


class InFlight:
    """The frames on the way to one visitor. Belongs to the event loop."""

    def __init__(self, most: int = IN_FLIGHT) -> None:
        self._most, self._count = most, 0
        self._below = asyncio.Event()
        self._below.set()

    async def below_limit(self) -> None:
        """Waits until one more may be sent."""
        await self._below.wait()

    def count_sent(self) -> None:
        """One more is on the way."""
        self._count += 1
        if self._count >= self._most:
            self._below.clear()

    def count_arrived(self) -> None:
        """The visitor says that it shows one."""
        self._count = max(0, self._count - 1)
        self._below.set()


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
