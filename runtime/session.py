"""One loaded model behind a lock: what Editor and Sampler have in common."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from . import artefact as artefacts
from .artefact import Artefact
from .backends import Backend, Selection, open_backend, takes
from .card import ModelCard
from .errors import InputError

if TYPE_CHECKING:
    from typing import Self

_TASKS = {
    "translate": ("an editor", "a model that turns pictures into pictures", "Editor.open"),
    "generate": ("a sampler", "a model that turns latents into pictures", "Sampler.open"),
}


class Session:
    """A model in use. Its subclasses are thread-safe: every public call takes its turn on one lock."""

    def __init__(self, card: ModelCard, backend: Backend, notices: tuple[str, ...] = ()) -> None:
        self.card = card
        self.notices = notices
        self._backend = backend
        self._lock = threading.Lock()
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


def load_for(task: str, path: str | Path | Artefact) -> Artefact:
    """The model at `path`; raises what `artefact.load` does, and InputError if it cannot serve `task`, one by one."""
    model = path if isinstance(path, Artefact) else artefacts.load(path)
    who, needs, _ = _TASKS[task]
    if model.card.task != task:
        instead = _TASKS.get(model.card.task)
        raise InputError(
            f"{model.path} is a '{model.card.task}' model",
            f"{who} needs {needs}",
            f"use {instead[2]} for it" if instead else "",
        )
    if model.card.batch[0] > 1:
        raise InputError(
            f"{model.path} takes {model.card.batch[0]} pictures at a time, no fewer",
            f"{who} gives it one",
            "export it with --batch dynamic, or without --batch",
        )
    return model


def open_companion(companion: Artefact, backend: str, threads: int | None) -> Backend:
    """A helper's backend: the one asked for where it can load the file, else the best there is."""
    wanted = backend if backend != "auto" and takes(backend, companion.path) else "auto"
    return open_backend(companion, backend=wanted, device="auto", allow_fallback=True, threads=threads)
