"""One loaded model behind a lock: what Editor and Sampler have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar

from ..backends import Backend, Selection
from ..checks import Owner
from ..errors import InputError
from ..model.card import ModelCard
from .priority_lock import Behind, Turns

if TYPE_CHECKING:
    from typing import Self


class Session:
    """A model in use. Its subclasses are thread-safe: every public call takes its turn on one lock.

    It serves the process that opened it alone: one that inherits it by a fork is refused.
    """

    _name: ClassVar[str]  # in errors

    def __init__(self, card: ModelCard, backend: Backend, notices: tuple[str, ...] = ()) -> None:
        self.card = card
        self.notices = notices
        self._backend = backend
        self._lock: Turns | Behind = Turns()
        self._closed = False
        self._owner = Owner(self._name.lower())

    @property
    def selection(self) -> Selection:
        """Which backend and device run the model, why, and why not the others."""
        return self._backend.selection

    def close(self) -> None:
        """Frees the models; a second call does nothing, nor does one in a process that inherited them by a fork."""
        if not self._owner.here:
            return
        with self._lock:
            if not self._closed:
                self._closed = True
                self._free()

    def _free(self) -> None:
        self._backend.close()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Waits for the other threads; raises InputError once the session is closed, and in another process."""
        self._owner.check()
        with self._lock:
            if self._closed:
                raise InputError(f"this {self._name.lower()} is closed", todo=f"open a new one with {self._name}.open")
            yield

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
