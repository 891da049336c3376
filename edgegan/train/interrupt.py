"""Ctrl-C that waits for a good moment."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def defer_interrupts() -> Iterator[threading.Event]:
    """Inside, the first Ctrl-C only sets the event; a second one raises KeyboardInterrupt at once.

    SIGTERM waits likewise where the program treats it like Ctrl-C. Outside the main thread, which alone
    receives signals, nothing is changed.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def note(signum: int, frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    kept = {
        number: signal.signal(number, note)
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) is signal.default_int_handler
    }
    try:
        yield asked
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
