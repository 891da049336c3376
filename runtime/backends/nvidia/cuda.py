"""The few calls of the CUDA runtime that TensorRT needs around it, with errors in words."""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError
from ..device import no_memory, no_such_gpu
from . import libraries
from .extras import gpu_extra, missing_package

_NON_BLOCKING = 1  # cudaStreamNonBlocking: the stream does not wait for the legacy default stream


class CaptureError(BackendError):
    """Work that CUDA cannot record as a graph; it can still be queued piece by piece."""


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

    Raises MissingExtraError without cuda-python, BackendError where the GPU is not there.
    """

    def __init__(self, index: int = 0) -> None:
        self._rt = _import()
        self._index = index
        self._own = Held()
        try:
            error, count = self._rt.cudaGetDeviceCount()
        except RuntimeError as refused:  # cuda-python 12.6 loads the driver at the first call, and raises without one
            raise _no_gpu(str(refused).strip().partition("\n")[0] or "no driver") from None
        if error == self._rt.cudaError_t.cudaErrorInsufficientDriver and libraries.driver_cuda() is not None:
            raise _old_driver()
        if error != self._rt.cudaError_t.cudaSuccess or count == 0:
            reason = self._words(error) if error != self._rt.cudaError_t.cudaSuccess else "no device is listed"
            raise _no_gpu(reason)
        if index >= count:
            raise no_such_gpu(index, count)
        self.use()
        self.stream = self._call("cudaStreamCreateWithFlags", _NON_BLOCKING)
        self._own.add(lambda: self._rt.cudaStreamDestroy(self.stream))

    @property
    def compute_capability(self) -> str:
        """Such as "8.9"."""
        kinds = self._rt.cudaDeviceAttr
        attributes = (kinds.cudaDevAttrComputeCapabilityMajor, kinds.cudaDevAttrComputeCapabilityMinor)
        return ".".join(str(self._call("cudaDeviceGetAttribute", a, self._index)) for a in attributes)

    @property
    def gpu_name(self) -> str:
        """Such as "NVIDIA GeForce RTX 4090"."""
        raw: bytes = self._call("cudaGetDeviceProperties", self._index).name
        return raw.split(b"\0")[0].decode(errors="replace")

    @property
    def version(self) -> str:
        """The newest CUDA that the driver can serve, such as "13.0"."""
        number = int(self._call("cudaDriverGetVersion"))
        return f"{number // 1000}.{number % 1000 // 10}"

    def use(self) -> None:
        """Makes this GPU the calling thread's own: CUDA keeps the choice per thread."""
        self._call("cudaSetDevice", self._index)

    def buffer(self, shape: tuple[int, ...], dtype: np.dtype[Any], held: Held) -> tuple[int, NDArray[Any]]:
        """Device memory (its address) and pinned host memory (as an array) of one tensor's size, freed with `held`."""
        size = max(1, int(np.prod(shape)) * dtype.itemsize)
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
        """Queues a copy from pinned memory."""
        kind = self._rt.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._call("cudaMemcpyAsync", device, host.ctypes.data, host.nbytes, kind, self.stream)

    def to_host(self, host: NDArray[Any], device: int) -> None:
        """Queues a copy to pinned memory."""
        kind = self._rt.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._call("cudaMemcpyAsync", host.ctypes.data, device, host.nbytes, kind, self.stream)

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
            self._rt.cudaSetDevice(self._index)  # the thread that ends the work may not be the one that began it
            self._rt.cudaStreamSynchronize(self.stream)

    def close(self) -> None:
        """Ends the stream; a second call does nothing."""
        self.finish()
        self._own.free()

    def _call(self, name: str, *arguments: Any) -> Any:
        error, *found = getattr(self._rt, name)(*arguments)
        if error != self._rt.cudaError_t.cudaSuccess:
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


def _no_gpu(reason: str) -> BackendError:
    return BackendError(
        f"no NVIDIA GPU can be used here ({reason})",
        todo="install the NVIDIA driver, or run model.onnx on the CPU: --device cpu",
    )


def _import() -> Any:
    """The bindings of the CUDA runtime, wherever this version of cuda-python has them."""
    for name in ("cuda.bindings.runtime", "cuda.cudart"):  # the second before 12.8
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
        except OSError as error:  # so Windows says that a DLL is not there
            raise _no_gpu(f"cuda-python cannot be loaded: {error}") from None
    raise missing_package("cuda-python")


def _old_driver() -> BackendError:
    """CUDA gives one error where there is no driver and where it is too old; this is for the latter."""
    major, minor = libraries.driver_cuda() or (0, 0)
    return BackendError(
        f"the NVIDIA driver is too old: it serves CUDA {major}.{minor}, and the CUDA of cuda-python is newer",
        "a driver serves its own CUDA and older ones",
        f"update the driver, or take packages that suit it: pip install 'edgegan[{gpu_extra()}]'",
    )
