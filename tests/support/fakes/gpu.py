"""A CUDA runtime and a TensorRT made of host memory, to test the host's side of the TensorRT backend.

"Device" memory is real memory at real addresses, a captured graph is the list of queued calls, and the "engine"
adds the label's first entry to the picture. Every misuse that the true libraries would punish is an error here.
"""

# ruff: noqa: N815 - the names are CUDA's

from __future__ import annotations

import ctypes
import threading
from types import SimpleNamespace

import numpy as np


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
        for address, step in ((to, to_pitch), (source, pitch)):
            assert self.holds(address, step * (height - 1) + width), "a copy beyond its memory"
        self.copies.append(kind)

        def work():
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


class OnGpu:
    """An array of another library, with its own stream, in memory of the fake."""

    def __init__(self, fake, array, *, pitch=0, stream=5, read_only=False, late=None):
        self.fake, self.shape, self.dtype = fake, array.shape, array.dtype
        fake.current[threading.get_ident()] = fake.current.get(threading.get_ident(), 0)
        row = array.shape[-1] * array.itemsize
        self.pitch, self.height = pitch or row, array.size // array.shape[-1]
        _, self.address = fake._allocate(self.pitch * self.height)
        steps = [array.itemsize, self.pitch]
        for axis in array.shape[-2:0:-1]:
            steps.append(steps[-1] * axis)
        self.__cuda_array_interface__ = {
            "shape": array.shape,
            "typestr": array.dtype.str,
            "data": (self.address, read_only),
            "strides": tuple(steps[::-1][-array.ndim :]),
            "stream": stream,
            "version": 3,
        }
        # Its owner's work on it is queued, and not done before somebody waits for it.
        fake.streams.setdefault(stream, []).append(lambda: self.write(array))

    def write(self, array):
        rows = np.ascontiguousarray(array).reshape(self.height, -1).view(np.uint8)
        for i, row in enumerate(rows):
            ctypes.memmove(self.address + i * self.pitch, row.tobytes(), row.nbytes)

    def read(self):
        width = self.shape[-1] * self.dtype.itemsize
        rows = [ctypes.string_at(self.address + i * self.pitch, width) for i in range(self.height)]
        return np.frombuffer(b"".join(rows), self.dtype).reshape(self.shape)

    def free(self):
        del self.fake.memory[self.address]


class Event:
    """A cudaEvent_t."""

    mark = None


class Mark:
    """Where an event was recorded."""

    reached = False

    def __init__(self, stream):
        self.stream = stream


class Replay:
    """A cudaGraphExec_t."""

    def __init__(self, calls):
        self.calls = calls


