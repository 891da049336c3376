"""Arrays of other libraries that lie on a GPU: PyTorch, CuPy, Numba, OpenCV's GpuMat and the like."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np

from ...errors import BackendError
from . import dlpack
from .cuda import Cuda, Rows

LEGACY_STREAM = 1  # what CUDA calls the default stream, as a handle
_DEPTHS = {0: "uint8", 2: "uint16", 5: "float32", 7: "float16"}  # of OpenCV's matrices
_TAKEN = "an array with __dlpack__ or __cuda_array_interface__, or a cv2.cuda.GpuMat"


class DeviceArray(msgspec.Struct, frozen=True):
    """Memory of a GPU that belongs to somebody else.

    `strides` are in bytes, None for C order. `stream` is where its owner last worked on it, so that whoever uses it
    has to wait for that; None where there is nothing to wait for. `keeps` is what must live as long as this.
    """

    address: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    strides: tuple[int, ...] | None = None
    number: int | None = None  # of its GPU, where the owner says it
    read_only: bool = False
    stream: int | None = None
    keeps: Any = None

    @property
    def rows(self) -> Rows:
        """The memory as rows of bytes; raises BackendError where it is none, as after a transposition."""
        width, axes = self.dtype.itemsize, list(zip(self.shape, self.strides or self._packed, strict=True))
        axes = [(n, step) for n, step in axes if n != 1]
        while axes and axes[-1][1] == width:
            width *= axes.pop()[0]
        if not axes:
            return Rows(self.address, width, 1, width)
        height, pitch = axes.pop()
        while axes and axes[-1][1] == pitch * height:
            height *= axes.pop()[0]
        if axes or pitch < width:
            raise BackendError(
                f"the array {self.shape} on the GPU has strides of {self.strides} bytes",
                "rows in C order, which may lie apart",
                "make it contiguous first: .contiguous() in PyTorch, ascontiguousarray in CuPy",
            )
        return Rows(self.address, width, height, pitch)

    def rows_at(self, address: int) -> Rows:
        """As many bytes in as many rows, at another address and without gaps."""
        rows = self.rows
        return rows._replace(address=address, pitch=rows.width)

    @property
    def _packed(self) -> tuple[int, ...]:
        steps = [self.dtype.itemsize]
        for axis in self.shape[:0:-1]:
            steps.append(steps[-1] * axis)
        return tuple(steps[::-1][: len(self.shape)])


def follow_owners(cuda: Cuda, arrays: Iterable[DeviceArray], event: Any) -> None:
    """Makes the stream of `cuda` wait for what the owners of the arrays have queued; `event` is for this alone."""
    for stream in {array.stream for array in arrays if array.stream is not None}:
        cuda.mark(event, stream)
        cuda.follow(event)


def lies_on_a_gpu(array: Any) -> bool:
    """Whether `array` is one that `read_array` takes."""
    if isinstance(array, np.ndarray):
        return False
    if hasattr(array, "__dlpack_device__"):
        return int(array.__dlpack_device__()[0]) in (dlpack.CUDA, dlpack.CUDA_MANAGED)
    return hasattr(array, "__cuda_array_interface__") or hasattr(array, "cudaPtr")


def read_array(array: Any, stream: int) -> DeviceArray:
    """Where `array` lies. Of DLPack, its owner makes `stream` wait for its own work; else the answer's `stream` does.

    Args:
        array: with `__dlpack__`, `__cuda_array_interface__` (version 2 or 3), or a `cv2.cuda.GpuMat`.
        stream: the handle of the CUDA stream that is going to use it.

    Raises:
        BackendError: it lies elsewhere, or is of a kind that cannot be read.
    """
    if not lies_on_a_gpu(array):
        raise BackendError(f"a {type(array).__name__} that does not lie on a GPU was given", _TAKEN)
    if hasattr(array, "__dlpack_device__"):
        return _of_dlpack(array, stream)
    if hasattr(array, "__cuda_array_interface__"):
        return _of_interface(array)
    return _of_gpu_mat(array)


def _of_dlpack(array: Any, stream: int) -> DeviceArray:
    try:
        capsule = array.__dlpack__(stream=stream)
    except (BufferError, RuntimeError) as error:  # as PyTorch says for what is part of a gradient
        raise BackendError(f"the {type(array).__name__} cannot be shared: {error}", _TAKEN) from error
    found = dlpack.read_capsule(capsule)
    return DeviceArray(found.address, found.shape, found.dtype, found.strides, found.device[1], keeps=capsule)


def _of_interface(array: Any) -> DeviceArray:
    found = array.__cuda_array_interface__
    if found.get("mask") is not None:
        raise BackendError(f"the {type(array).__name__} on the GPU has a mask", "an array without one")
    address, read_only = found["data"]
    # Before version 3 it cannot say where it was made: then it was, as a rule, in the default stream.
    stream = found.get("stream") if found["version"] >= 3 else LEGACY_STREAM
    shape, strides, dtype = tuple(found["shape"]), found.get("strides"), np.dtype(found["typestr"])
    strides = tuple(strides) if strides is not None else None
    return DeviceArray(address, shape, dtype, strides, None, bool(read_only), stream, array)


def _of_gpu_mat(mat: Any) -> DeviceArray:
    width, height = mat.size()
    depth, channels, pitch = mat.depth(), mat.channels(), int(mat.step)
    if depth not in _DEPTHS:
        raise BackendError(f"the GpuMat has depth {depth}", "8 or 16 bits without a sign, or floating-point numbers")
    dtype = np.dtype(_DEPTHS[depth])
    strides = (pitch, channels * dtype.itemsize, dtype.itemsize)
    return DeviceArray(int(mat.cudaPtr()), (height, width, channels), dtype, strides, stream=LEGACY_STREAM, keeps=mat)
