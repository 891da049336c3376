"""One thread in which all of a session happens."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


class OwnerThread:
    """Runs calls one by one in a thread of its own.

    ONNX Runtime's CUDA provider keeps cuDNN's handles, workspaces and the recorded graph apart for every thread that
    runs a session: with one thread there is one of each, whichever threads the callers are.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="edgegan-gpu")

    def call(self, function: Callable[[], Result]) -> Result:
        """Returns what `function` returns, and raises what it raises."""
        return self._thread.submit(function).result()

    def close(self) -> None:
        """Ends the thread once its last call has ended; a second call does nothing."""
        self._thread.shutdown()
