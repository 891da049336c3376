"""TensorRT 10.3 to 11, and TensorRT for RTX: prebuilt engines on NVIDIA GPUs.

Buffers live on the GPU and in pinned host memory for as long as the shapes stay the same, all work goes through one
stream, and from the second run on a CUDA graph replays copies and network with one launch.
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

from ...errors import BackendError, EdgeganError, MisfitError, MissingExtraError
from ...files import write_atomic
from ...model.artefact import Artefact
from ..contract import Arrays, Port, check_inputs
from ..cuda import CaptureError, Cuda
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
    other_gpu,
)
from ..processor import system
from ..selection import Selection
from .log import logger, start
from .rtx_cache import JitCache

PACKAGES = ("tensorrt", "tensorrt-cu13", "tensorrt-cu12", "tensorrt-rtx")
_LOG = logging.getLogger("edgegan")
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
        self._cuda = Cuda(gpu_number(device))
        self._mark = self._cuda.mark()
        self._runtime: Any = None
        self._engine: Any = None
        self._context: Any = None
        self._cache: JitCache | None = None
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._on_device: dict[str, int] = {}
        self._pinned: Arrays = {}
        self._graph: Any = None
        self._closed = False
        try:
            check_version(card, trt.__version__)
            check_gpu(card, self._cuda.compute_capability, self._cuda.gpu_name, system())
            self.notices = tuple(filter(None, [other_gpu(card, self._cuda.gpu_name)]))
            self._cache = JitCache(card, self._cuda.gpu_name) if self._rtx else None
            self._log = logger(trt)
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
        self._context = self._new_context(trt)
        if self._context is None:
            if out_of_memory(self._log.last):
                raise no_memory(artefact.path.name)
            raise BackendError(f"TensorRT cannot run {artefact.path}: {self._reason()}")

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """See `Backend.run`."""
        if self._closed:
            raise BackendError("this backend is closed")
        check_inputs(self.inputs, inputs)
        self._cuda.use()
        shapes = {p.name: tuple(inputs[p.name].shape) for p in self.inputs}
        fresh = shapes != self._shapes
        if fresh:
            self._bind(shapes)
        for name, array in inputs.items():
            np.copyto(self._pinned[name], array)
        if self._graph is not None:
            self._cuda.replay(self._graph)
        else:
            self._enqueue()
        self._cuda.wait()
        if fresh and self._capturable:
            self._capture()
        return {p.name: self._pinned[p.name].copy() for p in self.outputs}

    def _capture(self) -> None:
        """Records a run as a graph: after a first one, which may still allocate. The capture itself runs nothing."""
        try:
            self._graph = self._cuda.capture(self._enqueue)
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
            self._free()

    def _free(self) -> None:
        """Frees what there is, in the order that CUDA and TensorRT ask for, also after half a start."""
        self._closed = True
        self._graph, self._pinned = None, {}
        self._cuda.finish(self._mark)
        compiled = self._cache.content() if self._cache is not None else None
        self._context = self._cache = self._engine = self._runtime = None  # from left to right
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

    def _new_context(self, trt: Any) -> Any:
        strategies = trt.ExecutionContextAllocationStrategy if self._own_scratch else None
        if self._cache is None:
            return self._engine.create_execution_context(*((strategies.USER_MANAGED,) if strategies else ()))
        config = self._engine.create_runtime_config()
        if strategies:
            config.set_execution_context_allocation_strategy(strategies.USER_MANAGED)
        if hasattr(trt, "CudaGraphStrategy"):
            config.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        self._cache.attach(config)
        return self._engine.create_execution_context(config)

    def _port(self, trt: Any, name: str, *, bounded: bool) -> Port:
        shape = tuple(None if axis < 0 else int(axis) for axis in self._engine.get_tensor_shape(name))
        bounds: tuple[tuple[int, int], ...] = ()
        if bounded and None in shape:
            low, _, high = (tuple(map(int, found)) for found in self._engine.get_tensor_profile_shape(name, 0))
            bounds = tuple(zip(low, high, strict=True))
        return Port(name, np.dtype(trt.nptype(self._engine.get_tensor_dtype(name))).name, shape, bounds)

    def _bind(self, shapes: dict[str, tuple[int, ...]]) -> None:
        """Allocates buffers for `shapes` and tells the context; what was bound before is freed."""
        self._graph, self._shapes, self._pinned, self._on_device = None, {}, {}, {}
        self._cuda.free(self._mark)
        for name, shape in shapes.items():
            if not self._context.set_input_shape(name, shape):
                raise BackendError(f"the engine does not take {shape} for '{name}': {self._reason()}")
        try:
            unknown = self._context.infer_shapes()
        except RuntimeError as error:
            unknown = [str(error)]
        if unknown:
            raise BackendError(f"the engine cannot work out its shapes for {shapes}: {', '.join(unknown)}")
        if self._own_scratch:
            size = int(self._context.update_device_memory_size_for_shapes())
            self._context.set_device_memory(self._cuda.memory(size), size)
        for port in (*self.inputs, *self.outputs):
            shape = tuple(int(axis) for axis in self._context.get_tensor_shape(port.name))
            address, self._pinned[port.name] = self._cuda.buffer(shape, np.dtype(port.dtype))
            self._on_device[port.name] = address
            if not self._context.set_tensor_address(port.name, address):
                raise BackendError(f"TensorRT refused the buffer of '{port.name}': {self._reason()}")
        self._shapes = shapes

    def _enqueue(self) -> None:
        for port in self.inputs:
            self._cuda.to_device(self._on_device[port.name], self._pinned[port.name])
        if not self._context.execute_async_v3(int(self._cuda.stream)):
            raise BackendError(f"TensorRT stopped: {self._reason()}")
        for port in self.outputs:
            self._cuda.to_host(self._pinned[port.name], self._on_device[port.name])

    def _reason(self) -> str:
        return self._log.last or "no reason given"


def installed() -> str:
    """See `backends.installed`."""
    found = {name: library_version(name) for name in LIBRARIES if importlib.util.find_spec(name)}
    if not found:
        raise MissingExtraError("tensorrt", "gpu")
    for name, number in found.items():
        check_library(name, number)
    words = ", ".join(f"{name} {number}" for name, number in found.items())
    try:
        Cuda(0).close()
    except EdgeganError as error:
        raise BackendError(f"{words} can build engines here, but not run them: {error.seen}") from None
    return words
