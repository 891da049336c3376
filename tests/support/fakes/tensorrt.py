"""TensorRT on the fake CUDA: engines that add a label to a picture."""


# ruff: noqa: N815 - the names are CUDA's

from __future__ import annotations

import ctypes
import weakref
from types import SimpleNamespace

import numpy as np

from support.fakes.gpu import FakeCuda


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
    `module.trouble` has `fails` and `says`, which may be changed.
    """
    axis = size or -1
    shapes = {"image": (1, 3, axis, axis), "label": (1, 2), "edited": (1, 3, axis, axis)}
    alive: list[str] = []
    wrong: list[str] = []
    read: list[bytes] = []
    first: list[weakref.ref] = []  # the log that TensorRT keeps for itself
    trouble = SimpleNamespace(fails=fails, says=says)

    class Counted:
        """TensorRT crashes if what made an object goes before the object."""

        kind = ""

        def __init__(self):
            alive.append(self.kind)
            self.check_log()

        def check_log(self):
            if first and first[0]() is None:
                wrong.append(f"{self.kind}: TensorRT wrote to a log that is no more")

        def __del__(self):
            if self.kind not in alive:
                return  # it never began
            self.check_log()
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
            if trouble.fails == "context":
                self.logger.log(ILogger.ERROR, trouble.says)
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
            if trouble.fails == "runtime":
                logger.log(ILogger.ERROR, trouble.says)
                raise TypeError("pybind11::init(): factory function returned nullptr")
            first.extend([weakref.ref(logger)] if not first else [])
            super().__init__()
            self.logger = logger

        def deserialize_cuda_engine(self, data):
            assert self.engine_host_code_allowed == (data == b"code")
            if trouble.fails != "engine":
                return Engine(self.logger)
            self.logger.log(ILogger.WARNING, "slow")
            self.logger.log(ILogger.ERROR, trouble.says and f"{trouble.says}\nmore")
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
        trouble=trouble,
    )
