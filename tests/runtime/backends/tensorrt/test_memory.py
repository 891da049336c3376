"""Buffers and graphs of several shapes on a GPU whose memory is limited."""

import pytest
from support.fakes.engines import engine, inputs, install
from support.fakes.gpu import FakeCuda

from edgegan.runtime.backends.tensorrt import backend as trt
from edgegan.runtime.errors import BackendError


def test_the_shapes_that_came_last_keep_buffers_and_graph(tmp_path, monkeypatch):
    """One face, two faces, one face again: no allocation and no capture after each shape has come once."""
    fake = FakeCuda()
    module = install(monkeypatch, fake, size=None)
    with trt.TensorRT(engine(tmp_path), device="cuda:0") as backend:
        sizes = (8, 16, 32, 8, 16, 32, 8, 8)
        for i, size in enumerate(sizes):
            edited = backend.run(inputs(float(i), size))["edited"]
            assert edited.shape == (1, 3, size, size) and edited[0, 0, 0, 0] == i + 0.5
        assert fake.captures == 3 and fake.launches == len(sizes) - 3
        assert fake.allocations == 3 * 7  # two for each tensor, and scratch for each shape
        assert module.alive.count("context") == 3
    assert not fake.memory and not fake.open and module.alive == [] and module.wrong == []


def test_the_shape_that_was_not_used_for_longest_goes_first(tmp_path, monkeypatch):
    fake = FakeCuda()
    module = install(monkeypatch, fake, size=None)
    with trt.TensorRT(engine(tmp_path), device="cuda") as backend:
        for size in (4, 8, 16, 32, 4, 64):  # 64 takes the place of 8
            backend.run(inputs(1.0, size))
        assert module.alive.count("context") == 4 and len(fake.memory) == 4 * 7 and fake.open.count("graph") == 4
        before = fake.captures
        backend.run(inputs(1.0, 4))
        assert fake.captures == before
        backend.run(inputs(1.0, 8))
        assert fake.captures == before + 1
    assert not fake.memory and not fake.open and module.wrong == []


def test_where_memory_runs_out_what_other_shapes_keep_goes_first(tmp_path, monkeypatch):
    fake = FakeCuda(room=230_000)
    install(monkeypatch, fake, size=None)
    with trt.TensorRT(engine(tmp_path), device="cuda") as backend:
        for size in (8, 32, 64, 8, 64):  # 64 takes 213 kB, 32 takes 57 kB
            assert backend.run(inputs(1.0, size))["edited"][0, 0, 0, 0] == 1.5
        assert len(fake.memory) == 2 * 7
    assert not fake.memory and not fake.open


@pytest.mark.parametrize("size", [3, 65, 128])
def test_a_shape_outside_the_profile_is_refused_with_the_range(tmp_path, monkeypatch, size):
    install(monkeypatch, FakeCuda(), size=None)
    with trt.TensorRT(engine(tmp_path), device="cuda") as backend:
        with pytest.raises(BackendError, match=r"float32 \(1, 3, 4 to 64, 4 to 64\)"):
            backend.run(inputs(1.0, size))
        assert backend.run(inputs(2.0, 8))["edited"][0, 0, 0, 0] == 2.5


@pytest.mark.parametrize("room", [0, 1000, 4000])
def test_a_full_gpu_is_said_in_words_and_nothing_leaks(tmp_path, monkeypatch, room):
    fake = FakeCuda(room=room)
    install(monkeypatch, fake, size=None)
    with trt.TensorRT(engine(tmp_path), device="cuda") as backend:
        with pytest.raises(BackendError, match="no memory left.*\n.*smaller size"):
            backend.run(inputs(1.0, 64))
        fake.room = 1 << 40
        assert backend.run(inputs(1.0, 64))["edited"][0, 0, 0, 0] == 1.5
    assert not fake.memory and not fake.open


def test_a_busy_gpu_is_said_in_words(tmp_path, monkeypatch):
    install(monkeypatch, FakeCuda(busy=True))
    with pytest.raises(BackendError, match="GPU is busy"):
        trt.TensorRT(engine(tmp_path), device="cuda")
