"""Models that are not files yet, in the runtimes that will read them: the INT8 search asks these. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

from edgegan.runtime.backends.onnxruntime.backend import cpu_session
from edgegan.runtime.backends.openvino.library import process_core
from numpy.typing import NDArray

Array = NDArray[Any]
Run = Callable[[Mapping[str, Array]], Array]  # inputs by name -> the first output


def in_onnxruntime(model: Any) -> Run:
    """An onnx.ModelProto in ONNX Runtime on the CPU."""
    session = cpu_session(model.SerializeToString())
    first = [session.get_outputs()[0].name]

    def run(inputs: Mapping[str, Array]) -> Array:
        answer: Array = session.run(first, dict(inputs))[0]
        return answer

    return run


def in_openvino(model: Any) -> Run:
    """An onnx.ModelProto or openvino.Model in OpenVINO on the CPU, with the settings of `backends.openvino`."""
    core = process_core()
    read = core.read_model(model.SerializeToString()) if hasattr(model, "SerializeToString") else model
    options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    request = core.compile_model(read, "CPU", options).create_infer_request()

    def run(inputs: Mapping[str, Array]) -> Array:
        answer: Array = request.infer(dict(inputs))[0]
        return answer

    return run


OPENERS: Mapping[str, Callable[[Any], Run]] = {"onnxruntime": in_onnxruntime, "openvino": in_openvino}


def find_installed() -> tuple[str, ...]:
    """Which of OPENERS are here, fastest with INT8 first."""
    return tuple(name for name in ("openvino", "onnxruntime") if find_spec(name) is not None)
