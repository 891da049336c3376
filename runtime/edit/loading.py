"""How a model and its helpers are loaded: what every `open` has in common."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, TypedDict

from ..backends import Backend, Progress, Rebuild, open_backend, takes
from ..errors import EdgeganError, InputError
from ..model import artefact as artefacts
from ..model.artefact import Artefact
from ..shipped import default_model

_TASKS = {
    "translate": ("an editor", "a model that turns pictures into pictures", "Editor.open"),
    "generate": ("a sampler", "a model that turns latents into pictures", "Sampler.open"),
}


class LoadingOptions(TypedDict, total=False):
    """The options by which any `open` loads a model; `Editor.open` explains them."""

    backend: str
    device: str
    allow_fallback: bool
    rebuild: Rebuild
    on_progress: Progress | None


class Loading(NamedTuple):
    """The choices of `Editor.open`, which explains them."""

    backend: str = "auto"
    device: str = "auto"
    allow_fallback: bool = False
    threads: int | None = None
    rebuild: Rebuild = "never"
    on_progress: Progress | None = None

    def network(self, model: Artefact) -> Backend:
        """The model itself; raises what `open_backend` does."""
        return open_backend(model, **self._asdict())

    def helper(self, companion: Artefact, network: Backend) -> Backend:
        """The backend of a helper of `network`, on the device asked for.

        It runs on few frames: measuring it would cost more than it gains, and so would a second library in memory. So
        on a CPU it opens in the network's own library, if that can; else in the backend asked for where it can load
        the file, else in the best. One that cannot run on the device goes to another, with a notice.
        """
        own = network.selection.backend if network.device == "cpu" else "auto"
        wanted = own if self.backend == "auto" else self.backend
        if wanted != "auto" and not takes(wanted, companion.path):
            wanted = "auto"
        try:
            return self._open_helper(companion, wanted)
        except EdgeganError:
            if wanted == self.backend or self.backend != "auto":
                raise
            return self._open_helper(companion, "auto")

    def _open_helper(self, companion: Artefact, backend: str) -> Backend:
        return open_backend(companion, backend, self.device, allow_fallback=True, threads=self.threads, measure=False)


def load_for(task: str, path: str | Path | Artefact | None) -> Artefact:
    """Loads the model at `path`; None takes the one that ships for cameras, clips and pictures.

    Raises what `artefact.load` does, and InputError if the model cannot serve `task`, one picture at a time.
    """
    model = path if isinstance(path, Artefact) else artefacts.load(default_model() if path is None else path)
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
