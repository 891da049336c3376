"""What a page and this device say to each other over the WebSocket."""

from __future__ import annotations

import struct
from typing import Any

import msgspec

_REASON_BYTES = 123  # of the reason for a close, at most, by RFC 6455


class Wish(msgspec.Struct, forbid_unknown_fields=True):
    """What a page asks for.

    `value` None leaves an attribute as it is; `at` is a place in the picture as it is shown, (x, y) from 0 to 1.
    """

    type: str
    name: str = ""
    value: float | None = None
    at: tuple[float, float] | None = None


def pack(about: dict[str, Any], picture: bytes) -> bytes:
    """One message: the length of the JSON as 4 bytes (big end first), the JSON, the JPEG."""
    head = msgspec.json.encode(about)
    return struct.pack(">I", len(head)) + head + picture


def shorten_reason(words: str) -> str:
    """As much of the words, on one line, as the reason for a close may hold, in whole characters."""
    line = words.replace("\n", "; ")
    return line.encode("utf-8", "replace")[:_REASON_BYTES].decode("utf-8", "ignore")
