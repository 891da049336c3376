"""Arrays that lie on the GPU, through ONNX Runtime's CUDA provider; on fakes."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from support import tiny_models
from support.fakes.gpu import FakeCuda
from support.fakes.gpu_array import OnGpu
from support.fakes.ort import Value, on_two_gpus

from edgegan.runtime import DeviceEditor
from edgegan.runtime.backends.nvidia import bindings
from edgegan.runtime.backends.onnxruntime.backend import OnnxRuntime
from edgegan.runtime.errors import BackendError, InputError
from edgegan.runtime.model.artefact import Artefact, load

from .test_gpu import open_axes

SIZE = 32
LABEL = np.array([[0.5, 0.0, 0.0]], np.float32)


class Shared(FakeCuda):
    """Its copies also reach the memory of the fake onnxruntime's values."""

    def holds(self, address, size):
        return Value.alive > 0 or super().holds(address, size)


@pytest.fixture
def fake(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    device = Shared(devices=2)
    monkeypatch.setattr(bindings, "import_runtime", lambda: device)
    device.put = on_two_gpus(monkeypatch)
    device.put(size=SIZE)
    return device


@pytest.fixture
def model(tmp_path) -> Artefact:
    return load(tiny_models.write_editor(tmp_path, pairs=0, classifier=False))


def pictures(fake, value, size=SIZE, **options):
    given = OnGpu(fake, np.full((1, 3, size, size), value, np.float32), **options)
    return given, OnGpu(fake, np.zeros((1, 3, size, size), np.float32), **options)


@pytest.mark.parametrize("opened", [False, True])
def test_they_are_taken_and_filled_where_they_lie(model, fake, opened):
    """With a graph, which replays the session's own buffers, and with open axes, whose outputs it allocates."""
    fake.put(size=None if opened else SIZE)
    with OnnxRuntime(open_axes(model) if opened else model, device="cuda") as network:
        for value in (1.0, 2.0, 3.0):
            given, out = pictures(fake, value, pitch=512)
            network.run_on_device({"image": given, "label": LABEL}, {"edited": out}, stream=5)
            assert (out.read() == value + 0.5).all()
        host = network.run({"image": np.full((1, 3, SIZE, SIZE), 7.0, np.float32), "label": LABEL})
        assert (host["edited"] == 7.5).all() and set(fake.copies) == {"within"}
    assert "event" not in fake.open and "stream" not in fake.open and Value.alive == 0


def test_the_owners_are_asked_in_the_callers_own_thread(model, fake):
    """PyTorch's current stream is one of the thread; the session's runs happen in another."""
    asked = []

    class Owner:
        def __init__(self, array):
            self.array = array

        @property
        def __cuda_array_interface__(self):
            asked.append(threading.get_ident())
            return self.array.__cuda_array_interface__

    with OnnxRuntime(model, device="cuda") as network:
        given, out = map(Owner, pictures(fake, 1.0))
        network.run_on_device({"image": given, "label": LABEL}, {"edited": out})
        assert set(asked) == {threading.get_ident()} and (out.array.read() == 1.5).all()


def test_a_network_on_the_cpu_takes_none(model):
    network = OnnxRuntime(model, device="cpu")
    with pytest.raises(BackendError, match="ONNX Runtime runs on cpu\narrays on a GPU"):
        network.run_on_device({}, {})
    network.close()
    with pytest.raises(BackendError, match="closed"):
        network.run_on_device({}, {})


def test_the_editor_of_gpu_pictures_writes_into_what_it_is_given(model, fake):
    names = tiny_models.NAMES
    with DeviceEditor.open(model, backend="onnxruntime") as editor:
        assert editor.selection.device == "cuda"
        given, out = pictures(fake, 1.0)
        for array in (given, out):  # one picture, without a batch axis
            found = array.__cuda_array_interface__
            found |= {"shape": found["shape"][1:], "strides": found["strides"][1:]}
        editor.translate(given, {names[0]: 0.25}, out=out)
        assert (out.read() == 1.25).all()
        editor.translate(given, {names[1]: 1.0}, label={names[0]: 0.0, names[1]: 0.0, names[2]: 1.0}, out=given)
        assert (given.read() == 1.0).all()
        for changes, words in (({}, "no change was asked for"), ({"Nose": 1.0}, "Nose")):
            with pytest.raises(InputError, match=words):
                editor.translate(given, changes, out=out)
    with pytest.raises(InputError, match=r"this deviceeditor is closed\n?.*DeviceEditor\.open"):
        editor.translate(given, {names[0]: 1.0}, out=out)


def test_the_editor_of_gpu_pictures_needs_a_gpu(model):
    with pytest.raises(BackendError, match="onnxruntime on cpu takes no arrays on a GPU"):
        DeviceEditor.open(model, backend="onnxruntime", device="cpu")
