"""One loaded model behind a lock: what Editor and Sampler have in common.

The lock has two queues, so that what must not wait shares a model with what may.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar

from ..backends import Backend, Selection
from ..checks import Owner
from ..errors import InputError
from ..model.card import ModelCard

if TYPE_CHECKING:
    from typing import Self

_SHARE = 0.25  # of the time that those behind get at least, and at most while those in front want all of it
_IDLE_S = 0.01  # those in front who stay away for so long leave the rest to those behind


class Session:
    """A model in use. Its subclasses are thread-safe: every public call takes its turn on one lock.

    It serves the process that opened it alone: one that inherits it by a fork is refused.
    """

    _name: ClassVar[str]  # in errors

    def __init__(self, card: ModelCard, backend: Backend, notices: tuple[str, ...] = ()) -> None:
        self.card = card
        self.notices = notices
        self._backend = backend
        self._lock: Turns | Behind = Turns()
        self._closed = False
        self._owner = Owner(self._name.lower())

    @property
    def selection(self) -> Selection:
        """Which backend and device run the model, why, and why not the others."""
        return self._backend.selection

    def close(self) -> None:
        """Frees the models; a second call does nothing, nor does one in a process that inherited them by a fork."""
        if not self._owner.here:
            return
        with self._lock:
            if not self._closed:
                self._closed = True
                self._free()

    def _free(self) -> None:
        self._backend.close()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Waits for the other threads; raises InputError once the session is closed, and in another process."""
        self._owner.check()
        with self._lock:
            if self._closed:
                raise InputError(f"this {self._name.lower()} is closed", todo=f"open a new one with {self._name}.open")
            yield

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Turns:
    """A lock whose holders go before those of `behind`; a context manager, as `threading.Lock` is.

    Those behind come when those in front leave the lock alone, or when a quarter of the time is due to them: a
    stream in front that takes all it can get keeps three quarters of its pace, and waits for one of them at most.
    Within a queue, who came first goes first.
    """

    def __init__(self) -> None:
        self.behind = Behind(self)
        self._changed = Condition()
        self._taken = False
        self._front: deque[object] = deque()  # who waits, by a token each
        self._back: deque[object] = deque()
        self._began = self._due = 0.0  # from when those behind may come, wanted or not
        self._idle_at = -math.inf  # from when the lock counts as left alone

    def __enter__(self) -> None:
        with self._changed:
            self._await(self._front)
            self._taken = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._taken = False
            self._idle_at = time.monotonic() + _IDLE_S
            self._changed.notify_all()

    def _enter_behind(self) -> None:
        with self._changed:
            self._await(self._back)
            self._taken, self._began = True, time.monotonic()

    def _await(self, queue: deque[object]) -> None:
        """Queues up until it is one's turn."""
        me = object()
        queue.append(me)
        try:
            while queue[0] is not me or (left := self._seconds_left(queue)) > 0:
                self._changed.wait(None if queue[0] is not me or left == math.inf else left)
        finally:
            queue.remove(me)
            self._changed.notify_all()

    def _seconds_left(self, queue: deque[object]) -> float:
        """Seconds until the first of a queue may come, as it looks now; infinite until something changes."""
        if self._taken:
            return math.inf
        now = time.monotonic()
        if queue is self._front:
            return math.inf if self._back and now >= self._due else 0.0
        return min(self._due, math.inf if self._front else self._idle_at) - now

    def _exit_behind(self) -> None:
        with self._changed:
            now = time.monotonic()
            self._taken = False
            self._due = now + (1.0 / _SHARE - 1.0) * (now - self._began)
            self._changed.notify_all()


class Behind:
    """The queue of those who give way; a context manager too. `behind` is itself: there is no third queue."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    @property
    def behind(self) -> Behind:
        """The same queue."""
        return self

    def __enter__(self) -> None:
        self._turns._enter_behind()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._turns._exit_behind()
