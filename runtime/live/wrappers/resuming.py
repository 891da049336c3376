"""A recording behind a URL that goes on where it stood when its server comes back."""

from __future__ import annotations

from collections.abc import Iterator

from ...errors import SourceError, SourceRefusedError
from ..source import Frame, Source, Wrapped
from .retry import Retry


class Resuming(Wrapped):
    """Every frame of `source`, once and in order, however often it breaks; owns it. It waits meanwhile.

    Raises SourceError, while iterating, once the source has been away for `give_up_s` seconds, and a
    SourceRefusedError at once.
    """

    def __init__(self, source: Source, *, give_up_s: float) -> None:
        super().__init__(source)
        self._retry = Retry(give_up_s)

    def __iter__(self) -> Iterator[Frame]:
        while True:
            try:
                return (yield from self._source)
            except SourceRefusedError:
                raise
            except SourceError as error:
                reason = error
            if not self._retry.until_open(self._resume, reason):
                return

    def _resume(self) -> bool:
        self._source.resume()
        return True

    def stop(self) -> None:
        """Stops trying."""
        self._retry.stop()
