"""A bounded hand-over between two threads, with a stated rule for when it is full."""

from __future__ import annotations

import time
from collections import deque
from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")


class ChannelClosed(Exception):  # noqa: N818 - a signal between threads, not an error a user meets
    """The other side is gone: nothing can be put any more, or nothing more will come."""


class Channel(Generic[T]):
    """At most `capacity` items wait. When it is full, `put` waits, or, if `newest_wins`, the oldest gives way."""

    def __init__(self, capacity: int, *, newest_wins: bool) -> None:
        self._items: deque[T] = deque()
        self._capacity, self._newest_wins = capacity, newest_wins
        self._changed = Condition()
        self._finished = self._aborted = False
        self._error: BaseException | None = None

    def put(self, item: T) -> int:
        """Hands `item` over and returns how many older ones it replaced. Raises ChannelClosed after `abort`."""
        with self._changed:
            while len(self._items) >= self._capacity and not self._newest_wins and not self._aborted:
                self._changed.wait()
            if self._aborted:
                raise ChannelClosed
            replaced = max(0, len(self._items) - self._capacity + 1)
            for _ in range(replaced):
                self._items.popleft()
            self._items.append(item)
            self._changed.notify_all()
            return replaced

    def get(self, timeout: float | None = None) -> T:
        """The oldest item. After the last one, raises the error given to `finish`, else ChannelClosed.

        Raises TimeoutError when nothing came within `timeout` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while not self._items:
                if self._aborted:
                    raise ChannelClosed
                if self._finished:
                    raise self._error or ChannelClosed()
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError
                self._changed.wait(left)
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def finish(self, error: BaseException | None = None) -> None:
        """The writer's last word: what waits is still served, then `error` is raised to the reader."""
        with self._changed:
            self._finished, self._error = True, error
            self._changed.notify_all()

    def abort(self) -> int:
        """Wakes both sides with ChannelClosed and returns how many waiting items are lost."""
        with self._changed:
            lost = len(self._items)
            self._items.clear()
            self._aborted = True
            self._changed.notify_all()
            return lost
