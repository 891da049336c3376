"""The first layer of an artefact that differs from its float32 ONNX file. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from edgegan.runtime.backends.openvino.library import process_core
from edgegan.runtime.errors import MissingExtraError
from edgegan.runtime.model import fidelity
from edgegan.runtime.model.artefact import Artefact
from edgegan.runtime.model.golden import Golden
from numpy.typing import NDArray

from ..graph.intermediate_outputs import Inside

Array = NDArray[Any]

AGREES = 1e-4  # two runtimes that sum in another order
BLAMED_SHARE = 0.5  # the first layer by which half of the final error has appeared is the one to look at


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

    `backend` is one of READERS, which run on the CPU; None for any other, where nothing differs, or where the layers
    have no common names. A file that is its own parent is compared with ONNX's reference evaluator. Reading a layer's
    value can keep a runtime from fusing it, so that a fault of the fusing itself may not show.
    """
    try:
        import onnx
    except ImportError:
        raise MissingExtraError("onnx", "export") from None

    if backend not in READERS:
        return None
    origin = onnx.load(str(parent))
    layers = [(name, node) for node in origin.graph.node for name in node.output]
    names = [name for name, _ in layers]
    given = next(iter(pairs.calls()))[0]
    types = {i.name: onnx.helper.tensor_dtype_to_np_dtype(i.type.tensor_type.elem_type) for i in origin.graph.input}
    plain = {name: array.astype(types[name]) for name, array in given.items()}
    alone = artefact.path == parent and backend == "onnxruntime"
    expected = (_reference if alone else _onnxruntime)(parent, names, plain)
    seen = READERS[backend](artefact.path, names, fidelity.cast(given, artefact.card.inputs))
    errors = {n: (_relative(expected[n], seen[n]), node) for n, node in layers if n in expected and n in seen}
    most = max((error for error, _ in errors.values()), default=0.0)
    if most == 0.0 or (artefact.path == parent and most < AGREES):
        return None
    # What is compared last need not be what the model gives, and may be right where that is wrong.
    final = max((errors[o.name][0] for o in origin.graph.output if o.name in errors), default=0.0) or most
    error, node = next(each for each in errors.values() if not each[0] < BLAMED_SHARE * final)
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
    import onnx

    model = onnx.shape_inference.infer_shapes(onnx.load(str(path)))  # other tools may have left no types
    typed = {value.name for value in (*model.graph.value_info, *model.graph.output)}
    return Inside(model, [name for name in names if name in typed])(given)


def _openvino(path: Path, names: list[str], given: dict[str, Array]) -> dict[str, Array]:
    core = process_core()
    probe = core.read_model(str(path))
    held = {name for op in probe.get_ordered_ops() for port in op.outputs() for name in port.get_names()}
    there = {name for port in probe.outputs for name in port.get_names()}
    probe.add_outputs([n for n in dict.fromkeys(names) if n in held and n not in there])
    answer = core.compile_model(probe, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request().infer(given)
    return {name: np.array(value) for port, value in answer.items() for name in port.get_names()}


READERS = {"onnxruntime": _onnxruntime, "openvino": _openvino}
