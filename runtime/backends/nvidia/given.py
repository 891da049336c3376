"""What callers hand to a backend for `run_on_device`, read and held against the network's ports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError
from ..contract import Port, check_inputs
from .cuda import Cuda
from .device_array import DeviceArray, read_array


def read_given(ports: tuple[Port, ...], arrays: Mapping[str, Any], cuda: Cuda) -> dict[str, NDArray[Any] | DeviceArray]:
    """The arrays by name: those in host memory as they are, the others as what lies on the GPU of `cuda`.

    To be called in the caller's own thread: PyTorch and others have a current stream for each. A picture without its
    batch axis is taken as a batch of one. Raises BackendError for other names, dtypes or shapes than the ports have,
    and for another GPU.
    """
    stream = int(cuda.stream)
    axes = {port.name: len(port.shape) for port in ports}
    found = {
        n: a if isinstance(a, np.ndarray) else _as_batch(read_array(a, stream), axes.get(n, 0))
        for n, a in arrays.items()
    }
    check_inputs(ports, found)
    for name, array in found.items():
        if isinstance(array, DeviceArray):
            number = cuda.number_of(array.address) if array.number is None else array.number
            if number != cuda.index:
                raise BackendError(f"'{name}' lies on GPU {number}", f"the network runs on GPU {cuda.index}")
            _ = array.rows  # whose strides are refused before anything is queued
    return found


def check_outputs(
    ports: tuple[Port, ...], arrays: Mapping[str, NDArray[Any] | DeviceArray], shape: Callable[[str], tuple[int, ...]]
) -> dict[str, DeviceArray]:
    """The same arrays, where each lies on the GPU, may be written to and has the `shape` of its output."""
    found: dict[str, DeviceArray] = {}
    for port in ports:
        array = arrays[port.name]
        if not isinstance(array, DeviceArray):
            raise BackendError(f"the output '{port.name}' lies in host memory", "an array on the GPU to write into")
        if array.read_only:
            raise BackendError(f"the output '{port.name}' is read-only", "an array on the GPU to write into")
        if array.shape != shape(port.name):
            raise BackendError(f"the output '{port.name}' has room for {array.shape}", f"{shape(port.name)}")
        found[port.name] = array
    return found


def _as_batch(array: DeviceArray, axes: int) -> DeviceArray:
    if len(array.shape) != axes - 1:
        return array
    strides = (0, *array.strides) if array.strides is not None else None  # of an axis of 1, which nobody steps over
    return msgspec.structs.replace(array, shape=(1, *array.shape), strides=strides)
