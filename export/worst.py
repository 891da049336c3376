"""Where an artefact goes wrong: its worst picture, and the first layer that differs. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from edgegan.runtime import golden
from edgegan.runtime.artefact import Artefact
from edgegan.runtime.backends import Backend
from edgegan.runtime.backends.ort import import_onnxruntime
from edgegan.runtime.backends.ov import import_openvino
from edgegan.runtime.card import TensorSpec
from edgegan.runtime.errors import MissingExtraError
from edgegan.runtime.golden import Golden
from edgegan.sheet import Picture, Sheet, to_picture
from numpy.typing import NDArray

Array = NDArray[Any]

AGREES = 1e-4  # two runtimes that sum in another order
BLAMED_SHARE = 0.5  # the first layer by which half of the final error has appeared is the one to look at


def worst_pair(backend: Backend, artefact: Artefact, pairs: Golden) -> tuple[int, Array]:
    """The number of the pair whose first output is farthest from eager's, and that output (1, ...)."""
    spec = artefact.card.outputs[0]
    found: tuple[float, int, Array] | None = None
    number = 0
    for given, expected in pairs.calls():
        for wanted, seen in zip(
            expected[spec.name], backend.run(golden.cast(given, artefact.card.inputs))[spec.name], strict=True
        ):
            psnr_db = golden.compare(wanted, seen, spec.value_range)["psnr_db"]
            if found is None or psnr_db < found[0]:
                found = psnr_db, number % len(pairs), seen[None]
            number += 1
    assert found is not None
    return found[1], found[2]


def worst_sheet(artefact: Artefact, pairs: Golden, backend: Backend) -> Sheet | None:
    """Input, fp32 eager, this artefact and ten times the error, side by side; None if it gives no picture."""
    spec = artefact.card.outputs[0]
    if spec.layout == "NC":
        return None
    index, seen = worst_pair(backend, artefact, pairs)
    low, high = spec.value_range or (0.0, 1.0)
    expected = pairs.outputs[spec.name][index]
    finite = np.nan_to_num(seen[0].astype(np.float32), posinf=high, neginf=low)
    error = np.abs(finite - expected) * (10.0 / (high - low))
    columns = ["fp32 eager", f"{artefact.card.precision} {backend.name}", "error x 10"]
    cells = [_cell(expected, spec), _cell(finite, spec), _cell(low + error * (high - low), spec)]
    shown = next((s for s in artefact.card.inputs if s.layout == spec.layout and s.shape == spec.shape), None)
    if shown is not None:
        cells.insert(0, _cell(pairs.inputs[shown.name][index], shown))
        columns.insert(0, "input")
    psnr_db = golden.compare(expected, finite, spec.value_range)["psnr_db"]
    return Sheet(columns, [cells], title=f"worst of {len(pairs)}: number {index}, {psnr_db:.1f} dB")


def _cell(picture: Array, spec: TensorSpec) -> Picture:
    return to_picture(golden.upright(picture, spec).transpose(2, 0, 1), spec.value_range or (0.0, 1.0))


@dataclass(frozen=True)
class Blame:
    """The first layer that differs. Errors are root mean squares relative to the values' own."""

    layer: str
    kind: str
    error: float
    final_error: float

    def __str__(self) -> str:
        return (
            f"half of the error is there from the layer {self.layer} ({self.kind}) on: {self.error:.1%} of its values' "
            f"root mean square, {self.final_error:.1%} at the end"
        )


def first_bad_layer(artefact: Artefact, parent: Path, pairs: Golden, backend: str) -> Blame | None:
    """Compares an artefact layer by layer with its float32 ONNX parent in ONNX Runtime, on the first pairs.

    `backend` is onnxruntime or openvino; None for any other, where nothing differs, or where the layers have no common
    names. A file that is its own parent is compared with ONNX's reference evaluator. Reading a layer's value can
    keep a runtime from fusing it, so that a fault of the fusing itself may not show.
    """
    try:
        import onnx
    except ImportError:
        raise MissingExtraError("onnx", "export") from None

    if backend not in _READERS:
        return None
    origin = onnx.load(str(parent))
    layers = [(name, node) for node in origin.graph.node for name in node.output]
    names = [name for name, _ in layers]
    given = next(iter(pairs.calls()))[0]
    alone = artefact.path == parent and backend == "onnxruntime"
    expected = (_reference if alone else _onnxruntime)(parent, names, given)
    seen = _READERS[backend](artefact.path, names, golden.cast(given, artefact.card.inputs))
    errors = [(_relative(expected[n], seen[n]), node) for n, node in layers if n in expected and n in seen]
    most = max((error for error, _ in errors), default=0.0)
    if most == 0.0 or (artefact.path == parent and most < AGREES):
        return None
    final = errors[-1][0]
    error, node = next(each for each in errors if not each[0] < BLAMED_SHARE * final)
    return Blame(node.name or node.output[0], node.op_type, error, final)


def _relative(expected: Array, seen: Array) -> float:
    expected, seen = expected.astype(np.float64), seen.astype(np.float64)
    if expected.shape != seen.shape or not np.isfinite(seen).all():
        return float("inf")
    return float(np.sqrt(np.mean((seen - expected) ** 2) / max(float(np.mean(expected**2)), 1e-12)))


def _reference(path: Path, names: list[str], given: dict[str, Array]) -> dict[str, Array]:
    from onnx.reference import ReferenceEvaluator

    try:
        found: Any = ReferenceEvaluator(str(path)).run(None, given, intermediate=True)
    except Exception:  # an operator that it does not have: then nothing can be blamed
        return {}
    return {name: found[name] for name in names if name in found}


def _onnxruntime(path: Path, names: list[str], given: dict[str, Array]) -> dict[str, Array]:
    ort = import_onnxruntime()
    options = ort.SessionOptions()
    options.log_severity_level = 4
    model = _probe(path, names).SerializeToString()
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    found = [o.name for o in session.get_outputs()]
    return dict(zip(found, session.run(found, given), strict=True))


def _probe(path: Path, names: list[str]) -> Any:
    """The model with every layer's value as an output."""
    import onnx

    probe = onnx.shape_inference.infer_shapes(onnx.load(str(path)))  # other tools may have left no types
    there = {o.name for o in probe.graph.output}
    types = {v.name: v for v in probe.graph.value_info}
    probe.graph.output.extend(types[n] for n in dict.fromkeys(names) if n in types and n not in there)
    return probe


def _openvino(path: Path, names: list[str], given: dict[str, Array]) -> dict[str, Array]:
    openvino = import_openvino()
    core = openvino.Core()
    probe = core.read_model(str(path))
    held = {name for op in probe.get_ordered_ops() for port in op.outputs() for name in port.get_names()}
    there = {name for port in probe.outputs for name in port.get_names()}
    probe.add_outputs([n for n in dict.fromkeys(names) if n in held and n not in there])
    answer = core.compile_model(probe, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request().infer(given)
    return {name: np.array(value) for port, value in answer.items() for name in port.get_names()}


_READERS = {"onnxruntime": _onnxruntime, "openvino": _openvino}
