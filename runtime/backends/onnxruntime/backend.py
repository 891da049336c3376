"""ONNX Runtime, on the CPU, CUDA or another accelerator."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from numpy.typing import NDArray

from ...errors import BackendError, EdgeganError, MissingExtraError
from ...model.artefact import Artefact
from .. import Arrays, Port, Selection, check_inputs
from ..contract import Closing
from ..device import Device, gpu_number
from ..nvidia.at_work import at_work
from ..nvidia.capture_gate import GATE
from ..nvidia.given import check_outputs
from .accelerators import ACCELERATORS, list_accelerators, open_accelerator
from .binding import Binding
from .copies import Copies
from .cuda import CudaOptions, open_cuda
from .gpu import CUDA, check_gpu, check_provider, first_line, unreadable
from .owner import OwnerThread

Result = TypeVar("Result")
Turn = AbstractContextManager[None]

PACKAGES = ("onnxruntime", "onnxruntime-gpu")
_DTYPES = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(uint8)": "uint8"}


class OnnxRuntime(Closing):
    """ONNX Runtime behind the contract of `Backend`. What is not the CPU is used wholly or not at all.

    Args:
        artefact: an .onnx file with its card.
        device: "cpu", "cuda", "cuda:1", or one of `accelerators.ACCELERATORS`.
        threads: CPU threads; None takes all.
        cuda: how to run on CUDA; None takes what suits the card.
    """

    name: ClassVar[str] = "onnxruntime"
    suffixes: ClassVar[tuple[str, ...]] = (".onnx",)
    devices: ClassVar[tuple[str, ...]] = ("cuda", *ACCELERATORS, "cpu")
    selection: Selection

    def __init__(
        self, artefact: Artefact, *, device: str, threads: int | None = None, cuda: CudaOptions | None = None
    ) -> None:
        ort = import_onnxruntime()
        self.device = device
        self._on_cuda = Device.parse(device).kind == "cuda"
        self._owner = OwnerThread() if self._on_cuda else None
        self._binding: Binding | None = None
        self._copies: Copies | None = None  # for arrays on the GPU, once there are any
        self._session: Any = None
        self._recorded = False
        try:
            self._in_owner(lambda: self._start(ort, artefact, threads, cuda))
        except BaseException:
            self._end()
            raise

    def _in_owner(self, function: Callable[[], Result], gate: Callable[[], Turn] = GATE.work) -> Result:
        """What `function` returns: run here for the CPU, else in the session's thread, once `gate` opens."""
        if self._owner is None:
            return function()

        def wait_and_run() -> Result:
            with gate():
                return function()

        return self._owner.call(wait_and_run)

    def _start(self, ort: Any, artefact: Artefact, threads: int | None, cuda: CudaOptions | None) -> None:
        self._session, self.notices = self._open(ort, artefact, self.device, threads, cuda)
        self.inputs = tuple(_port(node) for node in self._session.get_inputs())
        self.outputs = tuple(_port(node) for node in self._session.get_outputs())
        self._names = [port.name for port in self.outputs]
        if self._on_cuda:
            place = ("cuda", gpu_number(self.device))
            self._binding = Binding(ort, self._session, place, self.inputs, self.outputs)

    def _open(
        self, ort: Any, artefact: Artefact, device: str, threads: int | None, cuda: CudaOptions | None
    ) -> tuple[Any, tuple[str, ...]]:
        """The session, and what the user should know about it."""
        if device == "cpu":
            return _on_cpu(artefact, threads), ()
        if Device.parse(device).kind in ACCELERATORS:
            return open_accelerator(ort, artefact, device, threads), ()
        return open_cuda(ort, artefact, gpu_number(device), cuda)

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """See `Backend.run`."""
        if self._session is None:
            raise BackendError("this backend is closed")
        check_inputs(self.inputs, inputs)
        binding = self._binding
        if binding is not None:
            return self._run_bound(lambda: binding.run(inputs))
        try:
            found = self._session.run(self._names, dict(inputs))
        except Exception as error:  # its exception types share no base of their own
            raise BackendError(f"ONNX Runtime stopped on {self.device}: {first_line(error)}") from error
        return dict(zip(self._names, found, strict=True))

    def _run_bound(self, work: Callable[[], Result]) -> Result:
        """A run on the GPU; the first one of fixed shapes records the graph, within that one call."""
        records = not self._recorded and all(None not in port.shape for port in self.inputs)
        try:
            found = self._in_owner(work, GATE.capture if records else GATE.work)
        except EdgeganError:
            raise
        except Exception as error:  # its exception types share no base of their own
            raise BackendError(f"ONNX Runtime stopped on {self.device}: {first_line(error)}") from error
        self._recorded = True
        return found

    def run_on_device(
        self, inputs: Mapping[str, Any], outputs: Mapping[str, Any], *, stream: int | None = None
    ) -> None:
        """See `contract.OnDevice.run_on_device`; it is waited for in any case. Needs "cuda", and cuda-python."""
        del stream  # what is queued there later comes after this call
        binding = self._binding
        if self._session is None:
            raise BackendError("this backend is closed")
        if binding is None:
            raise BackendError(
                f"ONNX Runtime runs on {self.device}", "arrays on a GPU, and a network there", "open it on cuda"
            )
        with at_work():
            copies = self._copies = self._copies or Copies(gpu_number(self.device))
            given, wanted = copies.read((self.inputs, inputs), (self.outputs, outputs))
        self._run_bound(
            lambda: binding.run_on_device(copies.cuda, given, lambda shape: check_outputs(self.outputs, wanted, shape))
        )

    def close(self) -> None:
        """See `Backend.close`."""
        if self._session is not None:
            self._end()

    def _end(self) -> None:
        self._in_owner(self._free)
        if self._owner is not None:
            self._owner.close()

    def _free(self) -> None:
        if self._binding is not None:
            self._binding.close()
        if self._copies is not None:
            self._copies.close()
        self._session = self._binding = self._copies = None


