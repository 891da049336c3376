"""TensorRT 10.3 to 11, and TensorRT for RTX: prebuilt engines on NVIDIA GPUs.

Buffers live on the GPU and in pinned host memory for as long as the shapes stay the same, all work goes through one
stream, and from the second run on a CUDA graph replays copies and network with one launch.
"""

from __future__ import annotations

import importlib
import importlib.util
import platform
import re
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..artefact import Artefact
from ..card import ModelCard
from ..errors import BackendError, CardError, EdgeganError, MissingExtraError
from ..files import cache_folder, write_atomic
from . import Arrays, Port, Selection, check_inputs
from .cuda import Cuda

# The card's built_with key that tells which library built an engine, and the extra that brings it.
LIBRARIES = {"tensorrt": "gpu", "tensorrt_rtx": "rtx"}
_REBUILD = "build it again on this machine: edgegan export RUN --trt"


class TensorRT:
    """A TensorRT engine behind the contract of `Backend`.

    An engine fits one version of TensorRT and one kind of GPU; both are compared with the card before loading, and a
    mismatch names the two sides. Engines are executable content: `artefact.load` has checked the hash.
    """

    name = "tensorrt"
    suffixes = (".engine",)
    devices = ("cuda",)
    selection: Selection

    def __init__(self, artefact: Artefact, *, device: str, threads: int | None = None) -> None:
        del threads  # the network runs on the GPU
        card = artefact.card
        trt, self._rtx = _library(card)
        check_version(card, trt.__version__)
        number = device.partition(":")[2]
        if number and not number.isdigit():
            raise BackendError(f"'{device}' is not a device", "cuda, or cuda: and a number, such as cuda:1")
        self._cuda = Cuda(int(number or 0))
        try:
            check_gpu(card, self._cuda.compute_capability, self._cuda.gpu_name, platform.system())
            self._log = logger(trt)
            self._runtime = trt.Runtime(self._log)
            self._engine = self._runtime.deserialize_cuda_engine(artefact.path.read_bytes())
            if self._engine is None:
                raise BackendError(
                    f"TensorRT cannot load {artefact.path}: {self._log.last or 'no reason given'}", todo=_REBUILD
                )
            self._cache = _JitCache(card) if self._rtx else None
            self._context = self._new_context(trt)
            if self._context is None:
                raise BackendError(
                    f"TensorRT has no room to run {artefact.path}: {self._log.last or 'no reason given'}"
                )
            names = [self._engine.get_tensor_name(i) for i in range(self._engine.num_io_tensors)]
            modes = {n: self._engine.get_tensor_mode(n) for n in names}
            self.inputs = tuple(self._port(trt, n) for n in names if modes[n] == trt.TensorIOMode.INPUT)
            self.outputs = tuple(self._port(trt, n) for n in names if modes[n] == trt.TensorIOMode.OUTPUT)
        except BaseException:
            self._cuda.close()
            raise
        self.device = device
        self._mark = self._cuda.mark()
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._on_device: dict[str, int] = {}
        self._pinned: Arrays = {}
        self._graph: Any = None
        # TensorRT for RTX captures by itself: it alone knows when its kernels are compiled for good.
        self._capturable = not self._rtx
        self._closed = False

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
            self._closed = True
            self._pinned = {}
            self._cuda.close()
            if self._cache is not None:
                self._cache.save()
            # TensorRT wants its objects gone in this order.
            self._context = self._engine = self._runtime = None

    def __enter__(self) -> TensorRT:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _new_context(self, trt: Any) -> Any:
        if self._cache is None:
            return self._engine.create_execution_context()
        config = self._engine.create_runtime_config()
        if hasattr(trt, "CudaGraphStrategy"):
            config.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        self._cache.attach(config)
        return self._engine.create_execution_context(config)

    def _port(self, trt: Any, name: str) -> Port:
        shape = tuple(None if axis < 0 else int(axis) for axis in self._engine.get_tensor_shape(name))
        return Port(name, np.dtype(trt.nptype(self._engine.get_tensor_dtype(name))).name, shape)

    def _bind(self, shapes: dict[str, tuple[int, ...]]) -> None:
        """Allocates buffers for `shapes` and tells the context; what was bound before is freed."""
        self._graph, self._shapes, self._pinned, self._on_device = None, {}, {}, {}
        self._cuda.free(self._mark)
        for name, shape in shapes.items():
            if not self._context.set_input_shape(name, shape):
                raise BackendError(
                    f"the engine does not take {shape} for '{name}'",
                    f"what it was built for: {self._built_for(name)}",
                    _REBUILD,
                )
        self._context.infer_shapes()
        for port in (*self.inputs, *self.outputs):
            shape = tuple(int(axis) for axis in self._context.get_tensor_shape(port.name))
            address, self._pinned[port.name] = self._cuda.buffer(shape, np.dtype(port.dtype))
            self._on_device[port.name] = address
            if not self._context.set_tensor_address(port.name, address):
                raise BackendError(f"TensorRT refused the buffer of '{port.name}': {self._log.last}")
        self._shapes = shapes

    def _enqueue(self) -> None:
        for port in self.inputs:
            self._cuda.to_device(self._on_device[port.name], self._pinned[port.name])
        if not self._context.execute_async_v3(int(self._cuda.stream)):
            raise BackendError(f"TensorRT stopped: {self._log.last or 'no reason given'}")
        for port in self.outputs:
            self._cuda.to_host(self._pinned[port.name], self._on_device[port.name])

    def _built_for(self, name: str) -> str:
        if -1 not in tuple(self._engine.get_tensor_shape(name)):
            return str(tuple(self._engine.get_tensor_shape(name)))
        low, _, high = (tuple(shape) for shape in self._engine.get_tensor_profile_shape(name, 0))
        return f"{low} to {high}"


