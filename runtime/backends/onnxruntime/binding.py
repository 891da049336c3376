"""Inputs and outputs of an ONNX Runtime session that stay in device memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import Arrays, Port


class Binding:
    """Runs a session with buffers on a device, which are kept for as long as the shapes of the inputs stay the same.

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
        self._binding: Any = None
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._given: dict[str, Any] = {}
        self._found: dict[str, Any] = {}

    def run(self, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
        """The outputs, as arrays that belong to the caller. What ONNX Runtime raises is let through."""
        shapes = {port.name: tuple(arrays[port.name].shape) for port in self._inputs}
        if shapes != self._shapes:
            self._bind(shapes)
        for name, value in self._given.items():
            value.update_inplace(np.ascontiguousarray(arrays[name]))
        self._session.run_with_iobinding(self._binding)
        if not self._found:
            self._keep_outputs()
        return {name: _own(value.numpy()) for name, value in self._found.items()}

    def close(self) -> None:
        """Frees the buffers, before their session goes."""
        self._forget()
        self._session = None

    def _bind(self, shapes: dict[str, tuple[int, ...]]) -> None:
        self._forget()
        self._binding = self._session.io_binding()
        for port in self._inputs:
            self._given[port.name] = self._buffer(shapes[port.name], port)
            self._binding.bind_ortvalue_input(port.name, self._given[port.name])
        fixed = {port.name: tuple(axis for axis in port.shape if axis is not None) for port in self._outputs}
        if all(len(fixed[port.name]) == len(port.shape) for port in self._outputs):
            self._found = {port.name: self._buffer(fixed[port.name], port) for port in self._outputs}
            for name, value in self._found.items():
                self._binding.bind_ortvalue_output(name, value)
        else:
            for port in self._outputs:
                self._binding.bind_output(port.name, *self._device)
        self._shapes = shapes  # last: what failed half-way is bound again

    def _keep_outputs(self) -> None:
        """Makes what ONNX Runtime allocated in the first run the buffers of the next ones."""
        names = (port.name for port in self._outputs)
        self._found = dict(zip(names, self._binding.get_outputs(), strict=True))
        for name, value in self._found.items():
            self._binding.bind_ortvalue_output(name, value)

    def _buffer(self, shape: tuple[int, ...], port: Port) -> Any:
        kind = np.dtype(port.dtype).type
        return self._ort.OrtValue.ortvalue_from_shape_and_type(list(shape), kind, *self._device)

    def _forget(self) -> None:
        self._binding, self._shapes, self._given, self._found = None, {}, {}, {}


def _own(array: NDArray[Any]) -> NDArray[Any]:
    """`array`, or a copy where it is a view of the buffer, as on the CPU."""
    return array if array.flags.owndata else array.copy()
