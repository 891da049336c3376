"""A CUDA runtime and a TensorRT made of host memory, to test the host's side of the TensorRT backend.

"Device" memory is real memory at real addresses, a captured graph is the list of queued calls, and the "engine"
adds the label's first entry to the picture. Every misuse that the true libraries would punish is an error here.
"""

# ruff: noqa: N815 - the names are CUDA's

from __future__ import annotations

import ctypes
from types import SimpleNamespace

import numpy as np


class FakeCuda:
    """The functions of `cuda.bindings.runtime` that `edgegan.runtime.backends.cuda` calls."""

    cudaError_t = SimpleNamespace(cudaSuccess=0)
    cudaDeviceAttr = SimpleNamespace(cudaDevAttrComputeCapabilityMajor=8, cudaDevAttrComputeCapabilityMinor=9)
    cudaMemcpyKind = SimpleNamespace(cudaMemcpyHostToDevice="in", cudaMemcpyDeviceToHost="out")
    cudaStreamCaptureMode = SimpleNamespace(cudaStreamCaptureModeThreadLocal=1)

    def __init__(self, devices: int = 1, capturable: bool = True) -> None:
        self.devices, self.capturable = devices, capturable
        self.memory: dict[int, object] = {}
        self.open: set[str] = set()
        self.queue: list = []
        self.recording: list | None = None
        self.launches = 0

    def cudaGetDeviceCount(self):
        return 0, self.devices

    def cudaGetErrorString(self, error):
        return 0, b"fake error %d" % error

    def cudaGetLastError(self):
        return (0,)

    def cudaSetDevice(self, index):
        return (0,)

    def cudaDeviceGetAttribute(self, attribute, device):
        return 0, attribute

    def cudaGetDeviceProperties(self, device):
        return 0, SimpleNamespace(name=b"Fake GPU\0\0")

    def cudaStreamCreateWithFlags(self, flags):
        self.open.add("stream")
        return 0, 77

    def cudaStreamDestroy(self, stream):
        self.open.remove("stream")
        return (0,)

    def _allocate(self, size):
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
        self.open.add("graph")
        return 0, graph

    def cudaGraphDestroy(self, graph):
        return (0,)

    def cudaGraphExecDestroy(self, graph):
        self.open.remove("graph")
        return (0,)

    def cudaGraphLaunch(self, graph, stream):
        self.launches += 1
        self.queue += graph
        return (0,)


def fake_tensorrt(cuda: FakeCuda, *, size: int | None = 8, version: str = "10.13.0", loads: bool = True):
    """A `tensorrt` module whose every engine takes image and label and gives edited = image + label[0]."""
    axis = size or -1
    shapes = {"image": (1, 3, axis, axis), "label": (1, 2), "edited": (1, 3, axis, axis)}

    class ILogger:
        ERROR, INTERNAL_ERROR, WARNING = "error", "internal", "warning"

        def __init__(self):
            pass

    class Context:
        def __init__(self):
            self.given, self.addresses = {}, {}

        def set_input_shape(self, name, shape):
            fits = all(there in (-1, said) for there, said in zip(shapes[name], shape, strict=True))
            if fits:
                self.given[name] = tuple(shape)
            return fits and shape[-1] <= 64

        def infer_shapes(self):
            return []

        def get_tensor_shape(self, name):
            return self.given["image"] if name == "edited" else self.given[name]

        def set_tensor_address(self, name, address):
            self.addresses[name] = address
            return address in cuda.memory

        def execute_async_v3(self, stream):
            assert stream == 77

            def work():
                def view(name):
                    count = int(np.prod(self.get_tensor_shape(name)))
                    return np.frombuffer(cuda.memory[self.addresses[name]], np.float32, count)

                view("edited")[:] = view("image") + view("label")[0]

            cuda.enqueue(work)
            return True

    class Engine:
        num_io_tensors = 3

        def get_tensor_name(self, i):
            return list(shapes)[i]

        def get_tensor_mode(self, name):
            return "out" if name == "edited" else "in"

        def get_tensor_shape(self, name):
            return shapes[name]

        def get_tensor_dtype(self, name):
            return "FLOAT"

        def get_tensor_profile_shape(self, name, profile):
            return [(1, 3, 4, 4), (1, 3, 8, 8), (1, 3, 64, 64)]

        def create_execution_context(self):
            return Context()

    class Runtime:
        def __init__(self, logger):
            self.logger = logger

        def deserialize_cuda_engine(self, data):
            if loads:
                return Engine()
            self.logger.log(ILogger.WARNING, "slow")
            self.logger.log(ILogger.ERROR, "magic tag does not match\nmore")
            return None

    return SimpleNamespace(
        __version__=version,
        ILogger=ILogger,
        Runtime=Runtime,
        TensorIOMode=SimpleNamespace(INPUT="in", OUTPUT="out"),
        nptype=lambda kind: np.float32,
    )
