"""Every call of the CUDA runtime that we make, with the words that we give it, put to the true cuda-python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.fakes.cuda_objects import Event, Replay
from support.fakes.engines import engine, inputs, install
from support.fakes.gpu import FakeCuda
from support.fakes.gpu_array import OnGpu

from edgegan.runtime.backends.nvidia import libraries
from edgegan.runtime.backends.tensorrt.backend import TensorRT

LABEL = np.array([[0.5, 0.0]], np.float32)


class Recorder(FakeCuda):
    """Keeps the words of every call; enumerations are the true ones."""

    def __init__(self, real: Any, **options: Any) -> None:
        super().__init__(**options)
        self.cudaMemcpyKind, self.cudaStreamCaptureMode = real.cudaMemcpyKind, real.cudaStreamCaptureMode
        self.cudaDeviceAttr, self.fakes = real.cudaDeviceAttr, FakeCuda.cudaDeviceAttr
        self.calls: dict[str, tuple[Any, ...]] = {}
        for name in [n for n in dir(FakeCuda) if n.startswith("cuda") and callable(getattr(FakeCuda, n))]:
            setattr(self, name, self.listen(name, getattr(self, name)))

    def listen(self, name: str, call: Any) -> Any:
        def listening(*words: Any) -> Any:
            self.calls[name] = words
            if name == "cudaDeviceGetAttribute":
                words = (getattr(self.fakes, words[0].name), words[1])
            return call(*words)

        return listening


@pytest.mark.parametrize("integrated", [False, True])
def test_cuda_python_takes_the_words_of_every_call(
    integrated: bool, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a driver each gives an error code; for words of another number or kind it would raise."""
    real = pytest.importorskip("cuda.bindings.runtime")
    if libraries.driver_cuda() is not None:
        pytest.skip("a driver would try to do it")
    fake = Recorder(real, integrated=integrated)
    install(monkeypatch, fake)
    with TensorRT(engine(tmp_path), device="cuda") as backend:
        for value in (1.0, 2.0):
            backend.run(inputs(value))
            backend.submit(inputs(value)).result()
            arrays = [OnGpu(fake, np.zeros((1, 3, 8, 8), np.float32), pitch=512) for _ in range(2)]
            backend.run_on_device({"image": arrays[0], "label": LABEL}, {"edited": arrays[1]}, stream=5)
        fake.cudaStreamSynchronize(5)
    kinds = {
        "cudaEventRecord",
        "cudaStreamWaitEvent",
        "cudaMemcpy2DAsync",
        "cudaPointerGetAttributes",
        "cudaGraphLaunch",
    }
    assert kinds <= fake.calls.keys() and ("cudaHostAlloc" in fake.calls) == integrated
    for name, words in fake.calls.items():
        given = [0 if isinstance(word, (Event, Replay, list)) else word for word in words]
        found = getattr(real, name)(*given)
        assert isinstance(found, tuple), name
