"""TensorRT 10.3 to 11, and TensorRT for RTX: prebuilt engines on NVIDIA GPUs.

Buffers live on the GPU and in pinned host memory for as long as the shapes stay the same, all work goes through one
stream, and from the second run on a CUDA graph replays copies and network with one launch.
"""

from __future__ import annotations

import importlib.util
import platform
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..artefact import Artefact
from ..card import ModelCard
from ..errors import BackendError, EdgeganError, MissingExtraError
from ..files import cache_folder, write_atomic
from .contract import Arrays, Port, check_inputs
from .cuda import Cuda
from .fit import LIBRARIES, REBUILD, check_gpu, check_version, library
from .selection import Selection

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
        number = device.partition(":")[2]
        if number and not number.isdigit():
            raise BackendError(f"'{device}' is not a device", "cuda, or cuda: and a number, such as cuda:1")
        self._cuda = Cuda(int(number or 0))
        self._mark = self._cuda.mark()
        self._runtime: Any = None
        self._engine: Any = None
        self._context: Any = None
        self._cache = _JitCache(card) if self._rtx else None
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._on_device: dict[str, int] = {}
        self._pinned: Arrays = {}
        self._graph: Any = None
        self._closed = False
        try:
            check_version(card, trt.__version__)
            check_gpu(card, self._cuda.compute_capability, self._cuda.gpu_name, platform.system())
            self._log = logger(trt)
            self._load(trt, artefact)
        except BaseException:
            self._free()
            raise
        self.device = device
        # TensorRT for RTX captures by itself: it alone knows when its kernels are compiled for good.
        self._capturable = not self._rtx

    def _load(self, trt: Any, artefact: Artefact) -> None:
        self._runtime = trt.Runtime(self._log)
        if artefact.card.built_with.get("version_compatible") == "true":
            self._runtime.engine_host_code_allowed = True  # such a plan brings code; its hash is the card's
        self._engine = self._runtime.deserialize_cuda_engine(artefact.path.read_bytes())
        if self._engine is None:
            raise BackendError(f"TensorRT cannot load {artefact.path}: {self._reason()}", todo=REBUILD)
        names = [self._engine.get_tensor_name(i) for i in range(self._engine.num_io_tensors)]
        given = [n for n in names if self._engine.get_tensor_mode(n) == trt.TensorIOMode.INPUT]
        self.inputs = tuple(self._port(trt, n, bounded=True) for n in given)
        self.outputs = tuple(self._port(trt, n, bounded=False) for n in names if n not in given)
        # TensorRT would reserve scratch memory for the largest shapes there may be; ours is for those that come.
        managed = all(hasattr(trt.IExecutionContext, name) for name in _SCRATCH)
        self._own_scratch = managed and any(None in port.shape for port in self.inputs)
        self._context = self._new_context(trt)
        if self._context is None:
            raise BackendError(
                f"TensorRT has no room to run {artefact.path}: {self._reason()}",
                todo="close what else uses the GPU (nvidia-smi lists it), or take a smaller size",
            )

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
            # Only after a first run, which may still allocate. The capture itself runs nothing.
            self._graph = self._cuda.capture(self._enqueue)
            self._capturable = self._graph is not None
        return {p.name: self._pinned[p.name].copy() for p in self.outputs}

    def close(self) -> None:
        """See `Backend.close`."""
        if not self._closed:
            self._free()

    def _free(self) -> None:
        """Frees what there is, in the order that CUDA and TensorRT ask for, also after half a start."""
        self._closed = True
        self._graph, self._pinned = None, {}
        self._cuda.finish(self._mark)
        if self._cache is not None:
            self._cache.save()
        self._context = None
        self._engine = None
        self._runtime = None
        self._cuda.close()

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
    found = [name for name in LIBRARIES if importlib.util.find_spec(name)]
    if not found:
        raise MissingExtraError("tensorrt", "gpu")
    try:
        Cuda(0).close()
    except EdgeganError as error:
        raise BackendError(f"{', '.join(found)} can build engines here, but not run them: {error.seen}") from None
    return ", ".join(found)


def logger(trt: Any) -> Any:
    """TensorRT gives reasons only to its log; this one keeps the last error and prints nothing."""

    class Log(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.last = ""

        def log(self, severity: Any, text: str) -> None:
            if severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR) and text.strip():
                self.last = text.strip().splitlines()[0][:200]

    return Log()


class _JitCache:
    """Kernels that TensorRT for RTX compiled on this machine, kept for the next start (up to 30 s saved)."""

    def __init__(self, card: ModelCard) -> None:
        self._path = cache_folder() / f"{(card.payload_sha256 or card.name)[:32]}.rtxcache"
        self._cache: Any = None

    def attach(self, config: Any) -> None:
        """Makes `config` read and fill the cache."""
        self._cache = config.create_runtime_cache()
        with suppress(OSError):
            self._cache.deserialize(self._path.read_bytes())  # a stale one is refused by TensorRT, and replaced
        config.set_runtime_cache(self._cache)

    def save(self) -> None:
        """Writes the cache; a disk that is full or closed only costs the next start its time."""
        if self._cache is not None:
            with suppress(EdgeganError, OSError):
                write_atomic(self._path, bytes(self._cache.serialize()))
