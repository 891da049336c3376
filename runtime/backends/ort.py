"""ONNX Runtime, on the CPU or CUDA."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from numpy.typing import NDArray

from ..artefact import Artefact
from ..errors import BackendError, InputError, MissingExtraError
from . import Arrays, Port, Selection, check_inputs

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
_DTYPES = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(uint8)": "uint8"}


class OnnxRuntime:
    """ONNX Runtime behind the contract of `Backend`. CUDA is used wholly or not at all: never a silent CPU."""

    name = "onnxruntime"
    suffixes = (".onnx",)
    devices = ("cuda", "cpu")
    selection: Selection

    def __init__(self, artefact: Artefact, *, device: str, threads: int | None = None) -> None:
        ort = import_onnxruntime()
        kind, _, number = device.partition(":")
        options = ort.SessionOptions()
        options.log_severity_level = 4  # our own errors say it; its log would go to stderr
        # Between frames a spinning pool would take the cores from camera and encoder.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if threads is not None:
            options.intra_op_num_threads = threads
        providers: list[Any] = [_PROVIDERS["cpu"]]
        if kind == "cuda":
            if _PROVIDERS["cuda"] not in ort.get_available_providers():
                raise BackendError(
                    "this ONNX Runtime was built without CUDA",
                    todo="on an NVIDIA machine: pip uninstall onnxruntime; pip install 'edgegan[gpu]'",
                )
            if hasattr(ort, "preload_dlls"):
                ort.preload_dlls()  # finds the CUDA and cuDNN libraries that pip installed
            cuda_options = {"device_id": number or "0", "cudnn_conv_algo_search": "EXHAUSTIVE"}
            providers.insert(0, (_PROVIDERS["cuda"], cuda_options))
        try:
            self._session = ort.InferenceSession(str(artefact.path), options, providers=providers)
        except Exception as error:  # its exception types share no base of their own
            raise InputError(
                f"ONNX Runtime cannot load {artefact.path}: {_first_line(error)}", todo="export the model again"
            ) from error
        used = self._session.get_providers()
        if used[0] != _PROVIDERS[kind]:
            raise BackendError(
                f"ONNX Runtime did not take the device '{device}': it would run on {used[0]}",
                todo="check the driver and the CUDA version that this onnxruntime-gpu wants",
            )
        self.device = device
        self.inputs = tuple(_port(node) for node in self._session.get_inputs())
        self.outputs = tuple(_port(node) for node in self._session.get_outputs())
        self._names = [port.name for port in self.outputs]

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """See `Backend.run`."""
        if self._session is None:
            raise BackendError("this backend is closed")
        check_inputs(self.inputs, inputs)
        try:
            found = self._session.run(self._names, dict(inputs))
        except Exception as error:
            raise BackendError(f"ONNX Runtime stopped on {self.device}: {_first_line(error)}") from error
        return dict(zip(self._names, found, strict=True))

    def close(self) -> None:
        """See `Backend.close`."""
        self._session = None

    def __enter__(self) -> OnnxRuntime:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def installed() -> str:
    """See `backends.installed`."""
    ort = import_onnxruntime()
    kinds = [kind for kind in OnnxRuntime.devices if _PROVIDERS[kind] in ort.get_available_providers()]
    return f"{ort.__version__}, devices: {', '.join(kinds)}"


def import_onnxruntime() -> Any:
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read once, while the library loads
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtraError("onnxruntime", "cpu") from None
    onnxruntime.disable_telemetry_events()
    return onnxruntime


def _port(node: Any) -> Port:
    shape = tuple(axis if isinstance(axis, int) else None for axis in node.shape)
    return Port(node.name, _DTYPES.get(node.type, node.type), shape)


def _first_line(error: Exception) -> str:
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return line.rpartition(" failed:")[2][:200]  # its code and the path come before; ours name the path
