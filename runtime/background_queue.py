"""Work that must not hold up the pictures: done in order, in a thread of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from .checks import Owner


class Errands:
    """Does one thing after another beside the caller's thread, which waits only where `most` are not done yet.

    Args:
        name: of the thread.
        most: how many may wait; each keeps what it works on in memory.
    """

    def __init__(self, name: str, most: int = 4) -> None:
        self._worker = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._most = most
        self._owner = Owner("background queue")
        self._sent: deque[Future[object]] = deque()

    def send(self, do: Callable[[], object]) -> None:
        """Has it done soon. Raises what an earlier one raised, and InputError in a process that inherited the queue."""
        self._owner.check()
        while self._sent and (self._sent[0].done() or len(self._sent) >= self._most):
            self._sent.popleft().result()
        self._sent.append(self._worker.submit(do))

    def close(self) -> None:
        """Returns when all is done, at once in a process that inherited the queue; raises what one of them raised.

        May be called twice.
        """
        if not self._owner.here:
            return
        self._worker.shutdown()
        while self._sent:
            self._sent.popleft().result()
