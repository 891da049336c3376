"""What a page and this device say to each other over the WebSocket, and how much of it."""

from __future__ import annotations

import struct
import time
from typing import Any

import msgspec


class Wish(msgspec.Struct, forbid_unknown_fields=True):
    """What a page asks for. `value` None leaves an attribute as it is."""

    type: str
    name: str = ""
    value: float | None = None


def packed(about: dict[str, Any], picture: bytes) -> bytes:
    """One message: the length of the JSON as 4 bytes (big end first), the JSON, the JPEG."""
    head = msgspec.json.encode(about)
    return struct.pack(">I", len(head)) + head + picture


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
