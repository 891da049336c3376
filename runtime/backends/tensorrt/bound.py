"""An execution context of an engine with its buffers, for one set of shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError
from ..contract import Arrays, Port
from ..nvidia.cuda import Cuda, Held

Shapes = tuple[tuple[int, ...], ...]  # of the inputs, in the engine's order


class Bound:
    """Runs the engine with inputs of `shapes`, through a CUDA graph once `capture` was called.

    Each has a context of its own: a graph holds what its context was set to, and must not be replayed after that has
    changed. Buffers are on the GPU and, pinned, in host memory.

    Args:
        cuda: the GPU and its stream.
        context: an IExecutionContext that nobody else uses.
        inputs, outputs: of the engine.
        shapes: of the inputs.
        own_scratch: the context was made without scratch memory: it gets what these shapes need.
        reason: what TensorRT's log said last.

    Raises:
        BackendError: the engine does not take the shapes.
        NoMemoryError: the GPU has no room for the buffers.
    """

    def __init__(
        self,
        cuda: Cuda,
        context: Any,
        inputs: tuple[Port, ...],
        outputs: tuple[Port, ...],
        shapes: Shapes,
        *,
        own_scratch: bool,
        reason: Callable[[], str],
    ) -> None:
        self._cuda, self._context, self._reason = cuda, context, reason
        self._inputs, self._outputs = inputs, outputs
        self._held = Held()
        self._on_device: dict[str, int] = {}
        self._pinned: Arrays = {}
        self._graph: Any = None
        self.fresh = True  # until it ran once
        try:
            self._set(shapes)
            self._allocate(own_scratch)
        except BaseException:
            self.free()
            raise

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """The outputs, as arrays that belong to the caller."""
        for name, array in inputs.items():
            np.copyto(self._pinned[name], array)
        if self._graph is not None:
            self._cuda.replay(self._graph)
        else:
            self._enqueue()
        self._cuda.wait()
        self.fresh = False
        return {port.name: self._pinned[port.name].copy() for port in self._outputs}

    def time_layers(
        self, inputs: Mapping[str, NDArray[Any]], calls: int, profiler: Any
    ) -> list[list[tuple[str, float]]]:
        """What TensorRT tells `profiler`, of `log.profiler`, of each of so many calls; afterwards only good to free."""
        self._context.profiler = profiler
        found = []
        for _ in range(calls):
            profiler.layers = []
            self.run(inputs)
            found.append(profiler.layers)
        return found

    def capture(self) -> None:
        """Records a run as a graph: after a first one, which may still allocate. The capture itself runs nothing.

        Raises CaptureError where CUDA cannot record it; `run` works as before.
        """
        self._graph = self._cuda.capture(self._enqueue, self._held)

    def free(self) -> None:
        """Frees graph, buffers and context, in this order; nothing may be queued any more."""
        self._graph, self._pinned = None, {}
        self._held.free()
        self._context = None

    def _set(self, shapes: Shapes) -> None:
        for port, shape in zip(self._inputs, shapes, strict=True):
            if not self._context.set_input_shape(port.name, shape):
                raise BackendError(f"the engine does not take {shape} for '{port.name}': {self._reason()}")
        try:
            unknown = self._context.infer_shapes()
        except RuntimeError as error:
            unknown = [str(error)]
        if unknown:
            raise BackendError(f"the engine cannot work out its shapes for {shapes}: {', '.join(unknown)}")

    def _allocate(self, own_scratch: bool) -> None:
        if own_scratch:
            size = int(self._context.update_device_memory_size_for_shapes())
            self._context.set_device_memory(self._cuda.memory(size, self._held), size)
        for port in (*self._inputs, *self._outputs):
            shape = tuple(int(axis) for axis in self._context.get_tensor_shape(port.name))
            address, self._pinned[port.name] = self._cuda.buffer(shape, np.dtype(port.dtype), self._held)
            self._on_device[port.name] = address
            if not self._context.set_tensor_address(port.name, address):
                raise BackendError(f"TensorRT refused the buffer of '{port.name}': {self._reason()}")

    def _enqueue(self) -> None:
        for port in self._inputs:
            self._cuda.to_device(self._on_device[port.name], self._pinned[port.name])
        if not self._context.execute_async_v3(int(self._cuda.stream)):
            raise BackendError(f"TensorRT stopped: {self._reason()}")
        for port in self._outputs:
            self._cuda.to_host(self._pinned[port.name], self._on_device[port.name])
