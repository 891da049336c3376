"""What runs a network: one contract, one table, one place that chooses and says why.

Devices are called "cpu", "cuda" (or "cuda:1" for a numbered one), and, through OpenVINO, "gpu" and "npu".
"""

from __future__ import annotations

import msgspec

from ..errors import CardError, EdgeganError, InputError, MisfitError
from ..model.artefact import Artefact
from ..model.forms import forms
from .choice import candidates_of, choose, loadable, open_candidate, tuner_of
from .contract import Arrays, Backend, OnDevice, Pending, Port, Shareable, begin, check_inputs, check_ports
from .rebuild import Progress, Rebuild, rebuild_engine
from .selection import Selection
from .table import BACKENDS, backend_class, describe_library, takes
from .tuning.tuner import SECONDS, Tuning, is_wanted

__all__ = [
    "BACKENDS",
    "Arrays",
    "Backend",
    "OnDevice",
    "Pending",
    "Port",
    "Progress",
    "Rebuild",
    "Selection",
    "Shareable",
    "backend_class",
    "begin",
    "check_inputs",
    "check_ports",
    "describe_library",
    "open_backend",
    "takes",
    "tune",
]


def open_backend(
    artefact: Artefact,
    backend: str = "auto",
    device: str = "auto",
    allow_fallback: bool = False,
    threads: int | None = None,
    rebuild: Rebuild = "never",
    on_progress: Progress | None = None,
    *,
    measure: bool = True,
) -> Backend:
    """Loads `artefact` on the fastest backend and device that passed verification, or on those asked for.

    A pair that the card calls failed is refused. One that was never verified runs the golden pairs that lie beside
    the model first, and is refused on a miss; where there are none, it is taken only if no verified pair is here,
    with a notice. The network's own names, types and shapes must be those of the card. `backend.selection` says
    what was chosen and why each other was not.

    Which one is the fastest is measured when `auto` first meets the model on this machine, a fraction of a second for
    each, and remembered in the per-user cache. Where the artefact stands for its folder, all `forms.forms` of it take
    part; `backend.selection.artefact` is the one that was taken. With `measure=False`, or EDGEGAN_AUTO=card, the
    latencies on the card decide, and a folder stands for its `model.onnx`.

    An engine that was built for another machine is refused; with `rebuild="auto"` another one is built from the ONNX
    file beside it, verified, kept in the per-user cache and loaded instead, with a notice. That may take minutes, of
    which `on_progress` is told, perhaps from another thread.

    Raises:
        BackendError: what was asked for is not there (unless `allow_fallback`), or nothing can run the model.
        CardError: the network is not what its card says.
    """
    measure = measure and backend == "auto" and is_wanted()
    artefact = loadable(artefact, backend)
    try:
        try:
            return choose(artefact, backend, device, threads, on_progress if measure else None, measure=measure)
        except MisfitError as misfit:
            if rebuild == "never":
                raise
            fresh = rebuild_engine(artefact, misfit, "cuda" if device == "auto" else device, on_progress)
            notice = f"{misfit.seen}: it was built again for this machine, as {fresh.path}"
            return _add_notice(choose(fresh, backend, device, threads), notice)
    except CardError:
        raise
    except EdgeganError as error:
        if not allow_fallback or (backend, device) == ("auto", "auto"):
            raise
        refused = error
    opened = open_backend(artefact, threads=threads, measure=measure)
    return _add_notice(opened, f"{backend} on {device} was asked for and is not used: {refused.seen}")


def tune(
    artefact: Artefact,
    device: str = "auto",
    threads: int | None = None,
    batch: int | None = None,
    seconds: float = SECONDS,
    on_progress: Progress | None = None,
) -> Tuning:
    """Measures every pair that `open_backend` would choose among, and remembers it for the opens to come.

    Args:
        artefact: as in `open_backend`; where it stands for its folder, all forms of it take part.
        device: "auto" for every kind of device, or one of them.
        threads: CPU threads of the network; None for all.
        batch: pictures a call, as many as the card allows; None takes the fewest, which is what opening goes by.
        seconds: for each pair.
        on_progress: called with (what, pairs begun, pairs in all).

    Raises InputError for a batch that the model cannot take, BackendError where nothing can load the file.
    """
    fewest, most = artefact.card.batch
    if batch is not None and not fewest <= batch <= most:
        raise InputError(f"a batch of {batch} was asked for", f"the model takes {fewest} to {most} pictures a call")
    tuner = tuner_of(candidates_of(artefact, "auto", device, among=forms(artefact)), threads, batch)
    return tuner.measure(lambda candidate: open_candidate(candidate, threads, strict=True)[:2], seconds, on_progress)


def _add_notice(opened: Backend, notice: str) -> Backend:
    opened.selection = msgspec.structs.replace(opened.selection, notices=(*opened.selection.notices, notice))
    return opened
