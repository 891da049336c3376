"""A run that was begun and not yet waited for."""

from __future__ import annotations

from collections.abc import Callable

from ...errors import BackendError
from ..contract import Arrays


class Ticket:
    """What `TensorRT.submit` gives. `settle` waits for the run, and calls `keep` or `fail`."""

    def __init__(self, settle: Callable[[], None]) -> None:
        self._settle = settle
        self._found: Arrays | None = None
        self._error: BackendError | None = None

    def keep(self, found: Arrays) -> None:
        """The outputs are there."""
        self._found = found

    def fail(self, error: BackendError) -> None:
        """There will be no outputs."""
        self._error = error

    def result(self) -> Arrays:
        """See `contract.Pending.result`."""
        if self._found is None and self._error is None:
            self._settle()
        if self._error is not None:
            raise self._error
        assert self._found is not None, "what was begun was settled"
        return self._found
