"""What outlives what: TensorRT's log, work under way, errors of CUDA and the GPU of the calling thread; on fakes."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest
from support.fakes.engines import check_freed, engine, inputs, install
from support.fakes.gpu import FakeCuda
from support.fakes.gpu_array import OnGpu

from edgegan.runtime.backends.nvidia import bindings, libraries
from edgegan.runtime.backends.nvidia.at_work import at_work
from edgegan.runtime.backends.tensorrt import backend as trt
from edgegan.runtime.errors import BackendError, NoMemoryError

LABEL = np.array([[0.5, 0.0]], np.float32)


def test_the_first_log_lives_as_long_as_any_engine(tmp_path, fake):
    """TensorRT goes on writing to the one that it was given first, also for engines that came later."""
    with trt.TensorRT(engine(tmp_path), device="cuda"):
        pass
    gc.collect()
    with trt.TensorRT(engine(tmp_path), device="cuda") as second:
        assert (second.run(inputs(1.0))["edited"] == 1.5).all()
    check_freed(fake)


def test_a_reason_is_that_of_the_call_that_failed(tmp_path, fake):
    """What the log said of another engine's memory does not turn every later failure into a full GPU."""
    fake.module.trouble.fails, fake.module.trouble.says = "context", "CUDA error 2: out of memory"
    with pytest.raises(NoMemoryError):
        trt.TensorRT(engine(tmp_path), device="cuda")
    for step in ("context", "engine"):
        fake.module.trouble.fails, fake.module.trouble.says = step, ""
        with pytest.raises(BackendError, match="no reason given") as refused:
            trt.TensorRT(engine(tmp_path), device="cuda")
        assert not isinstance(refused.value, NoMemoryError)


def test_a_shape_that_makes_room_first_ends_what_the_caller_still_waits_for(tmp_path, monkeypatch):
    """A run in a stream of the caller's is not waited for; its buffers are freed no earlier all the same."""
    fake = FakeCuda()
    fake.module = install(monkeypatch, fake, size=None)
    arrays = {
        size: [OnGpu(fake, np.full((1, 3, size, size), value, np.float32)) for value in (1.0, 0.0)]
        for size in (4, 8, 16, 32, 64)
    }
    with trt.TensorRT(engine(tmp_path), device="cuda") as backend:

        def run(size):
            given, out = arrays[size]
            backend.run_on_device({"image": given, "label": LABEL}, {"edited": out}, stream=5)

        for size in (4, 8, 16, 32):
            run(size)
        for size in (4, 8, 16, 32):
            arrays[size][1].write(np.zeros((1, 3, size, size), np.float32))
            run(size)
        assert not arrays[4][1].read().any(), "it was waited for"
        run(64)
        fake.cudaStreamSynchronize(5)
        for _, out in arrays.values():
            assert (out.read() == 1.5).all()
    for pair in arrays.values():
        for array in pair:
            array.free()
    check_freed(fake)


def test_an_error_that_was_told_is_not_left_for_others_to_find(tmp_path, monkeypatch):
    """PyTorch asks CUDA for the last error after each of its launches, and would take ours for its own."""
    fake = FakeCuda(room=4000)
    install(monkeypatch, fake, size=None)
    with trt.TensorRT(engine(tmp_path), device="cuda") as backend:
        with pytest.raises(NoMemoryError):
            backend.run(inputs(1.0, 64))
        assert fake.last == 0


@pytest.mark.parametrize("used", [True, False])
def test_the_calling_thread_keeps_its_gpu(tmp_path, monkeypatch, used):
    """Unless nobody has used that one: choosing it would make a context there."""
    fake = FakeCuda(devices=2, capabilities=((8, 9), (8, 9)))
    install(monkeypatch, fake)
    monkeypatch.setattr(libraries, "has_context", lambda number: used or number == 1)
    monkeypatch.setattr(trt, "other_gpu", lambda card, gpu: "")
    me, seen = threading.get_ident(), []
    fake.current[me] = 0

    def note():
        seen.append(fake.current[me])
        fake.current[me] = 0

    backend = trt.TensorRT(engine(tmp_path), device="cuda:1")
    backend.selection = object()
    note()
    backend.run(inputs(1.0))
    note()
    backend.submit(inputs(1.0)).result()
    note()
    backend.another().close()
    note()
    backend.close()
    note()
    assert seen == [0 if used else 1] * len(seen)
    assert fake.chosen == {0, 1} if used else {1}


def test_a_machine_without_a_driver_has_no_gpu_to_keep(monkeypatch):
    """cuda-python 12.6 raises where later ones return an error."""

    class Old(FakeCuda):
        def cudaGetDevice(self):  # noqa: N802 - CUDA's name
            raise RuntimeError("Failed to dlopen libcuda.so")

    for runtime in (Old(), FakeCuda(refuses=35)):
        monkeypatch.setattr(bindings, "import_runtime", lambda runtime=runtime: runtime)
        with at_work():
            runtime.cudaSetDevice(1)
        assert runtime.chosen == {1}
