"""A CUDA runtime and a TensorRT made of host memory, to test the host's side of the TensorRT backend.

"Device" memory is real memory at real addresses, a captured graph is the list of queued calls, and the "engine"
adds the label's first entry to the picture. Every misuse that the true libraries would punish is an error here.
"""

# ruff: noqa: N815 - the names are CUDA's

from __future__ import annotations

import ctypes
import threading
from types import SimpleNamespace

from support.fakes.cuda_objects import Event, Mark, Replay


class FakeCuda:
    """The functions of `cuda.bindings.runtime` that `edgegan.runtime.backends.nvidia.cuda` calls.

    What is queued in a stream is done as late as CUDA allows: when somebody waits for it, on the host or by an event
    in another stream. So whatever waits for too little meets old bytes.
    """

    cudaError_t = SimpleNamespace(
        cudaSuccess=0, cudaErrorMemoryAllocation=2, cudaErrorDevicesUnavailable=46, cudaErrorInsufficientDriver=35
    )
    cudaDeviceAttr = SimpleNamespace(
        cudaDevAttrComputeCapabilityMajor=8,
        cudaDevAttrComputeCapabilityMinor=9,
        cudaDevAttrIntegrated=18,
        cudaDevAttrCanMapHostMemory=19,
    )
    cudaMemcpyKind = SimpleNamespace(
        cudaMemcpyHostToDevice="in", cudaMemcpyDeviceToHost="out", cudaMemcpyDeviceToDevice="within"
    )
    cudaStreamCaptureMode = SimpleNamespace(cudaStreamCaptureModeThreadLocal=1)

    def __init__(
        self,
        devices: int = 1,
        capturable: bool = True,
        room: int = 1 << 40,
        busy: bool = False,
        refuses: int = 0,
        capabilities: tuple[tuple[int, int], ...] = ((8, 9), (7, 5), (12, 0)),
        integrated: bool = False,
    ) -> None:
        self.devices, self.capturable, self.room, self.busy = devices, capturable, room, busy
        self.capabilities = capabilities  # of each device
        self.refuses = refuses  # the error of the first call
        self.integrated = integrated  # the GPU has no memory of its own
        self.chosen: set[int] = set()  # the devices that any thread ever used
        self.memory: dict[int, object] = {}
        self.open: list[str] = []
        self.allocations = self.captures = 0
        self.streams: dict[int, list] = {}  # what is queued in each, and not done yet
        self.recording: list | None = None
        self.recorded: int | None = None  # the stream whose work is recorded
        self.launches = 0
        self.copies: list[str] = []  # their kinds
        self.current: dict[int, int] = {}  # CUDA keeps a thread's device
        self.last = 0  # the error that nobody has asked for yet

    def cudaGetDeviceCount(self):
        return (self.refuses, None) if self.refuses else (0, self.devices)

    def cudaGetErrorString(self, error):
        return 0, b"fake error %d" % error

    def cudaGetLastError(self):
        last, self.last = self.last, 0
        return (last,)

    def cudaGetDevice(self):
        return self.refuses, self.current.get(threading.get_ident(), 0)

    def cudaSetDevice(self, index):
        self.current[threading.get_ident()] = index
        self.chosen.add(index)
        return (0,)

    def cudaDriverGetVersion(self):
        return 0, 13020

    def cudaDeviceGetAttribute(self, attribute, device):
        if attribute in (18, 19):
            return 0, int(self.integrated)
        return 0, self.capabilities[device][attribute - 8]

    def cudaGetDeviceProperties(self, device):
        return 0, SimpleNamespace(name=b"Fake GPU%s\0\0" % (b" %d" % device if device else b""))

    def cudaPointerGetAttributes(self, address):
        return 0, SimpleNamespace(device=0 if self.holds(address, 1) else -2)

    def cudaStreamCreateWithFlags(self, flags):
        if self.busy:
            return 46, None
        self.open.append("stream")
        stream = 77 + len(self.streams)
        self.streams[stream] = []
        return 0, stream

    def cudaStreamDestroy(self, stream):
        assert not self.streams[stream], "a stream was destroyed before its work was done"
        self.open.remove("stream")
        return (0,)

    def cudaEventCreateWithFlags(self, flags):
        self.open.append("event")
        return 0, Event()

    def cudaEventDestroy(self, event):
        self.open.remove("event")
        event.mark = None
        return (0,)

    def cudaEventRecord(self, event, stream):
        assert self.recording is None, "an event of its own breaks a capture"
        event.mark = Mark(stream)
        self.streams.setdefault(stream, []).append(event.mark)
        return (0,)

    def cudaEventSynchronize(self, event):
        assert self.recording is None, "a synchronisation breaks a capture"
        if event.mark is not None:
            self.reach(event.mark)
        return (0,)

    def cudaStreamWaitEvent(self, stream, event, flags):
        mark = event.mark  # what is recorded later does not count
        if mark is not None:
            self.streams.setdefault(stream, []).append(lambda: self.reach(mark))
        return (0,)

    def _allocate(self, size):
        assert threading.get_ident() in self.current, "no device was chosen in this thread"
        assert self.recording is None, "an allocation breaks a capture"
        if sum(ctypes.sizeof(block) for block in self.memory.values()) + size > self.room:
            self.last = 2
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

    def cudaHostAlloc(self, size, flags):
        assert flags == 2 and self.integrated
        return self._allocate(size)

    def cudaHostGetDevicePointer(self, host, flags):
        return 0, host

    def holds(self, address, size):
        """Whether so many bytes lie within one allocation."""
        return any(a <= address and address + size <= a + ctypes.sizeof(block) for a, block in self.memory.items())

    def enqueue(self, call, stream):
        if self.recording is not None and stream == self.recorded:
            self.recording.append(call)
        else:
            self.streams[stream].append(call)

    def cudaMemcpyAsync(self, to, source, size, kind, stream):
        return self.cudaMemcpy2DAsync(to, size, source, size, size, 1, kind, stream)

    def cudaMemcpy2DAsync(self, to, to_pitch, source, pitch, width, height, kind, stream):
        assert min(to_pitch, pitch) >= width

        def check(words):
            for address, step in ((to, to_pitch), (source, pitch)):
                assert self.holds(address, step * (height - 1) + width), words

        check("a copy beyond its memory")
        self.copies.append(kind)

        def work():
            check("memory was freed before its copy was done")
            for row in range(height):
                ctypes.memmove(to + row * to_pitch, source + row * pitch, width)

        self.enqueue(work, stream)
        return (0,)

    def cudaStreamSynchronize(self, stream):
        assert "stream" in self.open and threading.get_ident() in self.current
        assert self.recording is None, "a synchronisation breaks a capture"
        queue = self.streams[stream]
        while queue:
            self._do(queue.pop(0))
        return (0,)

    def reach(self, mark):
        """Does what is queued before a mark, and it alone."""
        queue = self.streams[mark.stream]
        while not mark.reached:
            self._do(queue.pop(0))

    def _do(self, work):
        if isinstance(work, Mark):
            work.reached = True
        else:
            work()

    def cudaStreamBeginCapture(self, stream, mode):
        self.recording, self.recorded = [], stream
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
        self.streams[stream] += graph.calls
        return (0,)
