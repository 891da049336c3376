"""An onnxruntime with GPU providers made of host memory, to test the host's side of its backends.

The "network" gives edited = image + label[0]. What ONNX Runtime would do wrong without a word (run on the CPU, replay
a graph on moved buffers) is an assertion here; what it refuses is refused here. What a GPU computes is not tested.
"""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np

from edgegan.runtime.backends.nvidia import libraries

CPU, CUDA, TENSORRT = "CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"


class Fail(Exception):  # noqa: N818 - ONNX Runtime's name
    """One of ONNX Runtime's own exceptions, which share no base."""


class Recording:
    """A graph that is being recorded in CUDA's global mode: what other threads do meanwhile fails, and spoils it."""

    def __init__(self):
        self.thread, self.spoilt = None, False

    def check(self):
        if self.thread not in (None, threading.get_ident()):
            self.spoilt = True
            raise Fail("CUDA failure 906: operation would make the legacy stream depend on a capturing blocking stream")

    @contextmanager
    def begin(self):
        self.check()
        self.thread, self.spoilt = threading.get_ident(), False
        time.sleep(0.02)  # others have their chance
        yield
        self.thread = None
        if self.spoilt:
            raise Fail("CUDA failure 901: operation failed due to a previous error during capture")


RECORDING = Recording()


class Value:
    """An OrtValue on the GPU: numpy never sees its memory, only copies of it."""

    alive = made = 0

    def __init__(self, shape, dtype, device, number):
        assert device == "cuda", "a GPU session's buffers lie on the GPU"
        RECORDING.check()
        self.memory, self.number = np.zeros(shape, dtype), number
        Value.alive += 1
        Value.made += 1

    def __del__(self):
        Value.alive -= 1

    def update_inplace(self, array):
        RECORDING.check()
        assert array.flags.c_contiguous and array.dtype == self.memory.dtype and array.shape == self.memory.shape
        self.memory[:] = array

    def numpy(self):
        RECORDING.check()
        return self.memory.copy()

    def data_ptr(self):
        return self.memory.ctypes.data

    def shape(self):
        return list(self.memory.shape)


class Binding:
    def __init__(self):
        self.inputs, self.outputs = {}, {}

    def bind_ortvalue_input(self, name, value):
        self.inputs[name] = value

    def bind_ortvalue_output(self, name, value):
        self.outputs[name] = value

    def bind_output(self, name, device, number):
        self.outputs[name] = (device, number)

    def get_outputs(self):
        return list(self.outputs.values())


class SessionOptions:
    def __init__(self):
        self.entries = {}

    def add_session_config_entry(self, key, value):
        self.entries[key] = value


def fake_onnxruntime(
    *,
    size: int | None = 8,
    version: str = "1.31.1",
    providers: tuple[str, ...] = (TENSORRT, CUDA, CPU),
    taken: str | None = None,
    elsewhere: tuple[tuple[str, str, str], ...] = (),
    refuses: str = "",
    nhwc: bool = True,
):
    """A module `onnxruntime`.

    `taken` is the provider that a session ends on, whatever was asked for; `elsewhere` are (provider, node, operator)
    that it cannot run; `refuses` is the text of the exception that every session raises; without `nhwc`, the
    preference is refused. Its sessions are in `.sessions`, the levels of its log in `.levels`.
    """
    axis = size or "height"
    shapes = {"image": [1, 3, axis, axis], "label": [1, 3], "edited": [1, 3, axis, axis]}
    named = tuple(map(int, version.split(".")[:2])) >= (1, 24)
    module = SimpleNamespace(__version__=version, __file__="/nowhere/__init__.py", sessions=[], levels=[])

    class InferenceSession:
        def __init__(self, path, options, providers, enable_fallback=1):
            assert enable_fallback == 0, "it would print its error and begin again on the CPU"
            (self.provider, self.options), *others = providers
            assert not others, "what the provider cannot run would go to another one"
            assert module.levels[-1:] == [4], "its log would go to stderr"
            RECORDING.check()
            self.config, self.runs, self.replays, self.captured = options.entries, 0, 0, {}
            module.sessions.append(self)
            if refuses:
                raise Fail(refuses)
            if self.options.get("prefer_nhwc") == "1" and not nhwc:
                raise Fail("This build does not support NHWC layout")
            if elsewhere and self.config.get("session.disable_cpu_ep_fallback") == "1":
                raise Fail(
                    "[ONNXRuntimeError] : nodes ... fallback to CPU EP has been explicitly disabled by the user."
                )

        def get_providers(self):
            return [taken or self.provider, CPU]

        def get_inputs(self):
            return [SimpleNamespace(name=n, type="tensor(float)", shape=shapes[n]) for n in ("image", "label")]

        def get_outputs(self):
            return [SimpleNamespace(name="edited", type="tensor(float)", shape=shapes["edited"])]

        def io_binding(self):
            return Binding()

        def run_with_iobinding(self, binding):
            RECORDING.check()
            given = {name: value.memory for name, value in binding.inputs.items()}
            if given["image"].shape[-1] > 64:
                raise Fail("CUDA failure 2: out of memory ; GPU=0")
            found, out = given["image"] + given["label"][0, 0], binding.outputs["edited"]
            if isinstance(out, tuple):
                out = binding.outputs["edited"] = Value(found.shape, np.float32, *out)
            places = [id(value) for value in (*binding.inputs.values(), out)]
            graph = (self.options.get("trt_cuda_graph_enable"), self.options.get("enable_cuda_graph"))
            if graph in (("True", None), (None, "1")):
                assert isinstance(size, int), "a graph replays fixed shapes"
                thread = threading.get_ident()  # a graph belongs to the thread that recorded it
                if thread not in self.captured:
                    with RECORDING.begin():
                        self.captured[thread] = places
                else:
                    self.replays += 1
                assert self.captured[thread] == places, "the graph would read and write the old buffers"
            out.memory[:] = found
            self.runs += 1

    if named:

        def assignment(self):
            def part(provider, *nodes):
                found = [SimpleNamespace(name=name, op_type=kind) for name, kind in nodes]
                return SimpleNamespace(ep_name=provider, get_nodes=lambda: found)

            assert self.config["session.record_ep_graph_assignment_info"] == "1"
            return [part(self.provider, ("add", "Add")), *(part(p, (name, kind)) for p, name, kind in elsewhere)]

        InferenceSession.get_provider_graph_assignment_info = assignment

    module.InferenceSession, module.SessionOptions = InferenceSession, SessionOptions
    module.OrtValue = SimpleNamespace(ortvalue_from_shape_and_type=Value)
    module.get_available_providers = lambda: list(providers)
    module.set_default_logger_severity = module.levels.append
    module.disable_telemetry_events = lambda: None
    module.preload_dlls = lambda: print("a library that is not here")  # noqa: T201 - as the real one does
    return module


def on_two_gpus(monkeypatch):
    """A machine with two GPUs and everything that ONNX Runtime wants: put(**options) -> the fake in its place."""
    monkeypatch.setattr(Value, "made", 0)
    monkeypatch.setattr(libraries, "gpu_count", lambda: 2)
    monkeypatch.setattr(libraries, "driver_cuda", lambda: (13, 0))

    def put(**options):
        monkeypatch.setitem(sys.modules, "onnxruntime", fake_onnxruntime(**options))
        return sys.modules["onnxruntime"]

    return put
