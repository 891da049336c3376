"""A TensorRT engine in memory: its plan is loaded once, and whoever runs it has contexts of their own."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock
from typing import Any

import numpy as np

from ...errors import BackendError, EdgeganError, MisfitError
from ...files import write_atomic
from ...model.artefact import Artefact
from ..contract import Port
from ..device import no_memory, out_of_memory
from ..fit import REBUILD, engine_info
from .log import logger, profiler, start
from .rtx_cache import JitCache

_SCRATCH = ("update_device_memory_size_for_shapes", "set_device_memory")  # of IExecutionContext


class Engine:
    """The plan of an artefact, and the contexts that run it: any number, each for one thread at a time.

    All contexts use the one optimisation profile: since TensorRT 10 several may share it (before, each needed its own).
    It is counted who uses it: `join` before a further one, `leave` when one is done with all its contexts; the last
    to leave frees it, with a CUDA stream still open.

    Args:
        trt: the library that built the plan.
        artefact: an engine that fits this machine.
        gpu: the name of the GPU in use.

    Raises:
        MisfitError: TensorRT cannot load the plan here.
        NoMemoryError: the GPU has no room for it.
    """

    def __init__(self, trt: Any, artefact: Artefact, gpu: str) -> None:
        self.name = artefact.path.name
        self.rtx = trt.__name__ == "tensorrt_rtx"
        self.dla = engine_info(artefact.card).dla_core is not None
        self._lock, self._users = Lock(), 1
        self._cache = JitCache(artefact.card, gpu) if self.rtx else None
        self._log, self.profiler = logger(trt), profiler(trt)
        self._runtime: Any = None
        self._engine: Any = None
        self._config: Any = None  # of contexts; of TensorRT for RTX alone
        try:
            self._load(trt, artefact)
        except BaseException:
            self.leave()
            raise

    def _load(self, trt: Any, artefact: Artefact) -> None:
        self._runtime = start(trt.Runtime, self._log)
        info = engine_info(artefact.card)
        if info.version_compatible:
            self._runtime.engine_host_code_allowed = True  # such a plan brings code; its hash is the card's
        if info.dla_core is not None:
            self._runtime.DLA_core = info.dla_core
        self._engine = self._runtime.deserialize_cuda_engine(artefact.path.read_bytes())
        if self._engine is None:
            if out_of_memory(self._log.last):
                raise no_memory(self.name)
            # Its bytes are those that were built, and the card fits: something else of this machine does not.
            raise MisfitError(f"TensorRT cannot load {artefact.path}: {self.reason()}", todo=REBUILD)
        names = [self._engine.get_tensor_name(i) for i in range(self._engine.num_io_tensors)]
        given = [n for n in names if self._engine.get_tensor_mode(n) == trt.TensorIOMode.INPUT]
        self.inputs = tuple(self._port(trt, n, bounded=True) for n in given)
        self.outputs = tuple(self._port(trt, n, bounded=False) for n in names if n not in given)
        # TensorRT would reserve scratch memory for the largest shapes there may be; ours is for those that come.
        managed = all(hasattr(trt.IExecutionContext, name) for name in _SCRATCH)
        self.own_scratch = managed and any(None in port.shape for port in self.inputs)
        self._set_strategy(trt)

    def context(self) -> Any:
        """A new IExecutionContext. Raises NoMemoryError, or BackendError with TensorRT's reason."""
        with self._lock:
            self._log.last = ""  # what it said of another call is no reason of this one
            # No variable may hold the configuration: an error's traceback would keep it longer than the engine.
            made = self._engine.create_execution_context(*(self._strategy if self._config is None else (self._config,)))
        if made is None:
            if out_of_memory(self._log.last):
                raise no_memory(self.name)
            raise BackendError(f"TensorRT cannot run {self.name}: {self.reason()}")
        return made

    def reason(self) -> str:
        """What TensorRT's log said last, to any of the users."""
        return self._log.last or "no reason given"

    def join(self) -> Engine:
        """Itself, for one more user."""
        with self._lock:
            self._users += 1
        return self

    def leave(self) -> None:
        """The last user's call frees it, and keeps what TensorRT for RTX has compiled."""
        with self._lock:
            self._users -= 1
            if self._users:
                return
        compiled = self._cache.content() if self._cache is not None else None
        self._config = self._cache = self._engine = self._runtime = None  # from left to right
        if compiled is not None:
            with suppress(EdgeganError):  # a disk that is full or closed only costs the next start its time
                write_atomic(*compiled)

    def _set_strategy(self, trt: Any) -> None:
        """How every context of this engine is made."""
        managed = (trt.ExecutionContextAllocationStrategy.USER_MANAGED,) if self.own_scratch else ()
        self._strategy: tuple[Any, ...] = managed  # the arguments of `create_execution_context`
        if self._cache is None:
            return
        self._config = self._engine.create_runtime_config()
        for strategy in managed:
            self._config.set_execution_context_allocation_strategy(strategy)
        if hasattr(trt, "CudaGraphStrategy"):
            self._config.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        self._cache.attach(self._config)

    def _port(self, trt: Any, name: str, *, bounded: bool) -> Port:
        shape = tuple(None if axis < 0 else int(axis) for axis in self._engine.get_tensor_shape(name))
        bounds: tuple[tuple[int, int], ...] = ()
        if bounded and None in shape:
            low, _, high = (tuple(map(int, found)) for found in self._engine.get_tensor_profile_shape(name, 0))
            bounds = tuple(zip(low, high, strict=True))
        return Port(name, np.dtype(trt.nptype(self._engine.get_tensor_dtype(name))).name, shape, bounds)
