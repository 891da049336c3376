"""Work on a GPU in a thread that belongs to somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import bindings, libraries
from .capture_gate import GATE


@contextmanager
def at_work() -> Iterator[None]:
    """No graph is recorded until the block ends, and the calling thread then has the GPU that it had before.

    CUDA keeps a current GPU for each thread, on which PyTorch, CuPy and others make their arrays. One that nobody in
    this process has used yet is not chosen again: that alone would take some hundred megabytes of its memory.

    Raises MissingExtraError without cuda-python.
    """
    runtime = bindings.import_runtime()
    with GATE.work():
        before = _number(runtime)
        try:
            yield
        finally:
            if before is not None and _number(runtime) != before and libraries.has_context(before):
                runtime.cudaSetDevice(before)


def _number(runtime: Any) -> int | None:
    """The current GPU of this thread; None where CUDA has none."""
    try:
        error, number = runtime.cudaGetDevice()
    except RuntimeError:  # so cuda-python 12.6 says that there is no driver
        return None
    return int(number) if error == runtime.cudaError_t.cudaSuccess else None