def describe_library() -> str:
    """See `backends.describe_library`."""
    ort = import_onnxruntime()
    kinds = [*list_accelerators(ort), "cpu"]
    if CUDA in ort.get_available_providers():
        try:
            check_provider(ort, CUDA)
            check_gpu(0)
        except BackendError as error:
            return f"{ort.__version__}, devices: {', '.join(kinds)} (not cuda: {error.seen})"
        kinds.insert(0, "cuda")
    return f"{ort.__version__}, devices: {', '.join(kinds)}"


def import_onnxruntime() -> Any:
    """The module, with its telemetry off. Raises MissingExtraError."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read once, while the library loads
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtraError("onnxruntime", "cpu") from None
    onnxruntime.disable_telemetry_events()
    return onnxruntime


def cpu_session(
    model: str | bytes, *, spinning: bool = True, threads: int | None = None, profile: Path | None = None
) -> Any:
    """An InferenceSession of a file or of its bytes, on the CPU and nowhere else, that writes no log.

    `threads`: None takes all. `profile`: how the name of the file begins that `end_profiling` writes. Raises
    MissingExtraError, and for a model it cannot read an exception of its own.
    """
    ort = import_onnxruntime()
    options = ort.SessionOptions()
    options.log_severity_level = 4  # our own errors say it; its log would go to stderr
    if not spinning:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if threads is not None:
        options.intra_op_num_threads = threads
    if profile is not None:
        options.enable_profiling, options.profile_file_prefix = True, str(profile)
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"], enable_fallback=0)


def _on_cpu(artefact: Artefact, threads: int | None) -> Any:
    try:
        # Between frames a spinning pool would take the cores from camera and encoder.
        return cpu_session(str(artefact.path), spinning=False, threads=threads)
    except Exception as error:  # its exception types share no base of their own
        raise unreadable(error, artefact.path, import_onnxruntime().__version__) from error


def _port(node: Any) -> Port:
    shape = tuple(axis if isinstance(axis, int) else None for axis in node.shape)
    return Port(node.name, _DTYPES.get(node.type, node.type), shape)
