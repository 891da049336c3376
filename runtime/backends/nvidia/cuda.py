"""The few calls of the CUDA runtime that TensorRT needs around it, with errors in words."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError
from ..device import no_memory, no_such_gpu
from . import bindings, libraries

_NON_BLOCKING = 1  # cudaStreamNonBlocking: the stream does not wait for the legacy default stream
_NO_TIMES = 2  # cudaEventDisableTiming: an event that only orders work costs less
_MAPPED = 2  # cudaHostAllocMapped


class CaptureError(BackendError):
    """Work that CUDA cannot record as a graph; it can still be queued piece by piece."""


class Rows(NamedTuple):
    """Memory of the GPU: `height` rows of `width` bytes each, which begin `pitch` bytes apart."""

    address: int
    width: int
    height: int
    pitch: int


class Held:
    """What was allocated together and is freed together, the newest first."""

    def __init__(self) -> None:
        self._freeing: list[Callable[[], Any]] = []

    def add(self, free: Callable[[], Any]) -> None:
        """`free` is called once, by the method of that name."""
        self._freeing.append(free)

    def free(self) -> None:
        """Frees everything; nothing on the GPU may use it any more."""
        while self._freeing:
            self._freeing.pop()()

    def __bool__(self) -> bool:
        return bool(self._freeing)


class Cuda:
    """One GPU and one stream on it. What is allocated belongs to a `Held` of the caller's.

    `shares_memory`: the GPU has no memory of its own, as on a Jetson, and reads and writes the host's.

    Raises MissingExtraError without cuda-python, BackendError where the GPU is not there.
    """

    def __init__(self, index: int = 0) -> None:
        self._rt = bindings.import_runtime()
        self.index = index
        self._own = Held()
        try:
            error, count = self._rt.cudaGetDeviceCount()
        except RuntimeError as refused:  # cuda-python 12.6 loads the driver at the first call, and raises without one
            raise bindings.no_gpu(str(refused).strip().partition("\n")[0] or "no driver") from None
        if error == self._rt.cudaError_t.cudaErrorInsufficientDriver and libraries.driver_cuda() is not None:
            raise bindings.old_driver()
        if error != self._rt.cudaError_t.cudaSuccess or count == 0:
            reason = self._words(error) if error != self._rt.cudaError_t.cudaSuccess else "no device is listed"
            raise bindings.no_gpu(reason)
        if index >= count:
            raise no_such_gpu(index, count)
        self.use()
        self.shares_memory = self._has("cudaDevAttrIntegrated") and self._has("cudaDevAttrCanMapHostMemory")
        self.stream = self._call("cudaStreamCreateWithFlags", _NON_BLOCKING)
        self._own.add(lambda: self._rt.cudaStreamDestroy(self.stream))

    @property
    def compute_capability(self) -> str:
        """Such as "8.9"."""
        kinds = self._rt.cudaDeviceAttr
        attributes = (kinds.cudaDevAttrComputeCapabilityMajor, kinds.cudaDevAttrComputeCapabilityMinor)
        return ".".join(str(self._call("cudaDeviceGetAttribute", a, self.index)) for a in attributes)

    @property
    def gpu_name(self) -> str:
        """Such as "NVIDIA GeForce RTX 4090"."""
        raw: bytes = self._call("cudaGetDeviceProperties", self.index).name
        return raw.split(b"\0")[0].decode(errors="replace")

    @property
    def version(self) -> str:
        """The newest CUDA that the driver can serve, such as "13.0"."""
        number = int(self._call("cudaDriverGetVersion"))
        return f"{number // 1000}.{number % 1000 // 10}"

    def number_of(self, address: int) -> int:
        """The number of the GPU on which `address` lies; raises BackendError where it is none of a GPU."""
        return int(self._call("cudaPointerGetAttributes", address).device)

    def use(self) -> None:
        """Makes this GPU the calling thread's own: CUDA keeps the choice per thread."""
        self._call("cudaSetDevice", self.index)

    def buffer(self, shape: tuple[int, ...], dtype: np.dtype[Any], held: Held) -> tuple[int, NDArray[Any]]:
        """Device memory (its address) and pinned host memory (as an array) of one tensor's size, freed with `held`.

        Where the GPU `shares_memory` both are the same bytes, and there is nothing to copy.
        """
        size = max(1, int(np.prod(shape)) * dtype.itemsize)
        if self.shares_memory:
            host = self._call("cudaHostAlloc", size, _MAPPED)
            held.add(lambda: self._rt.cudaFreeHost(host))
            device = int(self._call("cudaHostGetDevicePointer", host, 0))
        else:
            device = self.memory(size, held)
            host = self._call("cudaMallocHost", size)
            held.add(lambda: self._rt.cudaFreeHost(host))
        raw = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(int(host)))
        return device, raw[: int(np.prod(shape)) * dtype.itemsize].view(dtype).reshape(shape)

    def memory(self, size: int, held: Held) -> int:
        """The address of `size` bytes of device memory, aligned for any use, freed with `held`."""
        device = self._call("cudaMalloc", max(1, size))
        held.add(lambda: self._rt.cudaFree(device))
        return int(device)

    def to_device(self, device: int, host: NDArray[Any]) -> None:
        """Queues a copy from pinned memory; both are of one `buffer`."""
        if not self.shares_memory:
            kind = self._rt.cudaMemcpyKind.cudaMemcpyHostToDevice
            self._call("cudaMemcpyAsync", device, host.ctypes.data, host.nbytes, kind, self.stream)

    def to_host(self, host: NDArray[Any], device: int) -> None:
        """Queues a copy to pinned memory; both are of one `buffer`."""
        if not self.shares_memory:
            kind = self._rt.cudaMemcpyKind.cudaMemcpyDeviceToHost
            self._call("cudaMemcpyAsync", host.ctypes.data, device, host.nbytes, kind, self.stream)

    def copy(self, to: Rows, source: Rows) -> None:
        """Queues a copy within the GPU, of as many rows of as many bytes."""
        kind = self._rt.cudaMemcpyKind.cudaMemcpyDeviceToDevice
        if to.pitch == source.pitch == source.width:
            size = source.width * source.height
            self._call("cudaMemcpyAsync", to.address, source.address, size, kind, self.stream)
        else:
            ends = (to.address, to.pitch, source.address, source.pitch)
            self._call("cudaMemcpy2DAsync", *ends, source.width, source.height, kind, self.stream)

    def event(self, held: Held) -> Any:
        """A mark to be put into streams, freed with `held`."""
        made = self._call("cudaEventCreateWithFlags", _NO_TIMES)
        held.add(lambda: self._rt.cudaEventDestroy(made))
        return made

    def mark(self, event: Any, stream: int | None = None) -> None:
        """Puts `event` behind all that is queued now, here or in another stream."""
        self._call("cudaEventRecord", event, self.stream if stream is None else stream)

    def follow(self, event: Any, stream: int | None = None) -> None:
        """What is queued from now on, here or in another stream, begins after `event`."""
        self._call("cudaStreamWaitEvent", self.stream if stream is None else stream, event, 0)

    def wait_for(self, event: Any) -> None:
        """Returns when all that was queued before `event` is done; what came later may go on."""
        self._call("cudaEventSynchronize", event)

    def wait(self) -> None:
        """Returns when all that was queued is done."""
        self._call("cudaStreamSynchronize", self.stream)

    def capture(self, enqueue: Callable[[], None], held: Held) -> Any:
        """What `enqueue` queues, as a graph to replay, freed with `held`.

        Raises CaptureError, with the reason, if something in it cannot be captured: then nothing was queued, and the
        stream is as before. What `enqueue` raises besides BackendError goes on to the caller, the capture ended.
        """
        success = self._rt.cudaError_t.cudaSuccess
        mode = self._rt.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._call("cudaStreamBeginCapture", self.stream, mode)
        reason = ""
        try:
            enqueue()
        except BackendError as refused:
            reason = refused.seen
        finally:
            error, graph = self._rt.cudaStreamEndCapture(self.stream)  # always: it also ends a failed capture
            if error != success:
                self._rt.cudaGetLastError()  # a failed capture must not be blamed on the next call
        if reason or error != success:
            if error == success:
                self._rt.cudaGraphDestroy(graph)
            raise CaptureError(reason or self._words(error))
        error, replay = self._rt.cudaGraphInstantiate(graph, 0)
        self._rt.cudaGraphDestroy(graph)
        if error != success:
            self._rt.cudaGetLastError()
            raise CaptureError(self._words(error))
        held.add(lambda: self._rt.cudaGraphExecDestroy(replay))
        return replay

    def replay(self, graph: Any) -> None:
        """Queues a captured graph."""
        self._call("cudaGraphLaunch", graph, self.stream)

    def finish(self) -> None:
        """Waits for all that was queued; never raises, so that freeing goes on after an error of the GPU."""
        if self._own:
            self._rt.cudaSetDevice(self.index)  # the thread that ends the work may not be the one that began it
            self._rt.cudaStreamSynchronize(self.stream)

    def close(self) -> None:
        """Ends the stream; a second call does nothing."""
        self.finish()
        self._own.free()

    def _has(self, attribute: str) -> bool:
        kind = getattr(self._rt.cudaDeviceAttr, attribute)
        return bool(self._call("cudaDeviceGetAttribute", kind, self.index))

    def _call(self, name: str, *arguments: Any) -> Any:
        error, *found = getattr(self._rt, name)(*arguments)
        if error != self._rt.cudaError_t.cudaSuccess:
            self._rt.cudaGetLastError()  # else whoever asks next, as PyTorch does after every launch, is blamed for it
            raise self._explain_refusal(name, error)
        return found[0] if found else None

    def _explain_refusal(self, name: str, error: Any) -> BackendError:
        kinds = self._rt.cudaError_t
        if error == kinds.cudaErrorMemoryAllocation:
            return no_memory(f"a buffer ({name})")
        if error == kinds.cudaErrorDevicesUnavailable:
            return BackendError(
                f"the GPU is busy: another program has it for itself ({self._words(error)})",
                todo="end that program (nvidia-smi lists it), or set the compute mode: nvidia-smi -c DEFAULT",
            )
        return BackendError(f"the GPU refused {name}: {self._words(error)}")

    def _words(self, error: Any) -> str:
        _, words = self._rt.cudaGetErrorString(error)
        return words.decode() if isinstance(words, bytes) else str(words)
