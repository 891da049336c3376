"""The choice among the files, backends and devices that can run a model, each tried in order."""

from __future__ import annotations

import msgspec

from ..checks import outlive_forks
from ..errors import BackendError, CardError, EdgeganError, InputError
from ..model.artefact import Artefact
from ..model.fidelity import verify
from ..model.forms import forms
from .contract import Backend, check_ports
from .rebuild import Progress
from .selection import Candidate, Selection, rank
from .table import BACKENDS, backend_class, takes, version_here
from .tuning.tuner import Tuner


class _UnverifiedError(EdgeganError):
    """A pair that nobody verified and that cannot be verified here."""


def choose(
    artefact: Artefact,
    backend: str,
    device: str,
    threads: int | None,
    on_progress: Progress | None = None,
    *,
    measure: bool = False,
) -> Backend:
    """The first pair that opens and is proven, else the first that opens; its `selection` says why.

    `measure`: the order is that of the times on this machine, among all forms of the artefact; else that of its card.
    Raises CardError if the artefact is not what its card says, else why nothing opened.
    """
    candidates = candidates_of(artefact, backend, device, among=forms(artefact) if measure else (artefact,))
    if measure:
        tuner = tuner_of(candidates, threads)
        if tuner.promising > 1:
            known = tuner.recall() or tuner.measure(
                lambda candidate: open_candidate(candidate, threads, strict=True)[:2], tell=on_progress
            )
            candidates = tuner.order(known)
    asked = (backend, device) != ("auto", "auto")
    try:
        return _first(artefact, candidates, threads, asked=asked)
    except CardError:
        raise
    except EdgeganError:  # its library is not here, perhaps, and that of another form is
        others = forms(artefact)[1:] if backend == "auto" and not measure else ()
        if not others:
            raise
        return _first(artefact, candidates_of(artefact, backend, device, among=others), threads, asked=asked)


def _first(artefact: Artefact, candidates: list[Candidate], threads: int | None, *, asked: bool) -> Backend:
    """As `choose`, in the order of the candidates."""
    errors: dict[str, EdgeganError] = {}
    for strict in (True, False):  # first the pairs with a proof, then what nobody can verify
        for candidate in candidates:
            if str(candidate) in errors:
                continue
            try:
                opened, proof, notices = open_candidate(candidate, threads, strict=strict)
            except _UnverifiedError:
                continue
            except EdgeganError as error:
                if isinstance(error, CardError) and candidate.artefact is artefact:
                    raise
                errors[str(candidate)] = error
                continue
            why = msgspec.structs.replace(candidate, proof=proof).why
            opened.selection = Selection(
                backend=opened.name,
                device=opened.device,
                why=f"asked for; {why}" if asked else why,
                artefact=candidate.artefact,
                file=candidate.file,
                others=_why_not(candidate, candidates, errors),
                notices=(*opened.notices, *notices),
            )
            return opened
    raise _none(artefact, errors)


def tuner_of(candidates: list[Candidate], threads: int | None, batch: int | None = None) -> Tuner:
    """What measures the candidates, with the versions of their libraries."""
    names = {candidate.target.backend for candidate in candidates}
    return Tuner(candidates, {name: version_here(name) for name in names}, threads, batch)


def candidates_of(artefact: Artefact, backend: str, device: str, among: tuple[Artefact, ...]) -> list[Candidate]:
    """Every pair of a file of `among` with a backend and device that may run it, in the order to try without measuring.

    Raises BackendError, which names what there is, if there are none.
    """
    if backend != "auto" and backend not in BACKENDS:
        raise BackendError(f"there is no backend '{backend}'", f"there are: auto, {', '.join(BACKENDS)}")
    names = tuple(BACKENDS) if backend == "auto" else (backend,)
    found: list[Candidate] = []
    known: set[str] = set()
    for form in among:
        able = {name: backend_class(name).devices for name in names if takes(name, form.path)}
        known |= {kind for kinds in able.values() for kind in kinds}
        file = form.path.name if len(among) > 1 else ""
        found += [msgspec.structs.replace(each, file=file) for each in rank(form, able, device)]
    if not known:
        suffixes = ", ".join(backend_class(backend).suffixes)
        raise BackendError(f"{backend} cannot load {artefact.path.name}", f"it loads files that end in {suffixes}")
    if not found:
        devices = f"devices: auto, {', '.join(sorted(known))}"
        raise BackendError(f"{artefact.path.name} cannot run on the device '{device}'", devices)
    return found


def open_candidate(candidate: Candidate, threads: int | None, *, strict: bool) -> tuple[Backend, str, tuple[str, ...]]:
    """The loaded network, what proves it, and notices. `strict` raises an EdgeganError if nothing does."""
    artefact = candidate.artefact
    if candidate.status == "failed":
        raise BackendError(
            f"{candidate} failed verification: {candidate.reason or 'no reason is on the card'}",
            todo="take another backend, or, after an update of this one, verify again: edgegan verify MODEL --write",
        )
    proven = candidate.status == "passed"
    if strict and not proven and artefact.golden is None:
        raise _UnverifiedError("nothing verified it, and no golden pairs lie beside it")
    opened = backend_class(candidate.target.backend)(artefact, device=str(candidate.target.device), threads=threads)
    outlive_forks(opened)
    try:
        check_ports(artefact.card, opened.inputs, opened.outputs)
        if proven:
            return opened, candidate.proof, ()
        measured = verify(opened.run, artefact, candidate.target.entry)
        if measured is None:
            if strict:
                raise _UnverifiedError("nothing verified it, and the golden pairs beside it are of other models")
            notice = f"{artefact.path.name} was never verified on {candidate}, and no golden pairs lie beside it"
            return opened, candidate.proof, (notice,)
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
        if other.measured_ms is not None:
            return f"{other.measured_ms:.1f} ms measured on this machine"
        if other.why_not:
            return other.why_not
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


def loadable(artefact: Artefact, backend: str) -> Artefact:
    """What stands for the folder where a backend was named that does not read its `model.onnx`; else `artefact`."""
    if backend not in BACKENDS or takes(backend, artefact.path):
        return artefact
    return next((form for form in forms(artefact) if takes(backend, form.path)), artefact)
