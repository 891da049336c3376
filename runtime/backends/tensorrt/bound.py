"""An execution context of an engine with its buffers and its stream, for one set of shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError
from ..contract import Arrays
from ..nvidia.cuda import Cuda, Held
from ..nvidia.device_array import DeviceArray, follow_owners
from .engine import Engine
from .ticket import Ticket

Shapes = tuple[tuple[int, ...], ...]  # of the inputs, in the engine's order


class Bound:
    """Runs the engine with inputs of `shapes`, through a CUDA graph once `capture` was called.

    Each has a context of its own: a graph holds what its context was set to, and must not be replayed after that has
    changed. Buffers are on the GPU and, pinned, in host memory. One run at a time is under way.

    Args:
        cuda: the GPU, and the stream that all of it goes through.
        engine: whose network this is.
        context: an IExecutionContext of it that nobody else uses.
        shapes: of the inputs.
        copies: the graph also copies from and to the host, as `begin` wants it; without, `run_on_device` does.

    Raises:
        BackendError: the engine does not take the shapes.
        NoMemoryError: the GPU has no room for the buffers.
    """

    def __init__(self, cuda: Cuda, engine: Engine, context: Any, shapes: Shapes, *, copies: bool = True) -> None:
        self._cuda, self._engine, self._context, self._copies = cuda, engine, context, copies
        self._held = Held()
        self._on_device: dict[str, int] = {}
        self._pinned: Arrays = {}
        self._graph: Any = None
        self._ticket: Ticket | None = None
        self.fresh = True  # until it ran once
        try:
            self._done, self._taken = cuda.event(self._held), cuda.event(self._held)
            self._set(shapes)
            self._allocate()
        except BaseException:
            self.free()
            raise

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """The outputs, as arrays that belong to the caller."""
        self.begin(inputs)
        return self.end()

    def begin(self, inputs: Mapping[str, NDArray[Any]], ticket: Ticket | None = None) -> None:
        """Queues a run, for `end` or for the one who has `ticket`; what it was given may be written to at once."""
        self.settle()
        for name, array in inputs.items():
            np.copyto(self._pinned[name], array)
        self._launch()
        self._cuda.mark(self._done)
        self._ticket = ticket

    def end(self) -> Arrays:
        """Waits for the run that was begun last; its outputs, as arrays that belong to the caller."""
        self._cuda.wait_for(self._done)
        self.fresh = False
        return {port.name: self._pinned[port.name].copy() for port in self._engine.outputs}

    def settle(self) -> None:
        """Ends the run of a ticket that is under way, and hands it its outputs or the error."""
        ticket, self._ticket = self._ticket, None
        if ticket is not None:
            try:
                ticket.keep(self.end())
            except BackendError as error:
                ticket.fail(error)

    def run_on_device(
        self,
        inputs: Mapping[str, NDArray[Any] | DeviceArray],
        outputs: Mapping[str, DeviceArray],
        stream: int | None,
    ) -> None:
        """As `TensorRT.run_on_device`, whose checks have been made."""
        cuda = self._cuda
        theirs = [array for array in (*inputs.values(), *outputs.values()) if isinstance(array, DeviceArray)]
        follow_owners(cuda, theirs, self._done)
        cuda.wait_for(self._taken)  # the copy of what was given before
        for name, array in inputs.items():
            if isinstance(array, DeviceArray):
                cuda.copy(array.rows_at(self._on_device[name]), array.rows)
            else:
                np.copyto(self._pinned[name], array)
                cuda.to_device(self._on_device[name], self._pinned[name])
        if not cuda.shares_memory:  # else the network itself reads what was pinned
            cuda.mark(self._taken)
        self._launch()
        for name, array in outputs.items():
            cuda.copy(array.rows, array.rows_at(self._on_device[name]))
        cuda.mark(self._done)
        if cuda.shares_memory:
            cuda.mark(self._taken)
        if stream is None or self.fresh:
            cuda.wait_for(self._done)
        if stream is not None:
            cuda.follow(self._done, stream)
        self.fresh = False

    def output_shape(self, name: str) -> tuple[int, ...]:
        """The shape of an output for these inputs."""
        return self._pinned[name].shape

    @property
    def uncaptured(self) -> bool:
        """Whether it has run, and without a graph."""
        return self._graph is None and not self.fresh

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

        Raises CaptureError where CUDA cannot record it; runs work as before.
        """
        self._graph = self._cuda.capture(self._enqueue, self._held)

    def free(self) -> None:
        """Frees graph, events, buffers and context, in this order, once what is under way has ended."""
        self.settle()
        self._cuda.finish()  # what was begun for a stream of the caller's has no ticket
        self._graph, self._pinned = None, {}
        self._held.free()
        self._context = None

    def _set(self, shapes: Shapes) -> None:
        for port, shape in zip(self._engine.inputs, shapes, strict=True):
            if not self._context.set_input_shape(port.name, shape):
                raise BackendError(f"the engine does not take {shape} for '{port.name}': {self._engine.reason()}")
        try:
            unknown = self._context.infer_shapes()
        except RuntimeError as error:
            unknown = [str(error)]
        if unknown:
            raise BackendError(f"the engine cannot work out its shapes for {shapes}: {', '.join(unknown)}")

    def _allocate(self) -> None:
        if self._engine.own_scratch:
            size = int(self._context.update_device_memory_size_for_shapes())
            self._context.set_device_memory(self._cuda.memory(size, self._held), size)
        for port in (*self._engine.inputs, *self._engine.outputs):
            shape = tuple(int(axis) for axis in self._context.get_tensor_shape(port.name))
            address, self._pinned[port.name] = self._cuda.buffer(shape, np.dtype(port.dtype), self._held)
            self._on_device[port.name] = address
            if not self._context.set_tensor_address(port.name, address):
                raise BackendError(f"TensorRT refused the buffer of '{port.name}': {self._engine.reason()}")

    def _launch(self) -> None:
        if self._graph is not None:
            self._cuda.replay(self._graph)
        else:
            self._enqueue()

    def _enqueue(self) -> None:
        if self._copies:
            for port in self._engine.inputs:
                self._cuda.to_device(self._on_device[port.name], self._pinned[port.name])
        if not self._context.execute_async_v3(int(self._cuda.stream)):
            raise BackendError(f"TensorRT stopped: {self._engine.reason()}")
        if self._copies:
            for port in self._engine.outputs:
                self._cuda.to_host(self._pinned[port.name], self._on_device[port.name])
