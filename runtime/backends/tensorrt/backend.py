"""TensorRT 10.3 to 11, and TensorRT for RTX: prebuilt engines on NVIDIA GPUs.

For each of the few shapes that came last a context, buffers on the GPU and in pinned host memory, and a CUDA graph are
kept; from the second run of a shape on the graph replays copies and network with one launch. One stream takes it all.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError, EdgeganError, MisfitError, NoMemoryError
from ...files import write_atomic
from ...model.artefact import Artefact
from ..contract import Arrays, Port, check_inputs
from ..device import gpu_number, no_memory, out_of_memory
from ..fit import (
    LIBRARIES,
    REBUILD,
    check_gpu,
    check_library,
    check_version,
    engine_info,
    library,
    library_version,
    missing_library,
    other_gpu,
)
from ..last_used import LastUsed
from ..nvidia.capture_gate import GATE
from ..nvidia.cuda import CaptureError, Cuda
from ..processor import system
from ..selection import Selection
from .bound import Bound, Shapes
from .log import logger, profiler, start
from .rtx_cache import JitCache

PACKAGES = ("tensorrt", "tensorrt-cu13", "tensorrt-cu12", "tensorrt-rtx")
_LOG = logging.getLogger("edgegan")
_KEPT = 4  # shapes: a frame with one face and a frame with three take turns
_SCRATCH = ("update_device_memory_size_for_shapes", "set_device_memory")  # of IExecutionContext


class TensorRT:
    """A TensorRT engine behind the contract of `Backend`.

    An engine fits one version of TensorRT and one kind of GPU; `fit` compares both with the card before loading, and
    a MisfitError names the two sides. Engines are executable content: `artefact.load` has checked the hash.
    """

    name = "tensorrt"
    suffixes = (".engine",)
    devices = ("cuda",)
    selection: Selection
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    notices: tuple[str, ...] = ()

    def __init__(self, artefact: Artefact, *, device: str, threads: int | None = None) -> None:
        del threads  # the network runs on the GPU
        card = artefact.card
        trt = library(card)
        self._rtx = trt.__name__ == "tensorrt_rtx"
        self._runtime: Any = None
        self._engine: Any = None
        self._config: Any = None  # of contexts; of TensorRT for RTX alone
        self._cache: JitCache | None = None
        self._spare: Any = None  # a context for the first shapes
        self._bound: LastUsed[Shapes, Bound] = LastUsed(_KEPT, self._bind, Bound.free)
        self._closed = False
        with GATE.work():
            self._cuda = Cuda(gpu_number(device))
            try:
                check_version(card, trt.__version__)
                check_gpu(card, self._cuda.compute_capability, self._cuda.gpu_name, system())
                self.notices = tuple(filter(None, [other_gpu(card, self._cuda.gpu_name)]))
                self._cache = JitCache(card, self._cuda.gpu_name) if self._rtx else None
                self._log, self._profiler = logger(trt), profiler(trt)
                self._load(trt, artefact)
            except BaseException:
                self._free()
                raise
        self.device = device
        # TensorRT for RTX captures by itself: it alone knows when its kernels are compiled for good.
        self._capturable = not self._rtx

    def _load(self, trt: Any, artefact: Artefact) -> None:
        self._runtime = start(trt.Runtime, self._log)
        if engine_info(artefact.card).version_compatible:
            self._runtime.engine_host_code_allowed = True  # such a plan brings code; its hash is the card's
        self._engine = self._runtime.deserialize_cuda_engine(artefact.path.read_bytes())
        if self._engine is None:
            if out_of_memory(self._log.last):
                raise no_memory(artefact.path.name)
            # Its bytes are those that were built, and the card fits: something else of this machine does not.
            raise MisfitError(f"TensorRT cannot load {artefact.path}: {self._reason()}", todo=REBUILD)
        names = [self._engine.get_tensor_name(i) for i in range(self._engine.num_io_tensors)]
        given = [n for n in names if self._engine.get_tensor_mode(n) == trt.TensorIOMode.INPUT]
        self.inputs = tuple(self._port(trt, n, bounded=True) for n in given)
        self.outputs = tuple(self._port(trt, n, bounded=False) for n in names if n not in given)
        # TensorRT would reserve scratch memory for the largest shapes there may be; ours is for those that come.
        managed = all(hasattr(trt.IExecutionContext, name) for name in _SCRATCH)
        self._own_scratch = managed and any(None in port.shape for port in self.inputs)
        self._name = artefact.path.name
        self._set_strategy(trt)
        self._spare = self._new_context()

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """See `Backend.run`."""
        if self._closed:
            raise BackendError("this backend is closed")
        check_inputs(self.inputs, inputs)
        shapes = tuple(tuple(inputs[port.name].shape) for port in self.inputs)
        with GATE.work():
            self._cuda.use()
            bound = self._make(shapes)
            first = bound.fresh
            found = bound.run(inputs)
            if first and self._capturable:
                self._capture(bound)
        return found

    def time_layers(self, inputs: Mapping[str, NDArray[Any]], calls: int) -> list[list[tuple[str, float]]]:
        """Name and milliseconds of every layer of each call, by TensorRT's profiler, in a context of its own."""
        check_inputs(self.inputs, inputs)
        with GATE.work():
            self._cuda.use()
            bound = self._bind(tuple(tuple(inputs[port.name].shape) for port in self.inputs))
            try:
                return bound.time_layers(inputs, calls, self._profiler)
            finally:
                bound.free()

    def _make(self, shapes: Shapes) -> Bound:
        """What runs `shapes`; where memory runs out, what is kept for other shapes goes first."""
        try:
            return self._bound.get(shapes)
        except NoMemoryError:
            if not self._bound.keep_only(shapes):
                raise
        return self._bound.get(shapes)

    def _bind(self, shapes: Shapes) -> Bound:
        context, self._spare = self._spare or self._new_context(), None
        return Bound(
            self._cuda, context, self.inputs, self.outputs, shapes, own_scratch=self._own_scratch, reason=self._reason
        )

    def _capture(self, bound: Bound) -> None:
        try:
            bound.capture()
        except CaptureError as error:
            self._capturable = False
            self._notice(
                f"CUDA cannot record this network as a graph ({error.seen}): every run launches its kernels one by one"
            )

    def _notice(self, words: str) -> None:
        """Adds to what the user should know, also where the network was opened long ago, and logs it."""
        self.notices = (*self.notices, words)
        if hasattr(self, "selection"):
            notices = (*self.selection.notices, words)
            self.selection = msgspec.structs.replace(self.selection, notices=notices)
        _LOG.warning("%s", words)

    def close(self) -> None:
        """See `Backend.close`."""
        if not self._closed:
            with GATE.work():
                self._free()

    def _free(self) -> None:
        """Frees what there is, in the order that CUDA and TensorRT ask for, also after half a start."""
        self._closed = True
        self._cuda.finish()
        compiled = self._cache.content() if self._cache is not None else None
        self._bound.clear()
        self._spare = self._config = self._cache = self._engine = self._runtime = None  # from left to right
        self._cuda.close()
        if compiled is not None:
            with suppress(EdgeganError):  # a disk that is full or closed only costs the next start its time
                write_atomic(*compiled)

    def __enter__(self) -> TensorRT:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _set_strategy(self, trt: Any) -> None:
        """How every context of this engine is made."""
        managed = (trt.ExecutionContextAllocationStrategy.USER_MANAGED,) if self._own_scratch else ()
        self._strategy: tuple[Any, ...] = managed  # the arguments of `create_execution_context`
        if self._cache is None:
            return
        self._config = self._engine.create_runtime_config()
        for strategy in managed:
            self._config.set_execution_context_allocation_strategy(strategy)
        if hasattr(trt, "CudaGraphStrategy"):
            self._config.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        self._cache.attach(self._config)

    def _new_context(self) -> Any:
        """Raises NoMemoryError, or BackendError with TensorRT's reason."""
        # No variable may hold the configuration: an error's traceback would keep it longer than the engine.
        made = self._engine.create_execution_context(*(self._strategy if self._config is None else (self._config,)))
        if made is None:
            if out_of_memory(self._log.last):
                raise no_memory(self._name)
            raise BackendError(f"TensorRT cannot run {self._name}: {self._reason()}")
        return made

    def _port(self, trt: Any, name: str, *, bounded: bool) -> Port:
        shape = tuple(None if axis < 0 else int(axis) for axis in self._engine.get_tensor_shape(name))
        bounds: tuple[tuple[int, int], ...] = ()
        if bounded and None in shape:
            low, _, high = (tuple(map(int, found)) for found in self._engine.get_tensor_profile_shape(name, 0))
            bounds = tuple(zip(low, high, strict=True))
        return Port(name, np.dtype(trt.nptype(self._engine.get_tensor_dtype(name))).name, shape, bounds)

    def _reason(self) -> str:
        return self._log.last or "no reason given"


def describe_library() -> str:
    """See `backends.describe_library`."""
    found = {name: library_version(name) for name in LIBRARIES if importlib.util.find_spec(name)}
    if not found:
        raise missing_library("tensorrt")
    for name, number in found.items():
        check_library(name, number)
    words = ", ".join(f"{name} {number}" for name, number in found.items())
    try:
        Cuda(0).close()
    except EdgeganError as error:
        raise BackendError(f"{words} can build engines here, but not run them: {error.seen}") from None
    return words
