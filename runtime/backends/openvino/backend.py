"""OpenVINO, on Intel and ARM processors; reads ONNX files and its own .xml."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError, InputError
from ...model.artefact import Artefact
from .. import Arrays, Port, Selection, check_inputs
from ..contract import Closing
from ..device import Device
from .cache import Compiled, choose_folder
from .library import process_core

PACKAGES = ("openvino",)
_DTYPES = {"f32": "float32", "f16": "float16", "u8": "uint8"}


class OpenVino(Closing):
    """OpenVINO behind the contract of `Backend`.

    Args:
        artefact: an .onnx or .xml file with its card.
        device: "cpu", "gpu", "gpu:1" or "npu".
        threads: CPU threads; None takes all.
        cache_dir: where compiled models are kept between runs; None takes what `cache.VARIABLE` names.
        counters: measures every node, for `counters`; compiles anew.
    """

    name = "openvino"
    suffixes = (".xml", ".onnx")
    devices = ("cpu", "gpu", "npu")
    selection: Selection
    notices: tuple[str, ...] = ()

    def __init__(
        self,
        artefact: Artefact,
        *,
        device: str,
        threads: int | None = None,
        cache_dir: Path | None = None,
        counters: bool = False,
    ) -> None:
        core = process_core()
        asked = Device.parse(device)
        kind = asked.kind
        wanted = kind.upper() + (f".{asked.number}" if asked.number is not None else "")
        there = core.available_devices
        if not any(d == wanted or d.startswith(f"{wanted}.") for d in there):
            raise BackendError(f"OpenVINO sees no device '{device}' here", f"it sees: {', '.join(there).lower()}")
        properties: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1"}
        if kind == "cpu":
            # bf16 and f16 are its default on some processors: slower or 50 dB there, and never what was verified.
            properties["INFERENCE_PRECISION_HINT"] = "f32"
            if threads is not None:
                properties["INFERENCE_NUM_THREADS"] = threads
        elif artefact.card.precision == "fp32":
            properties["INFERENCE_PRECISION_HINT"] = "f32"
        if kind == "npu" or (kind == "gpu" and "INFERENCE_PRECISION_HINT" not in properties):
            properties.pop("NUM_STREAMS")
        if counters:
            properties["PERF_COUNT"] = True
        try:
            self._model = _compile(core, artefact, wanted, properties, None if counters else choose_folder(cache_dir))
            self._request = self._model.create_infer_request()
        except Exception as error:  # RuntimeError, with the whole call stack of the library as its text
            raise InputError(
                f"OpenVINO cannot load {artefact.path}: {_last_line(error)}", todo="export the model again"
            ) from error
        self.device = device
        self.inputs = tuple(_port(port, [s.name for s in artefact.card.inputs]) for port in self._model.inputs)
        self.outputs = tuple(_port(port, [s.name for s in artefact.card.outputs]) for port in self._model.outputs)

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """See `Backend.run`."""
        if self._request is None:
            raise BackendError("this backend is closed")
        check_inputs(self.inputs, inputs)
        try:
            contiguous = {n: np.ascontiguousarray(a) for n, a in inputs.items()}
            # Outputs are copied: its own output memory is used again by the next run.
            found = self._request.infer(contiguous, share_inputs=True, share_outputs=False)
        except Exception as error:
            raise BackendError(f"OpenVINO stopped on {self.device}: {_last_line(error)}") from error
        return {port.name: found[i] for i, port in enumerate(self.outputs)}

    def counters(self) -> list[tuple[str, str, float]]:
        """Name, kernel and milliseconds of every node that the last run executed; for those opened with `counters`."""
        infos = self._request.get_profiling_info()
        executed = [info for info in infos if info.status == info.Status.EXECUTED]
        return [(i.node_name, f"{i.node_type} {i.exec_type}", i.real_time.total_seconds() * 1000) for i in executed]

    def close(self) -> None:
        """See `Backend.close`."""
        self._request = self._model = None


def describe_library() -> str:
    """See `backends.describe_library`."""
    return f"{version('openvino')}, devices: {', '.join(process_core().available_devices).lower()}"


def _compile(core: Any, artefact: Artefact, device: str, properties: dict[str, Any], root: Path | None) -> Any:
    """The compiled model: from the cache, else made now and kept there."""
    model = core.read_model(str(artefact.path))
    cache = Compiled(root, artefact, version("openvino")) if root is not None else None
    if cache is None or not cache.ready():
        return core.compile_model(model, device, properties)
    try:
        made = core.compile_model(model, device, {**properties, "CACHE_DIR": str(cache.folder)})
    except Exception:  # what is cached may be at fault: the model itself has the last word
        cache.drop()
        return core.compile_model(model, device, properties)
    cache.seal()
    return made


def _port(port: Any, names: list[str]) -> Port:
    """The port by the one of `names` that it has: compiling may merge nodes, and then it also has the others' names."""
    shape = tuple(axis.get_length() if axis.is_static else None for axis in port.partial_shape)
    kind = port.element_type.get_type_name()
    name = next((name for name in names if name in port.names), None)
    return Port(name or port.any_name, _DTYPES.get(kind, kind), shape)


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[-1][:200]
