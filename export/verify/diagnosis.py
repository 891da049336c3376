"""Why an artefact misses: because the file is wrong, or what runs it; and from which layer on. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edgegan.runtime.backends import backend_class
from edgegan.runtime.errors import EdgeganError
from edgegan.runtime.files import sha256
from edgegan.runtime.model import artefact as artefacts
from edgegan.runtime.model import fidelity, golden
from edgegan.runtime.model.artefact import Artefact, suffix
from edgegan.runtime.model.card import ModelCard, sidecar
from edgegan.runtime.model.golden import Golden
from edgegan.runtime.model.verification import Verification

from .layerwise import READERS, first_bad_layer

REFERENCE = "onnxruntime"  # on the CPU: an ONNX file that it runs wrongly is not written


@dataclass(frozen=True)
class Lineage:
    """The ONNX files beside an artefact that it comes from; None for one that is not there."""

    source: Path | None  # the very operators, for ONNX Runtime: itself, or the file that an engine was built from
    origin: Path | None  # the float32 file


def diagnosis(artefact: Artefact, pairs: Golden, backend: str, tolerance: Mapping[str, float]) -> list[str]:
    """What can be told, in sentences, about an artefact that misses `tolerance` on `backend`.

    The layers are compared with those of the float32 ONNX file beside it, where `backend` shows them; and, unless
    `backend` is the reference, the ONNX file behind the artefact is measured in ONNX Runtime on the CPU: if it is right
    there, what runs the artefact is wrong. `backend` may be "backend:device". Raises nothing.
    """
    found = lineage(artefact)
    return list(_explain(artefact, found, pairs, backend, tolerance))


def lineage(artefact: Artefact) -> Lineage:
    """Follows the hashes of parents on the cards of the files beside an artefact."""
    beside = {}
    for path in sorted(artefact.path.parent.glob("*.onnx")):
        with suppress(OSError):
            beside[sha256(path)] = path
    path, card = artefact.path, artefact.card
    source = path if suffix(path) == ".onnx" else None
    while card.parent_sha256 is not None:
        parent = beside.pop(card.parent_sha256, None)
        if parent is None:
            return Lineage(source, None)
        if suffix(artefact.path) == ".engine":
            source = source or parent
        path = parent
        try:
            card = ModelCard.from_json(sidecar(parent).read_bytes(), where=str(parent))
        except (OSError, EdgeganError):
            break
    if suffix(path) == ".onnx":
        return Lineage(source, path)
    return Lineage(source, _namesake(artefact))


def _namesake(artefact: Artefact) -> Path | None:
    """The float32 ONNX file of the same weights: an OpenVINO model has no other parent."""
    with suppress(EdgeganError):
        other = artefacts.load(artefact.path.with_name(f"{golden.stem(artefact.path)}.onnx"))
        if other.card.precision == "fp32" and other.card.training == artefact.card.training:
            return other.path
    return None


def _explain(
    artefact: Artefact, found: Lineage, pairs: Golden, backend: str, tolerance: Mapping[str, float]
) -> Iterator[str]:
    if backend in READERS:
        yield _layers(artefact, found.origin, pairs, backend)
    else:
        yield f"{backend} does not show the values of single layers"
    if backend == REFERENCE:
        return
    if found.source is None:
        yield "no ONNX file with its operators lies beside it, so that nothing tells whether the file is wrong"
        return
    try:
        source = (
            Artefact(found.source, artefact.card) if found.source == artefact.path else artefacts.load(found.source)
        )
        seen = _in_onnxruntime(source, pairs, tolerance)
    except EdgeganError as error:
        yield f"whether {found.source.name} itself is right is not known: {error.seen}"
        return
    worst_db = min((seen.psnr_worst_db or 0.0, *seen.corners_db.values()))
    figure = f"{found.source.name} has {worst_db:.1f} dB in ONNX Runtime on the CPU"
    if seen.status == "passed":
        runs = "the engine, or the TensorRT that runs it, is" if suffix(artefact.path) == ".engine" else f"{backend} is"
        yield f"{figure}: {runs} wrong, not that file"
        return
    yield f"{figure} as well: the file itself is wrong"
    if backend not in READERS:
        yield _layers(source, found.origin, pairs, REFERENCE)


def _layers(artefact: Artefact, origin: Path | None, pairs: Golden, backend: str) -> str:
    if origin is None:
        return "no float32 ONNX file that it was made from lies beside it, so that no layers can be compared"
    alone = artefact.path == origin
    other = "ONNX's reference evaluator" if alone and backend == REFERENCE else origin.name
    try:
        blame = first_bad_layer(artefact, origin, pairs, backend)
    except EdgeganError as error:
        return f"its layers are not compared: {'; '.join(part for part in (error.seen, error.todo) if part)}"
    if blame is not None:
        return f"{backend}, layer by layer against {other}: {blame}"
    if alone and backend == REFERENCE:
        return f"{backend} computes every layer as {other} does: the file itself is not the model that was exported"
    return (
        f"{backend}, layer by layer against {other}: no layer differs, read one by one, which can undo a wrong fusing"
    )


def _in_onnxruntime(artefact: Artefact, pairs: Golden, tolerance: Mapping[str, float]) -> Verification:
    card = artefact.card
    with backend_class(REFERENCE)(artefact, device="cpu") as reference:
        found = fidelity.measure(reference.run, pairs, card.outputs, card.inputs, tolerance)
        return fidelity.measure_calls(reference.run, found, golden.calls_beside(artefact), card)
