"""A CUDA runtime and a TensorRT made of host memory, to test the host's side of the TensorRT backend.

"Device" memory is real memory at real addresses, a captured graph is the list of queued calls, and the "engine"
adds the label's first entry to the picture. Every misuse that the true libraries would punish is an error here.
"""

# ruff: noqa: N815 - the names are CUDA's

from __future__ import annotations

import ctypes
import threading
from types import SimpleNamespace


class FakeCuda:
    """The functions of `cuda.bindings.runtime` that `edgegan.runtime.backends.nvidia.cuda` calls."""

    cudaError_t = SimpleNamespace(
        cudaSuccess=0, cudaErrorMemoryAllocation=2, cudaErrorDevicesUnavailable=46, cudaErrorInsufficientDriver=35
    )
    cudaDeviceAttr = SimpleNamespace(cudaDevAttrComputeCapabilityMajor=8, cudaDevAttrComputeCapabilityMinor=9)
    cudaMemcpyKind = SimpleNamespace(cudaMemcpyHostToDevice="in", cudaMemcpyDeviceToHost="out")
    cudaStreamCaptureMode = SimpleNamespace(cudaStreamCaptureModeThreadLocal=1)

    def __init__(
        self,
        devices: int = 1,
        capturable: bool = True,
        room: int = 1 << 40,
        busy: bool = False,
        refuses: int = 0,
        capabilities: tuple[tuple[int, int], ...] = ((8, 9), (7, 5), (12, 0)),
    ) -> None:
        self.devices, self.capturable, self.room, self.busy = devices, capturable, room, busy
        self.capabilities = capabilities  # of each device
        self.refuses = refuses  # the error of the first call
        self.chosen: set[int] = set()  # the devices that any thread ever used
        self.memory: dict[int, object] = {}
        self.open: list[str] = []
        self.allocations = self.captures = 0
        self.queue: list = []
        self.recording: list | None = None
        self.launches = 0
        self.current: dict[int, int] = {}  # CUDA keeps a thread's device

    def cudaGetDeviceCount(self):
        return (self.refuses, None) if self.refuses else (0, self.devices)

    def cudaGetErrorString(self, error):
        return 0, b"fake error %d" % error

    def cudaGetLastError(self):
        return (0,)

    def cudaSetDevice(self, index):
        self.current[threading.get_ident()] = index
        self.chosen.add(index)
        return (0,)

    def cudaDriverGetVersion(self):
        return 0, 13020

    def cudaDeviceGetAttribute(self, attribute, device):
        return 0, self.capabilities[device][attribute - 8]

    def cudaGetDeviceProperties(self, device):
        return 0, SimpleNamespace(name=b"Fake GPU%s\0\0" % (b" %d" % device if device else b""))

    def cudaStreamCreateWithFlags(self, flags):
        if self.busy:
            return 46, None
        self.open.append("stream")
        return 0, 77

    def cudaStreamDestroy(self, stream):
        self.open.remove("stream")
        return (0,)

    def _allocate(self, size):
        assert threading.get_ident() in self.current, "no device was chosen in this thread"
        if sum(ctypes.sizeof(block) for block in self.memory.values()) + size > self.room:
            return 2, None
        self.allocations += 1
        block = (ctypes.c_uint8 * size)()
        self.memory[ctypes.addressof(block)] = block
        return 0, ctypes.addressof(block)

    def _release(self, address):
        del self.memory[address]
        return (0,)

    cudaMalloc = cudaMallocHost = _allocate
    cudaFree = cudaFreeHost = _release

    def enqueue(self, call):
        (self.queue if self.recording is None else self.recording).append(call)

    def cudaMemcpyAsync(self, to, source, size, kind, stream):
        assert stream == 77 and to in self.memory and source in self.memory
        self.enqueue(lambda: ctypes.memmove(to, source, size))
        return (0,)

    def cudaStreamSynchronize(self, stream):
        assert "stream" in self.open and threading.get_ident() in self.current
        assert self.recording is None, "a synchronisation breaks a capture"
        for call in self.queue:
            call()
        self.queue = []
        return (0,)

    def cudaStreamBeginCapture(self, stream, mode):
        self.recording = []
        return (0,)

    def cudaStreamEndCapture(self, stream):
        recorded, self.recording = self.recording, None
        return (0, recorded) if self.capturable else (900, None)

    def cudaGraphInstantiate(self, graph, flags):
        self.open.append("graph")
        self.captures += 1
        return 0, Replay(graph)

    def cudaGraphDestroy(self, graph):
        return (0,)

    def cudaGraphExecDestroy(self, graph):
        self.open.remove("graph")
        graph.calls = None
        return (0,)

    def cudaGraphLaunch(self, graph, stream):
        assert graph.calls is not None, "the graph was destroyed"
        assert threading.get_ident() in self.current
        self.launches += 1
        self.queue += graph.calls
        return (0,)


class Replay:
    """A cudaGraphExec_t."""

    def __init__(self, calls):
        self.calls = calls
