"""One recording of a CUDA graph at a time in the process, and nothing else on a GPU meanwhile.

ONNX Runtime records its graphs in CUDA's global mode: while it does, an allocation or a copy by any other thread of
the process is refused by CUDA (error 901 or 906), and spoils the recording as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, local


class CaptureGate:
    """Lets any number of threads work on GPUs, or one record a graph. Who waits to record goes before new work.

    A thread at work may begin other work within it; it cannot record then.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._working = 0
        self._waiting = 0
        self._recording = False
        self._inside = local()

    @contextmanager
    def work(self) -> Iterator[None]:
        """Waits while a graph is recorded; none is until the block ends."""
        if self._is_inside():
            yield
            return
        with self._changed:
            self._changed.wait_for(lambda: not self._recording and not self._waiting)
            self._working += 1
        self._inside.yes = True
        try:
            yield
        finally:
            self._inside.yes = False
            with self._changed:
                self._working -= 1
                self._changed.notify_all()

    @contextmanager
    def capture(self) -> Iterator[None]:
        """Waits until no other thread works; none does until the block ends."""
        if self._is_inside():
            raise RuntimeError("a thread that works on the GPU cannot wait until nobody does")
        with self._changed:
            self._waiting += 1
            try:
                self._changed.wait_for(lambda: not self._recording and not self._working)
                self._recording = True
            finally:
                self._waiting -= 1
        self._inside.yes = True
        try:
            yield
        finally:
            self._inside.yes = False
            with self._changed:
                self._recording = False
                self._changed.notify_all()

    def _is_inside(self) -> bool:
        return bool(getattr(self._inside, "yes", False))


GATE = CaptureGate()  # CUDA's rule is the process's