def fake_tensorrt(
    cuda: FakeCuda,
    *,
    size: int | None = 8,
    version: str = "10.13.0",
    dtype: type = np.float32,
    name: str = "tensorrt",
    fails: str = "",
    says: str = "magic tag does not match",
    kernels: object = b"kernels",
):
    """A `tensorrt` module whose every engine takes image and label and gives edited = image + label[0].

    Without a `size`, height and width are open, from 4 to 64. `module.alive` names the objects that still
    live, in the order of their making; `module.wrong` those that went too early or too late. `fails` is the step that
    fails ("runtime", "engine" or "context"), and `says` what TensorRT then writes to its log. `kernels` is what a
    runtime cache gives when it is serialised (RuntimeError is raised); `module.read` are the caches that it was given.
    """
    axis = size or -1
    shapes = {"image": (1, 3, axis, axis), "label": (1, 2), "edited": (1, 3, axis, axis)}
    alive: list[str] = []
    wrong: list[str] = []
    read: list[bytes] = []

    class Counted:
        """TensorRT crashes if what made an object goes before the object."""

        kind = ""

        def __init__(self):
            alive.append(self.kind)

        def __del__(self):
            if self.kind not in alive:
                return  # it never began
            if alive[-1] != self.kind or "stream" not in cuda.open:
                wrong.append(f"{self.kind} went while {alive} were there and CUDA had {cuda.open}")
            alive.remove(self.kind)

    class ILogger:
        ERROR, INTERNAL_ERROR, WARNING = "error", "internal", "warning"

        def __init__(self):
            pass

    class IProfiler:
        def __init__(self):
            pass

    class Context(Counted):
        kind, profiler, stream = "context", None, None

        def __init__(self, scratch):
            super().__init__()
            self.given, self.addresses, self.scratch = {}, {}, scratch

        def set_input_shape(self, name, shape):
            self.given[name] = tuple(shape)
            return all(there in (-1, said) for there, said in zip(shapes[name], shape, strict=True))

        def infer_shapes(self):
            return []

        def update_device_memory_size_for_shapes(self):
            return 256 * self.given["image"][-1]

        def set_device_memory(self, address, count):
            assert ctypes.sizeof(cuda.memory[address]) >= count
            self.scratch = (address, count)

        def get_tensor_shape(self, name):
            return self.given["image"] if name == "edited" else self.given[name]

        def set_tensor_address(self, name, address):
            self.addresses[name] = address
            return address in cuda.memory

        def execute_async_v3(self, stream):
            assert stream in cuda.streams
            assert self.stream in (None, stream), "one context in two streams"
            self.stream = stream
            if self.scratch is not None:
                address, count = self.scratch
                assert address in cuda.memory and count >= self.update_device_memory_size_for_shapes()

            said = (dict(self.given), dict(self.addresses), self.scratch)

            def work():
                now = (self.given, self.addresses, self.scratch)
                assert now == said, "the context was changed after this was queued or recorded"

                def view(name):
                    count = int(np.prod(self.get_tensor_shape(name)))
                    kind = np.float32 if name == "label" else dtype
                    return np.frombuffer(cuda.memory[self.addresses[name]], kind, count)

                if self.profiler is not None:
                    for number, layer in enumerate(("conv", "add")):
                        self.profiler.report_layer_time(layer, 0.5 + number)
                view("edited")[:] = (view("image") + view("label")[0]).astype(dtype)

            cuda.enqueue(work, stream)
            return True

    class Engine(Counted):
        kind = "engine"
        num_io_tensors = 3

        def __init__(self, logger):
            super().__init__()
            self.logger = logger

        def get_tensor_name(self, i):
            return list(shapes)[i]

        def get_tensor_mode(self, name):
            return "out" if name == "edited" else "in"

        def get_tensor_shape(self, name):
            return shapes[name]

        def get_tensor_dtype(self, name):
            return np.float32 if name == "label" else dtype

        def get_tensor_profile_shape(self, name, profile):
            return [(1, 3, 4, 4), (1, 3, 8, 8), (1, 3, 64, 64)] if name == "image" else [(1, 2)] * 3

        def create_runtime_config(self):
            return RuntimeConfig()

        def create_execution_context(self, asked="static"):
            strategy = asked.strategy if isinstance(asked, RuntimeConfig) else asked
            if isinstance(asked, RuntimeConfig):
                assert asked.cuda_graph_strategy == "whole" and asked.cache is not None
            if fails == "context":
                self.logger.log(ILogger.ERROR, says)
                return None
            return Context((0, 0) if strategy == "user" else None)

    class RuntimeConfig:
        """Of TensorRT for RTX; its cache holds what was compiled."""

        strategy, cache, cuda_graph_strategy = "static", None, "disabled"

        def set_execution_context_allocation_strategy(self, strategy):
            self.strategy = strategy

        def create_runtime_cache(self):
            return RuntimeCache()

        def set_runtime_cache(self, cache):
            self.cache = cache
            return True

    class RuntimeCache(Counted):
        """What the context compiles goes into it, so the context must go first."""

        kind = "cache"

        def deserialize(self, data):
            read.append(data)
            return data == kernels

        def serialize(self):
            if kernels is RuntimeError:
                raise RuntimeError("no device")
            return kernels

    class Runtime(Counted):
        kind = "runtime"
        engine_host_code_allowed = False

        def __init__(self, logger):
            if fails == "runtime":
                logger.log(ILogger.ERROR, says)
                raise TypeError("pybind11::init(): factory function returned nullptr")
            super().__init__()
            self.logger = logger

        def deserialize_cuda_engine(self, data):
            assert self.engine_host_code_allowed == (data == b"code")
            if fails != "engine":
                return Engine(self.logger)
            self.logger.log(ILogger.WARNING, "slow")
            self.logger.log(ILogger.ERROR, f"{says}\nmore")
            return None

    return SimpleNamespace(
        __name__=name,
        __version__=version,
        ILogger=ILogger,
        IProfiler=IProfiler,
        Runtime=Runtime,
        IExecutionContext=Context,
        ExecutionContextAllocationStrategy=SimpleNamespace(USER_MANAGED="user"),
        CudaGraphStrategy=SimpleNamespace(WHOLE_GRAPH_CAPTURE="whole"),
        TensorIOMode=SimpleNamespace(INPUT="in", OUTPUT="out"),
        nptype=lambda kind: kind,
        alive=alive,
        wrong=wrong,
        read=read,
    )
