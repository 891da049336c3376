"""Does an artefact still do what the model it was made from does? Needs no torch.

Names, axes, shapes and dtypes are compared with the card, then values with what fp32 eager answered.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from edgegan.runtime import golden, onnxfile
from edgegan.runtime.artefact import Artefact
from edgegan.runtime.backends import BACKENDS, Backend, backend_class, check_ports, takes
from edgegan.runtime.card import Verification
from edgegan.runtime.errors import BackendError, CardError, EdgeganError, InputError, MissingExtraError, VerifyError
from edgegan.runtime.golden import Golden
from numpy.typing import NDArray

from . import halves
from .to_trt import KEPT
from .worst import first_bad_layer

REFERENCE = "onnxruntime"  # an ONNX file that it runs wrongly is not written
_DEVICES = {"tensorrt": "cuda", "onnxruntime-tensorrt": "cuda"}
# It builds an engine of its own from each file, for minutes: proven where it is used, not at export.
AT_EXPORT = tuple(name for name in BACKENDS if name != "onnxruntime-tensorrt")

Array = NDArray[Any]
OnPair = Callable[[str, int, int], None]  # (backend, pairs done, pairs in all)


def verify_artefact(
    artefact: Artefact,
    pairs: Golden | None = None,
    *,
    tolerance: Mapping[str, float] | None = None,
    backends: tuple[str, ...] | None = None,
    corners: Mapping[str, Golden] | None = None,
    on_pair: OnPair | None = None,
) -> dict[str, Verification]:
    """How close each backend comes to fp32 eager; by backend name, one entry for each that can load the file.

    A backend that is not installed, or whose device is not here, is `not_run`, with the reason; one that cannot
    read the file, sees other names, dtypes or shapes than the card, or misses the tolerance is `failed`.

    Args:
        artefact: the model and its card.
        pairs: what to compare with; None takes the golden pairs beside the model.
        tolerance: `max_abs` and `min_psnr_db`, over the worst picture; None takes what the card states for the backend.
        backends: the ones to try; None means all.
        corners: further pairs at the ends of the range of open axes, by name; None takes the golden pairs again, as
            many in one call as the card allows.
        on_pair: told of every pair.

    Raises:
        CardError: there are no golden pairs.
        InputError: no such backend.
        VerifyError: the card says fp16, and the file is not.
    """
    if artefact.card.precision == "fp16" and artefact.path.suffix == ".onnx":
        kept = artefact.card.built_with.get(KEPT, "").split(",")
        halves.prove(onnxfile.read(artefact.path), kept, str(artefact.path))
    if pairs is None:
        pairs = golden.beside(artefact)
        if pairs is None:
            raise CardError(f"{artefact.path}: no golden pairs lie beside it", todo="copy the whole export folder")
    most = min(artefact.card.batch[1], len(pairs))
    if corners is None and most > pairs.batch:
        height, width = artefact.card.size.hw
        corners = {f"{most}x{height}x{width}": msgspec.structs.replace(pairs, batch=most)}
    stated = {name: v.tolerance for name, v in artefact.card.verification.items() if v.tolerance}
    first = next(iter(stated.values()), golden.DEFAULT_TOLERANCE)
    unknown = [name for name in backends or () if name not in BACKENDS]
    if unknown:
        raise InputError(f"there is no backend '{unknown[0]}'", f"there are: {', '.join(BACKENDS)}")
    return {
        name: _verify_on(name, artefact, pairs, corners or {}, tolerance or stated.get(name, first), on_pair)
        for name in backends or BACKENDS
        if takes(name, artefact.path)
    }


def require(
    artefact: Artefact,
    figures: Mapping[str, Verification],
    pairs: Golden,
    reference: str = REFERENCE,
) -> None:
    """Raises VerifyError unless `reference`, and so at least one backend, reproduced the model.

    The message names the first layer that differs from the float32 ONNX file beside it, where that can be told.
    """
    name, found = artefact.path.name, figures[reference]
    if found.status == "passed":
        return
    parent = artefact.path.with_name(f"{golden.stem(artefact.path)}.onnx")
    blame = first_bad_layer(artefact, parent, pairs, reference) if parent.is_file() and found.pictures else None
    raise VerifyError(
        f"{name} does not reproduce the model on {reference}: {found.reason}",
        f"compared with fp32 eager on {found.pictures} held-out inputs" + (f"; {blame}" if blame is not None else ""),
        "nothing was written",
    )


def _verify_on(
    name: str,
    artefact: Artefact,
    pairs: Golden,
    corners: Mapping[str, Golden],
    tolerance: Mapping[str, float],
    on_pair: OnPair | None,
) -> Verification:
    card = artefact.card
    specs = card.outputs, card.inputs
    try:
        backend = open_unchecked(name, artefact)
    except (MissingExtraError, BackendError) as error:  # the package, the device, an engine's machine
        return Verification(status="not_run", reason=error.seen, tolerance=dict(tolerance))
    except EdgeganError as error:
        return _failed(error, tolerance)
    seconds: list[float] = []

    def run(inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        began = time.perf_counter()
        outputs = backend.run(inputs)
        seconds.append(time.perf_counter() - began)
        if on_pair is not None:
            on_pair(name, len(seconds), len(pairs))
        return outputs

    try:
        with backend:
            check_ports(card, backend.inputs, backend.outputs)
            found = golden.measure(run, pairs, *specs, tolerance)
            latency_ms = round(1000 * statistics.median(seconds), 3)
            found = msgspec.structs.replace(found, latency_ms=latency_ms)
            for where, corner in corners.items():
                found = _with_corner(found, where, golden.measure(backend.run, corner, *specs, _at_corners(tolerance)))
    except EdgeganError as error:
        return _failed(error, tolerance)
    return found


def _at_corners(tolerance: Mapping[str, float]) -> dict[str, float]:
    """Sums over more pixels end in other digits, and one value of many lies far out: there the PSNR alone decides."""
    return {k: v for k, v in tolerance.items() if k != "max_abs" or "min_psnr_db" not in tolerance}


def _with_corner(found: Verification, where: str, corner: Verification) -> Verification:
    reasons = [reason for reason in (found.reason, corner.reason and f"at {where}: {corner.reason}") if reason]
    return msgspec.structs.replace(
        found,
        status="failed" if "failed" in (found.status, corner.status) else found.status,
        reason=", ".join(reasons),
        corners_db={**found.corners_db, where: round(corner.psnr_worst_db or 0.0, 2)},
    )


def _failed(error: EdgeganError, tolerance: Mapping[str, float]) -> Verification:
    reason = ": ".join(part for part in (error.seen, error.expected) if part)
    return Verification(status="failed", reason=reason, tolerance=dict(tolerance))


def open_unchecked(name: str, artefact: Artefact) -> Backend:
    """The backend itself: `open_backend` refuses what failed before, and here that is what is to be found out."""
    return backend_class(name)(artefact, device=_DEVICES.get(name, "cpu"))
