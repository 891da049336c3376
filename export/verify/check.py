"""Does an artefact still do what the model it was made from does? Needs no torch.

Names, axes, shapes and dtypes are compared with the card, then values with what fp32 eager answered.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from edgegan.runtime.backends import BACKENDS, check_ports, takes
from edgegan.runtime.backends.device import Device, Target
from edgegan.runtime.backends.processor import architecture, int8_arithmetic, other_arithmetic, other_processor
from edgegan.runtime.errors import (
    BackendError,
    CardError,
    EdgeganError,
    InputError,
    MissingExtraError,
    VerifyError,
)
from edgegan.runtime.model import fidelity, golden, onnxfile
from edgegan.runtime.model.artefact import Artefact, payload_sha256, suffix
from edgegan.runtime.model.golden import Golden
from edgegan.runtime.model.verification import Verification
from numpy.typing import NDArray

from ..graph import fp16_audit
from .diagnosis import REFERENCE, diagnosis
from .targets import list_here, open_unchecked

Array = NDArray[Any]
OnPair = Callable[[str, int, int], None]  # (backend, pairs done, pairs in all)


def verify_artefact(
    artefact: Artefact,
    pairs: Golden | None = None,
    *,
    tolerance: Mapping[str, float] | None = None,
    backends: Sequence[str | Target] | None = None,
    corners: Mapping[str, Golden] | None = None,
    on_pair: OnPair | None = None,
) -> dict[str, Verification]:
    """How close each backend comes to fp32 eager: one entry for each that can load the file.

    A backend that is not installed, or whose device is not here or has no memory left, is `not_run`, with the reason;
    one that cannot read the file, sees other names, dtypes or shapes than the card, or misses the tolerance is
    `failed`. Entries are called as on a card: "openvino", or "onnxruntime:cuda" where the device is not the usual one.

    Args:
        artefact: the model and its card.
        pairs: what to compare with; None takes the golden pairs beside the model.
        tolerance: `max_abs` and `min_psnr_db`, over the worst picture; None takes what the card states for the backend.
        backends: the ones to try, each with a device after a colon if it is not the usual one; None: `list_here`.
        corners: further pairs at the ends of the range of open axes, by name; None takes `ends`.
        on_pair: told of every pair.

    Raises:
        CardError: there are no golden pairs.
        InputError: no such backend.
        VerifyError: the card says fp16, and the file is not.
    """
    if artefact.card.precision == "fp16" and suffix(artefact.path) == ".onnx":
        fp16_audit.prove(onnxfile.read(artefact.path), artefact.card.built_with.fp32_nodes, str(artefact.path))
    if pairs is None:
        pairs = golden.beside(artefact)
        if pairs is None:
            raise CardError(f"{artefact.path}: no golden pairs lie beside it", todo="copy the whole export folder")
    if corners is None:
        corners = ends(artefact, pairs)
    figures = {}
    for each in list_here() if backends is None else backends:
        target = Target.parse(each) if isinstance(each, str) else each
        if target.backend not in BACKENDS:
            raise InputError(f"there is no backend '{target.backend}'", f"there are: {', '.join(BACKENDS)}")
        if takes(target.backend, artefact.path):
            held = tolerance or fidelity.tolerance(artefact.card, target.entry)
            tell = partial(on_pair, target.entry) if on_pair else None
            found = _verify_on(target, artefact, pairs, corners, held, tell)
            if target.device == Device("cpu") and found.status != "not_run":
                found = msgspec.structs.replace(found, architecture=architecture())
            figures[target.entry] = found
    return figures


def ends(artefact: Artefact, pairs: Golden) -> dict[str, Golden]:
    """The pairs beside an artefact at the ends of its range, and `pairs` again, as many in one call as its card allows.

    Raises CardError if the golden pairs cannot be read.
    """
    card = artefact.card
    found = golden.calls_beside(artefact)
    most = min(card.batch[1], len(pairs))
    if most > pairs.batch:
        height, width = card.size.hw
        found[f"{most}x{height}x{width}"] = msgspec.structs.replace(pairs, batch=most)
    return found


def require(
    artefact: Artefact,
    figures: Mapping[str, Verification],
    pairs: Golden,
    reference: str = REFERENCE,
) -> None:
    """Raises VerifyError unless `reference`, and so at least one backend, reproduced the model.

    The message tells what `diagnosis` finds. Where `reference` could not be run, which is no miss, BackendError.
    """
    name, found = artefact.path.name, figures[reference]
    if found.status == "passed":
        return
    if found.status == "not_run":
        raise BackendError(
            f"{name} cannot be verified: {reference} does not run here: {found.reason}",
            "nothing is written that was not verified",
            "edgegan doctor says what is missing",
        )
    lines = diagnosis(artefact, pairs, reference, found.tolerance) if found.pictures else []
    raise VerifyError(
        f"{name} does not reproduce the model on {reference}: {found.reason}",
        "; ".join((f"compared with fp32 eager on {found.pictures} held-out inputs", *lines)),
        "nothing was written",
    )


def write_figures(artefact: Artefact, figures: Mapping[str, Verification]) -> tuple[Artefact, tuple[str, ...]]:
    """Puts figures onto the card beside an artefact; the artefact with that card, and the entries that it got.

    What was not run here stays as the card has it, and so does what passed here and, at export, on more pictures.
    Of an INT8 file, figures of a processor with other arithmetic do not stay, and of others each is replaced that was
    measured on another architecture and now on this one. The model's own bytes are not touched.
    Raises InputError if the card cannot be written.
    """
    card, arithmetic = artefact.card, artefact.card.int8_arithmetic
    kept = dict(card.verification)
    on_cpu = [name for name in {**kept, **figures} if Target.parse(name).device == Device("cpu")]
    if other_arithmetic(card) and any(figures[name].status != "not_run" for name in on_cpu if name in figures):
        arithmetic = int8_arithmetic()
        kept = {name: each for name, each in kept.items() if name not in on_cpu}
    new = {}
    for name, found in figures.items():
        before = kept.get(name)
        holds = before is not None and not (name in on_cpu and other_processor(card, before))
        more = before is not None and before.status == found.status == "passed" and before.pictures > found.pictures
        if found.status != "not_run" and not (holds and more):
            new[name] = found
    card = msgspec.structs.replace(
        card,
        payload_sha256=card.payload_sha256 or payload_sha256(artefact.path),
        verification={**kept, **new},
        int8_arithmetic=arithmetic,
    )
    card.write(artefact.path)
    return Artefact(artefact.path, card), tuple(new)


def _verify_on(
    target: Target,
    artefact: Artefact,
    pairs: Golden,
    corners: Mapping[str, Golden],
    tolerance: Mapping[str, float],
    on_pair: Callable[[int, int], None] | None,
) -> Verification:
    card = artefact.card
    try:
        backend = open_unchecked(target, artefact)
    except (MissingExtraError, BackendError) as error:  # the package, the device, an engine's machine
        return _not_run(error, tolerance)
    except EdgeganError as error:
        return _failure(error, tolerance)
    seconds: list[float] = []

    def run(inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        began = time.perf_counter()
        outputs = backend.run(inputs)
        seconds.append(time.perf_counter() - began)
        if on_pair is not None:
            on_pair(len(seconds), len(pairs))
        return outputs

    try:
        with backend:
            check_ports(card, backend.inputs, backend.outputs)
            found = fidelity.measure(run, pairs, card.outputs, card.inputs, tolerance)
            latency_ms = round(1000 * statistics.median(seconds), 3)
            found = msgspec.structs.replace(found, latency_ms=latency_ms)
            return fidelity.measure_calls(backend.run, found, corners, card)
    except BackendError as error:  # it stopped: the device, its memory, its driver; what it would have answered is open
        return _not_run(error, tolerance)
    except EdgeganError as error:
        return _failure(error, tolerance)


def _not_run(error: EdgeganError, tolerance: Mapping[str, float]) -> Verification:
    return Verification(status="not_run", reason=error.seen, tolerance=dict(tolerance))


def _failure(error: EdgeganError, tolerance: Mapping[str, float]) -> Verification:
    reason = ": ".join(part for part in (error.seen, error.expected) if part)
    return Verification(status="failed", reason=reason, tolerance=dict(tolerance))
