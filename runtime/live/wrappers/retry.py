"""Trying again what went away, with back-off."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from ...errors import SourceError, SourceRefusedError

T = TypeVar("T")

# Counted from the beginning of a try, of which one may take two seconds: a source is back within three of its return.
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.25, 1.0


class Retry:
    """Opens again until that succeeds; `why` says in a line what the last thing was that went wrong.

    Args:
        give_up_s: how long a source may be away, in seconds.
    """

    def __init__(self, give_up_s: float) -> None:
        self._give_up_s = give_up_s
        self._stopping = Event()
        self.why = ""

    def until_open(self, reopen: Callable[[], T], reason: SourceError) -> T | None:
        """What `reopen` gives; None once `stop` was called. `reason` is why the source went away.

        Waits 0.25 s before the first try, doubling up to 1 s. Raises SourceError when the source has been away for
        too long, a SourceRefusedError at once.
        """
        lost, self.why = time.monotonic(), _line(reason)
        wait_s = left_s = _FIRST_WAIT_S
        while not self._stopping.wait(left_s):
            began = time.monotonic()
            try:
                opened = reopen()
            except SourceRefusedError:
                raise
            except SourceError as error:
                self.why = _line(error)
                away_s = time.monotonic() - lost
                if away_s >= self._give_up_s:
                    raise SourceError(f"{reason.seen}; away for {away_s:.0f} s", error.seen, error.todo) from None
            else:
                self.why = ""
                return opened
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            left_s = max(0.0, began + wait_s - time.monotonic())
        return None

    def stop(self) -> None:
        """Ends the waiting."""
        self._stopping.set()


def _line(error: SourceError) -> str:
    return error.seen.partition("\n")[0]
