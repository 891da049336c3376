"""What runs a network: one contract, one table, one place that chooses and says why.

Devices are called "cpu", "cuda" (or "cuda:1" for a numbered one), and, through OpenVINO, "gpu" and "npu".
"""

from __future__ import annotations

import importlib
from pathlib import Path

import msgspec

from ..errors import BackendError, CardError, EdgeganError, InputError, MisfitError
from ..model.artefact import Artefact, suffix
from ..model.fidelity import verify
from .contract import Arrays, Backend, Port, check_inputs, check_ports
from .rebuild import Progress, Rebuild, rebuild_engine
from .selection import Candidate, Selection, rank

__all__ = [
    "BACKENDS",
    "Arrays",
    "Backend",
    "Port",
    "Progress",
    "Rebuild",
    "Selection",
    "backend_class",
    "check_inputs",
    "check_ports",
    "describe_library",
    "open_backend",
    "takes",
]

# In the order in which they are asked, other things being equal. Each module is imported when first wanted.
BACKENDS = {
    "tensorrt": f"{__name__}.tensorrt.backend:TensorRT",
    "onnxruntime": f"{__name__}.onnxruntime.backend:OnnxRuntime",
    "onnxruntime-tensorrt": f"{__name__}.onnxruntime.tensorrt:OnnxRuntimeTensorRT",
    "openvino": f"{__name__}.openvino.backend:OpenVino",
}


def open_backend(
    artefact: Artefact,
    backend: str = "auto",
    device: str = "auto",
    allow_fallback: bool = False,
    threads: int | None = None,
    rebuild: Rebuild = "never",
    on_progress: Progress | None = None,
) -> Backend:
    """Loads `artefact` on the fastest backend and device that passed verification, or on those asked for.

    A pair that the card calls failed is refused. One that was never verified runs the golden pairs that lie beside
    the model first, and is refused on a miss; where there are none, it is taken only if no verified pair is here,
    with a notice. The network's own names, types and shapes must be those of the card. `backend.selection` says
    what was chosen and why each other was not.

    An engine that was built for another machine is refused; with `rebuild="auto"` another one is built from the ONNX
    file beside it, verified, kept in the per-user cache and loaded instead, with a notice. That may take minutes, of
    which `on_progress` is told, perhaps from another thread.

    Raises:
        BackendError: what was asked for is not there (unless `allow_fallback`), or nothing can run the model.
        CardError: the network is not what its card says.
    """
    try:
        try:
            return _choose(artefact, backend, device, threads)
        except MisfitError as misfit:
            if rebuild == "never":
                raise
            fresh = rebuild_engine(artefact, misfit, "cuda" if device == "auto" else device, on_progress)
            notice = f"{misfit.seen}: it was built again for this machine, as {fresh.path}"
            return _add_notice(_choose(fresh, backend, device, threads), notice)
    except CardError:
        raise
    except EdgeganError as error:
        if not allow_fallback or (backend, device) == ("auto", "auto"):
            raise
        refused = error
    opened = open_backend(artefact, threads=threads)
    return _add_notice(opened, f"{backend} on {device} was asked for and is not used: {refused.seen}")


def _add_notice(opened: Backend, notice: str) -> Backend:
    opened.selection = msgspec.structs.replace(opened.selection, notices=(*opened.selection.notices, notice))
    return opened


def takes(backend: str, path: Path) -> bool:
    """Whether `backend` can load files like `path`."""
    return suffix(path) in backend_class(backend).suffixes


class _UnverifiedError(Exception):
    """A pair that nobody verified and that cannot be verified here."""


def _choose(artefact: Artefact, backend: str, device: str, threads: int | None) -> Backend:
    candidates = _candidates(artefact, backend, device)
    errors: dict[str, EdgeganError] = {}
    for strict in (True, False):  # first the pairs with a proof, then what nobody can verify
        for candidate in candidates:
            if str(candidate) in errors:
                continue
            try:
                opened, why, notices = _open(artefact, candidate, threads, strict=strict)
            except _UnverifiedError:
                continue
            except CardError:
                raise
            except EdgeganError as error:
                errors[str(candidate)] = error
                continue
            opened.selection = Selection(
                backend=opened.name,
                device=opened.device,
                why=why if (backend, device) == ("auto", "auto") else f"asked for; {why}",
                others=_why_not(candidate, candidates, errors),
                notices=(*opened.notices, *notices),
            )
            return opened
    raise _none(artefact, errors)


