"""Inputs and outputs of an ONNX Runtime session that stay in device memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .. import Arrays, Port
from ..device import no_memory, out_of_memory
from ..last_used import LastUsed
from ..nvidia.cuda import Cuda
from ..nvidia.device_array import DeviceArray

_KEPT = 4  # sets of buffers: a frame with one face and a frame with three take turns
Result = TypeVar("Result")
Shapes = tuple[tuple[int, ...], ...]  # of the inputs, in the session's order


class Binding:
    """Runs a session with buffers on a device, which are kept for the few shapes of the inputs that came last.

    A CUDA graph replays addresses, so with one no buffer may ever move: fixed outputs are placed before the first
    run, and only open ones are left to ONNX Runtime, which then has no graph.

    Args:
        ort: the module onnxruntime.
        session: an InferenceSession.
        device: "cuda" or "cpu", and its number.
        inputs, outputs: the session's own.
    """

    def __init__(
        self, ort: Any, session: Any, device: tuple[str, int], inputs: tuple[Port, ...], outputs: tuple[Port, ...]
    ) -> None:
        self._ort, self._session, self._device = ort, session, device
        self._inputs, self._outputs = inputs, outputs
        self._sets: LastUsed[Shapes, _Buffers] = LastUsed(_KEPT, self._bind, _Buffers.free)

    def run(self, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
        """The outputs, as arrays that belong to the caller.

        Where memory runs out, the buffers of other shapes go first; NoMemoryError is raised if that is not enough.
        What else ONNX Runtime raises is let through.
        """
        return self._with_room(arrays, lambda buffers: self._run(buffers, arrays))

    def run_on_device(
        self,
        cuda: Cuda,
        inputs: Mapping[str, NDArray[Any] | DeviceArray],
        outputs: Callable[[Callable[[str], tuple[int, ...]]], Mapping[str, DeviceArray]],
    ) -> None:
        """As `contract.OnDevice.run_on_device`, and waited for; `outputs` is told how the shapes are known.

        The arrays are copied from and to the session's own buffers, which a graph replays.
        """
        self._with_room(inputs, lambda buffers: self._run_on_device(buffers, cuda, inputs, outputs))

    def _with_room(self, arrays: Mapping[str, Any], work: Callable[[_Buffers], Result]) -> Result:
        shapes = tuple(tuple(arrays[port.name].shape) for port in self._inputs)
        while True:
            try:
                return work(self._sets.get(shapes))
            except Exception as error:  # its exception types share no base of their own
                if not out_of_memory(str(error)):
                    raise
                if not self._sets.keep_only(shapes):
                    raise no_memory() from error

    def close(self) -> None:
        """Frees the buffers, before their session goes."""
        self._sets.clear()
        self._session = None

    def _run(self, buffers: _Buffers, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
        for name, value in buffers.given.items():
            value.update_inplace(np.ascontiguousarray(arrays[name]))
        self._call(buffers)
        return {name: _own(value.numpy()) for name, value in buffers.found.items()}

    def _run_on_device(
        self,
        buffers: _Buffers,
        cuda: Cuda,
        inputs: Mapping[str, NDArray[Any] | DeviceArray],
        outputs: Callable[[Callable[[str], tuple[int, ...]]], Mapping[str, DeviceArray]],
    ) -> None:
        cuda.use()
        for name, value in buffers.given.items():
            array = inputs[name]
            if isinstance(array, DeviceArray):
                cuda.copy(array.rows_at(value.data_ptr()), array.rows)
            else:
                value.update_inplace(np.ascontiguousarray(array))
        cuda.wait()  # the session works in a stream of its own
        self._call(buffers)
        for name, to in outputs(lambda name: tuple(buffers.found[name].shape())).items():
            cuda.copy(to.rows, to.rows_at(buffers.found[name].data_ptr()))
        cuda.wait()

    def _call(self, buffers: _Buffers) -> None:
        self._session.run_with_iobinding(buffers.binding)
        if not buffers.found:
            buffers.keep_outputs([port.name for port in self._outputs])

    def _bind(self, shapes: Shapes) -> _Buffers:
        made = _Buffers(self._session.io_binding())
        for port, shape in zip(self._inputs, shapes, strict=True):
            made.given[port.name] = self._allocate(shape, port)
            made.binding.bind_ortvalue_input(port.name, made.given[port.name])
        fixed = {port.name: tuple(axis for axis in port.shape if axis is not None) for port in self._outputs}
        if all(len(fixed[port.name]) == len(port.shape) for port in self._outputs):
            made.found = {port.name: self._allocate(fixed[port.name], port) for port in self._outputs}
            for name, value in made.found.items():
                made.binding.bind_ortvalue_output(name, value)
        else:
            for port in self._outputs:
                made.binding.bind_output(port.name, *self._device)
        return made

    def _allocate(self, shape: tuple[int, ...], port: Port) -> Any:
        kind = np.dtype(port.dtype).type
        return self._ort.OrtValue.ortvalue_from_shape_and_type(list(shape), kind, *self._device)


class _Buffers:
    """The buffers for one set of shapes; `found` is empty until ONNX Runtime has allocated open outputs."""

    def __init__(self, binding: Any) -> None:
        self.binding = binding
        self.given: dict[str, Any] = {}
        self.found: dict[str, Any] = {}

    def keep_outputs(self, names: list[str]) -> None:
        """Makes what ONNX Runtime allocated in the first run the buffers of the next ones."""
        self.found = dict(zip(names, self.binding.get_outputs(), strict=True))
        for name, value in self.found.items():
            self.binding.bind_ortvalue_output(name, value)

    def free(self) -> None:
        """Lets go of all memory."""
        self.binding, self.given, self.found = None, {}, {}


def _own(array: NDArray[Any]) -> NDArray[Any]:
    """`array`, or a copy where it is a view of the buffer, as on the CPU."""
    return array if array.flags.owndata else array.copy()
