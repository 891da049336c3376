"""One loaded model behind a lock: what Editor and Sampler have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

from ..backends import Backend, Selection
from ..errors import InputError
from ..model.card import ModelCard
from .priority_lock import Behind, Turns

if TYPE_CHECKING:
    from typing import Self


class Session:
    """A model in use. Its subclasses are thread-safe: every public call takes its turn on one lock."""

    def __init__(self, card: ModelCard, backend: Backend, notices: tuple[str, ...] = ()) -> None:
        self.card = card
        self.notices = notices
        self._backend = backend
        self._lock: Turns | Behind = Turns()
        self._closed = False

    @property
    def selection(self) -> Selection:
        """Which backend and device run the model, why, and why not the others."""
        return self._backend.selection

    def close(self) -> None:
        """Frees the models; a second call does nothing."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._free()

    def _free(self) -> None:
        self._backend.close()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Waits for the other threads; raises InputError once the session is closed."""
        with self._lock:
            if self._closed:
                name = type(self).__name__
                raise InputError(f"this {name.lower()} is closed", todo=f"open a new one with {name}.open")
            yield

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
