"""Where an artefact goes wrong: its worst picture, and the first layer that differs. Needs no torch."""

from __future__ import annotations

import copy
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

BLAMED_SHARE = 0.5  # the first layer by which half of the final error has appeared is the one to look at


def worst_pair(backend: Backend, artefact: Artefact, pairs: Golden) -> tuple[int, Array]:
    """The number of the pair whose first output is farthest from eager's, and that output (1, ...)."""
    spec = artefact.card.outputs[0]
    found: tuple[float, int, Array] | None = None
    for i, (given, expected) in enumerate(pairs.singles()):
        seen = backend.run(golden.cast(given, artefact.card.inputs))[spec.name]
        psnr_db = golden.compare(expected[spec.name], seen, spec.value_range)["psnr_db"]
        if found is None or psnr_db < found[0]:
            found = psnr_db, i, seen
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


def first_bad_layer(artefact: Artefact, parent: Path, pairs: Golden, backend: str) -> Blame | None:
    """Compares an ONNX artefact layer by layer with its float32 parent in ONNX Runtime, on the first pair.

    None where nothing differs, or where the layers have no common names. Reading a layer's value can keep a
    runtime from fusing it, so that a fault of the fusing itself may not show.
    """
    try:
        import onnx
    except ImportError:
        raise MissingExtraError("onnx", "export") from None

    model, origin = onnx.load(str(artefact.path)), onnx.load(str(parent))
    known = {name for node in origin.graph.node for name in node.output}
    layers = [(name, node) for node in model.graph.node for name in node.output if name in known]
    given = {name: array[:1] for name, array in pairs.inputs.items()}
    names = [name for name, _ in layers]
    expected = _onnxruntime(origin, names, given)
    cast = golden.cast(given, artefact.card.inputs)
    seen = (_openvino if backend == "openvino" else _onnxruntime)(model, names, cast)
    errors = [_relative(expected[n], seen[n]) if n in expected and n in seen else 0.0 for n in names]
    if not errors or max(errors) == 0.0:
        return None
    final = errors[-1]
    position = next(i for i, error in enumerate(errors) if not error < BLAMED_SHARE * final)
    node = layers[position][1]
    return Blame(node.name, node.op_type, errors[position], final)


def _relative(expected: Array, seen: Array) -> float:
    expected, seen = expected.astype(np.float64), seen.astype(np.float64)
    if expected.shape != seen.shape or not np.isfinite(seen).all():
        return float("inf")
    return float(np.sqrt(np.mean((seen - expected) ** 2) / max(float(np.mean(expected**2)), 1e-12)))


def _onnxruntime(model: Any, names: list[str], given: dict[str, Array]) -> dict[str, Array]:
    ort = import_onnxruntime()
    probe = copy.deepcopy(model)
    there = {o.name for o in probe.graph.output}
    types = {v.name: v for v in probe.graph.value_info}
    probe.graph.output.extend(types[n] for n in dict.fromkeys(names) if n in types and n not in there)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(probe.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found = [o.name for o in session.get_outputs()]
    return dict(zip(found, session.run(found, given), strict=True))


def _openvino(model: Any, names: list[str], given: dict[str, Array]) -> dict[str, Array]:
    openvino = import_openvino()
    core = openvino.Core()
    probe = core.read_model(model.SerializeToString())
    held = {name for op in probe.get_ordered_ops() for port in op.outputs() for name in port.get_names()}
    there = {name for port in probe.outputs for name in port.get_names()}
    probe.add_outputs([n for n in dict.fromkeys(names) if n in held and n not in there])
    answer = core.compile_model(probe, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request().infer(given)
    return {name: np.array(value) for port, value in answer.items() for name in port.get_names()}
