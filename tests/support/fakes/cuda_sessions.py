"""ONNX Runtime's CPU provider in the place of its CUDA provider, on a GPU made of host memory.

What sessions compute is true; where memory lies, who waits for whom and what is copied is the fake's to check. Nothing
is said by it of what a GPU computes, nor how fast.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from edgegan.runtime.backends.nvidia import bindings, libraries
from edgegan.runtime.backends.onnxruntime import backend, binding
from support.fakes.gpu import FakeCuda
from support.fakes.gpu_array import OnGpu


class SharedCuda(FakeCuda):
    """It also copies from and to the sessions' own memory, which it does not know; in its own it stays exact."""

    def holds(self, address: int, size: int) -> bool:
        own = any(a <= address < a + ctypes.sizeof(block) for a, block in self.memory.items())
        return super().holds(address, size) if own else True


def play_cuda(monkeypatch: Any) -> SharedCuda:
    """Sessions "on CUDA" run on the CPU from now on."""
    device = SharedCuda(devices=2)
    monkeypatch.setattr(bindings, "import_runtime", lambda: device)
    monkeypatch.setattr(libraries, "gpu_count", lambda: 2)
    monkeypatch.setattr(libraries, "driver_cuda", lambda: (13, 0))

    def open_cuda(ort: Any, artefact: Any, number: int, options: Any) -> tuple[Any, tuple[str, ...]]:
        return backend.cpu_session(str(artefact.path), spinning=False, threads=1), ()

    def bind(ort: Any, session: Any, place: tuple[str, int], inputs: Any, outputs: Any) -> binding.Binding:
        assert place[0] == "cuda"
        return binding.Binding(ort, session, ("cpu", 0), inputs, outputs)

    monkeypatch.setattr(backend, "open_cuda", open_cuda)
    monkeypatch.setattr(backend, "Binding", bind)
    return device


def picture_on_gpu(fake: FakeCuda, picture: np.ndarray, *, gap: int = 0, **options: Any) -> OnGpu:
    """A picture, (H, W, 3), with `gap` bytes between its rows."""
    height, width, channels = picture.shape
    row = width * channels
    array = OnGpu(fake, picture.reshape(height, row), pitch=row + gap, **options)
    array.__cuda_array_interface__ |= {"shape": picture.shape, "strides": (row + gap, channels, 1)}
    return array


def picture_of(array: OnGpu) -> np.ndarray:
    """The picture, on the host."""
    return array.read().reshape(array.__cuda_array_interface__["shape"])
