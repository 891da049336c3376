"""An engine that does not fit this machine is built again, from the ONNX file beside it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Literal

from ..errors import BackendError, EdgeganError, MisfitError
from ..model.artefact import Artefact

Rebuild = Literal["auto", "never"]
Progress = Callable[[str, int, int], None]  # (what, steps done, steps in all)

_BUILDER = "edgegan.export.trt.rebuild"  # by name: the runtime depends on it only where an engine has to be built


def rebuild_engine(
    artefact: Artefact, misfit: MisfitError, device: str = "cuda", on_progress: Progress | None = None
) -> Artefact:
    """An engine like `artefact` that fits the GPU `device`, in the per-user cache; see `edgegan.export.trt.rebuild`.

    Raises BackendError, with what does not fit and why no other engine can be built.
    """
    try:
        made: Artefact = importlib.import_module(_BUILDER).rebuild(artefact, device=device, on_progress=on_progress)
    except EdgeganError as error:
        raise BackendError(
            misfit.seen, f"it cannot be built again here: {error.seen}", error.todo or misfit.todo
        ) from error
    return made
