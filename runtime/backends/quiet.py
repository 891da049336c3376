"""Keeps what C libraries print to themselves: standard output may carry frames, and errors are said by us."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock

_LOCK = Lock()


@contextmanager
def no_printing() -> Iterator[None]:
    """Sends to nowhere what is written to the process's standard output and error while it lasts, by any thread.

    Where the process has no such descriptors, as in a window program, nothing is done.
    """
    with _LOCK:
        kept: dict[int, int] = {}
        _flush()
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for descriptor in (1, 2):
                with suppress(OSError):
                    kept[descriptor] = os.dup(descriptor)
                    os.dup2(nowhere, descriptor)
            os.close(nowhere)
            yield
        finally:
            _flush()
            for descriptor, copy in kept.items():
                os.dup2(copy, descriptor)
                os.close(copy)


def _flush() -> None:
    """C keeps what it prints in a buffer of its own, and would write it when the descriptor is back."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):
            stream.flush()
    with suppress(OSError, TypeError, AttributeError):  # Windows has no handle for the program itself
        ctypes.CDLL(None).fflush(None)