def check_version(card: ModelCard, installed: str) -> None:
    """Raises BackendError if an engine was built by a TensorRT that `installed` cannot stand in for.

    Versions must be equal in all the parts that both name, or in the first alone if the card says the
    engine is `version_compatible`.
    """
    library = _built_by(card)
    built, here = card.built_with[library].split("."), installed.split(".")
    parts = 1 if card.built_with.get("version_compatible") == "true" else min(len(built), len(here))
    if built[:parts] != here[:parts]:
        raise BackendError(
            f"the engine was built with {library} {card.built_with[library]}; here is {library} {installed}",
            "an engine runs only on the version that built it",
            f"{_REBUILD}, or: pip install '{library.replace('_', '-')}=={card.built_with[library]}'",
        )


def check_gpu(card: ModelCard, capability: str, gpu: str, system: str) -> None:
    """Raises BackendError if an engine was built for another kind of GPU or operating system than this one.

    The card's `compute_capability` may name several ("8.6 8.9"); `hardware_compatibility` widens it ("ampere_plus").
    """
    built = card.built_with
    targets = [
        f"{int(n) // 10}.{int(n) % 10}"
        for n in re.findall(r"\d+", built.get("compute_capability", "").replace(".", ""))
    ]
    ampere = built.get("hardware_compatibility", "").lower().startswith("ampere") and float(capability) >= 8.0
    if targets and capability not in targets and not ampere:
        origin = ", ".join(targets) + (f" ({built['gpu']})" if built.get("gpu") else "")
        raise BackendError(
            f"the engine was built for compute capability {origin}; this GPU is {capability} ({gpu})",
            "an engine runs only on the kind of GPU it was built for",
            _REBUILD,
        )
    built_on = re.split(r"[\W_]", built.get("os", ""))[0]
    if built_on and _built_by(card) == "tensorrt" and built_on.lower() != system.lower():
        raise BackendError(f"the engine was built on {built_on}; this is {system}", todo=_REBUILD)


def _built_by(card: ModelCard) -> str:
    for library in LIBRARIES:
        if library in card.built_with:
            return library
    raise CardError(
        "the card does not say which TensorRT built the engine",
        f"built_with holds one of: {', '.join(LIBRARIES)}",
        _REBUILD,
    )


def _library(card: ModelCard) -> tuple[Any, bool]:
    """The TensorRT that built the engine, and whether it is the one for RTX."""
    name = _built_by(card)
    try:
        return importlib.import_module(name), name == "tensorrt_rtx"
    except ImportError:
        raise MissingExtraError(name, LIBRARIES[name]) from None


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
