"""A slot for what is worth nothing once something newer is there."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Newest(Generic[T]):
    """What is put in takes the place of what waits. Belongs to the event loop."""

    def __init__(self) -> None:
        self._item: T | None = None
        self._count = 0
        self._ended = False
        self._changed = asyncio.Event()

    def put(self, item: T) -> None:
        """Lays it into the slot."""
        self._item = item
        self._count += 1
        self._changed.set()

    def clear(self) -> None:
        """Empties the slot."""
        self._item, self._count = None, 0

    def end(self) -> None:
        """Nothing more will come."""
        self._ended = True
        self._changed.set()

    async def take(self) -> tuple[T | None, int]:
        """What came last, as soon as it is there, and how many have come since the last call; None after the end."""
        while self._item is None and not self._ended:
            self._changed.clear()
            await self._changed.wait()
        item, count = self._item, self._count
        self.clear()
        return item, count