def _candidates(artefact: Artefact, backend: str, device: str) -> list[Candidate]:
    if backend != "auto" and backend not in BACKENDS:
        raise BackendError(f"there is no backend '{backend}'", f"there are: auto, {', '.join(BACKENDS)}")
    names = tuple(BACKENDS) if backend == "auto" else (backend,)
    able = {name: backend_class(name).devices for name in names if takes(name, artefact.path)}
    if not able:
        suffixes = ", ".join(backend_class(backend).suffixes)
        raise BackendError(f"{backend} cannot load {artefact.path.name}", f"it loads files that end in {suffixes}")
    candidates = rank(artefact, able, device)
    if not candidates:
        known = ", ".join(sorted({d for devices in able.values() for d in devices}))
        raise BackendError(f"{artefact.path.name} cannot run on the device '{device}'", f"devices: auto, {known}")
    return candidates


def _open(
    artefact: Artefact, candidate: Candidate, threads: int | None, *, strict: bool
) -> tuple[Backend, str, tuple[str, ...]]:
    """The loaded network, why it may be used, and notices. `strict` raises _UnverifiedError if nothing proves it."""
    if candidate.status == "failed":
        raise BackendError(
            f"{candidate} failed verification: {candidate.reason or 'no reason is on the card'}",
            todo="take another backend, or, after an update of this one, verify again: edgegan verify MODEL --write",
        )
    proven = candidate.status == "passed"
    if strict and not proven and artefact.golden is None:
        raise _UnverifiedError
    opened = backend_class(candidate.target.backend)(artefact, device=str(candidate.target.device), threads=threads)
    try:
        check_ports(artefact.card, opened.inputs, opened.outputs)
        if proven:
            return opened, candidate.why, ()
        measured = verify(opened.run, artefact, candidate.target.entry)
        if measured is None:
            if strict:
                raise _UnverifiedError
            notice = f"{artefact.path.name} was never verified on {candidate}, and no golden pairs lie beside it"
            return opened, candidate.why, (notice,)
        if measured.status == "failed":
            raise BackendError(
                f"{candidate} does not reproduce the model: {measured.reason}",
                f"measured on the {measured.pictures} golden pairs beside {artefact.path.name}",
                "take another backend, or export the model again on this machine",
            )
        return opened, f"it reproduced the {measured.pictures} golden pairs just now", ()
    except BaseException:
        opened.close()
        raise


def _why_not(chosen: Candidate, candidates: list[Candidate], errors: dict[str, EdgeganError]) -> dict[str, str]:
    def reason(other: Candidate) -> str:
        if str(other) in errors:
            return errors[str(other)].seen
        if other.status == "failed":
            return f"failed verification: {other.reason}"
        return f"{chosen} comes first" if candidates.index(other) > candidates.index(chosen) else "nothing verified it"

    return {str(other): reason(other) for other in candidates if other is not chosen}


def _none(artefact: Artefact, errors: dict[str, EdgeganError]) -> EdgeganError:
    """The error when no candidate opened: what is wrong with the file, or the only reason, or all in one line."""
    found = list(errors.values())
    for error in found:
        if isinstance(error, InputError) or len(found) == 1:
            return error
    reasons = "; ".join(f"{pair}: {error.seen}" for pair, error in errors.items())
    return BackendError(f"nothing here can run {artefact.path}", reasons, found[-1].todo)


def backend_class(name: str) -> type[Backend]:
    """The class behind a name of BACKENDS, not opened."""
    module, _, kind = BACKENDS[name].partition(":")
    found: type[Backend] = getattr(importlib.import_module(module), kind)
    return found


def describe_library(name: str) -> str:
    """The version of a backend's library and the devices it sees; raises EdgeganError if it cannot run here."""
    words: str = importlib.import_module(BACKENDS[name].partition(":")[0]).describe_library()
    return words
