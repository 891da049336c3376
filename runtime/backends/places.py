"""Where on this machine a model runs, found by loading it there, and why not elsewhere."""

from __future__ import annotations

from typing import Literal

import msgspec

from ..errors import EdgeganError
from ..model.artefact import Artefact
from . import BACKENDS, backend_class, check_ports, describe_library, takes
from .choice import tuner_of
from .selection import rank, verification
from .tuning.tuner import is_wanted


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A backend on a kind of device. `why` is for people; `todo` mends what keeps the model from running.

    `verified` is false where the model runs and its card has no figures of that.
    """

    backend: str
    device: str
    status: Literal["chosen", "runs", "if asked for", "refused", "not here"]
    why: str
    todo: str = ""
    verified: bool = True

    def __str__(self) -> str:
        return f"{self.backend} on {self.device}"


def places(artefact: Artefact) -> tuple[Place, ...]:
    """Every backend and device that knows the file's format, in the order in which they are asked.

    Of those that load the model, `chosen` is the one that was the fastest when it was measured on this machine, else
    the first that its card or golden pairs vouch for, else the first, as with `device="auto"`. What is only taken when
    asked for (it may build an engine for minutes) is not loaded. Raises nothing.
    """
    able = {name: backend_class(name).devices for name in BACKENDS if takes(name, artefact.path)}
    candidates = rank(artefact, able, "auto")
    if candidates and is_wanted() and (known := tuner_of(candidates, None).recall()) is not None:
        candidates = tuner_of(candidates, None).order(known)
    measured = {(c.target.backend, c.target.device.kind): c.measured_ms for c in candidates}
    offered = list(measured)
    others = [(name, kind) for name, kinds in able.items() for kind in kinds if (name, kind) not in offered]
    found = [_try_to_load(artefact, name, kind, measured[name, kind]) for name, kind in offered]
    able_here = [n for n, place in enumerate(found) if place.status == "runs"]
    proven = [n for n in able_here if found[n].verified or artefact.golden is not None]
    for n in (proven or able_here)[:1]:
        found[n] = msgspec.structs.replace(found[n], status="chosen")
    return (*found, *(_look_up(artefact, name, kind) for name, kind in others))


def _try_to_load(artefact: Artefact, name: str, kind: str, measured_ms: float | None) -> Place:
    known = verification(artefact, name, kind)
    if known is not None and known.status == "failed":
        return Place(backend=name, device=kind, status="refused", why=f"failed verification: {known.reason}")
    try:
        with backend_class(name)(artefact, device=kind) as opened:
            check_ports(artefact.card, opened.inputs, opened.outputs)
    except EdgeganError as error:
        return Place(backend=name, device=kind, status="not here", why=error.seen, todo=error.todo)
    here = f", {measured_ms:.1f} ms measured on this machine" if measured_ms is not None else ""
    if known is None or known.status == "not_run":
        later = "the golden pairs run at every load" if artefact.golden else "and no golden pairs lie beside it"
        before = "never verified" if known is None or not known.reason else known.reason
        return Place(backend=name, device=kind, status="runs", why=f"{before}; {later}{here}", verified=False)
    figure = f" at {known.psnr_worst_db:.1f} dB on the worst picture" if known.psnr_worst_db is not None else ""
    return Place(backend=name, device=kind, status="runs", why=f"verified{figure}{here}")


def _look_up(artefact: Artefact, name: str, kind: str) -> Place:
    try:
        devices = describe_library(name).partition("devices: ")[2].split(", ")
    except EdgeganError as error:
        return Place(backend=name, device=kind, status="not here", why=error.seen, todo=error.todo)
    if devices != [""] and not any(device.startswith(kind) for device in devices):
        return Place(backend=name, device=kind, status="not here", why=f"it sees no such device: {', '.join(devices)}")
    return Place(backend=name, device=kind, status="if asked for", why=f"with --backend {name} --device {kind}")
