"""What was made for the few keys that were used last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class LastUsed(Generic[Key, Value]):
    """Keeps what `make` gave for the `most` keys that were used last; all older ones go through `drop`."""

    def __init__(self, most: int, make: Callable[[Key], Value], drop: Callable[[Value], None]) -> None:
        self._most, self._make, self._drop = most, make, drop
        self._kept: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key) -> Value:
        """What is kept for `key`, made now if there is nothing. What `make` raises goes on to the caller."""
        if key not in self._kept:
            while len(self._kept) >= self._most:
                self._drop(self._kept.popitem(last=False)[1])
            self._kept[key] = self._make(key)
        self._kept.move_to_end(key)
        return self._kept[key]

    def keep_only(self, key: Key) -> bool:
        """Drops all that is kept for other keys, the oldest first; returns whether there was any."""
        others = [other for other in self._kept if other != key]
        for other in others:
            self._drop(self._kept.pop(other))
        return bool(others)

    def clear(self) -> None:
        """Drops everything, the oldest first."""
        while self._kept:
            self._drop(self._kept.popitem(last=False)[1])
