"""Arrays that lie on the GPU, and a GPU that has the host's memory; on fakes."""

from __future__ import annotations

import numpy as np
import pytest
from support.fakes.engines import check_freed, engine, inputs, install
from support.fakes.gpu import FakeCuda
from support.fakes.gpu_array import OnGpu

from edgegan.runtime.backends.tensorrt import backend as trt
from edgegan.runtime.errors import BackendError


def pictures(fake, value, size=8, **options):
    given = OnGpu(fake, np.full((1, 3, size, size), value, np.float32), **options)
    out = OnGpu(fake, np.zeros((1, 3, size, size), np.float32), **options)
    return given, out


LABEL = np.array([[0.5, 0.0]], np.float32)


@pytest.mark.parametrize("capturable", [True, False])
@pytest.mark.parametrize("pitch", [0, 512])
def test_arrays_on_the_gpu_are_taken_and_filled_where_they_lie(tmp_path, monkeypatch, capturable, pitch):
    fake = FakeCuda(capturable=capturable)
    fake.module = install(monkeypatch, fake)
    with trt.TensorRT(engine(tmp_path), device="cuda") as backend:
        for value in (1.0, 2.0, 3.0, 4.0):
            given, out = pictures(fake, value, pitch=pitch)
            fake.copies.clear()
            backend.run_on_device({"image": given, "label": LABEL}, {"edited": out})
            assert (out.read() == value + 0.5).all() and (given.read() == value).all()
            assert "out" not in fake.copies and fake.copies.count("in") == 1, "only the label comes from the host"
            given.free()
            out.free()
        assert (fake.launches > 0) == capturable
    check_freed(fake)


def test_in_place_and_by_the_callers_stream(tmp_path, fake):
    """With a stream nothing is waited for on the host: what the caller queues there afterwards finds the result."""
    with trt.TensorRT(engine(tmp_path), device="cuda") as backend:
        given, out = pictures(fake, 1.0)
        backend.run_on_device({"image": given, "label": LABEL}, {"edited": out})  # the first is waited for
        frame, _ = pictures(fake, 3.0)
        seen = []

        def add(amount):
            backend.run_on_device({"image": frame, "label": amount * LABEL}, {"edited": frame}, stream=5)
            fake.streams[5].append(lambda: seen.append(float(frame.read().flat[0])))

        add(2.0)
        assert not seen and (frame.read() == 0.0).all(), "not even its owner's work was waited for"
        add(4.0)
        add(6.0)
        while fake.streams[5]:
            fake._do(fake.streams[5].pop(0))
        assert seen == [4.0, 6.0, 9.0]


def test_what_does_not_fit_is_refused_before_anything_is_queued(tmp_path, monkeypatch):
    fake = FakeCuda(devices=2)
    fake.module = install(monkeypatch, fake)
    with trt.TensorRT(engine(tmp_path), device="cuda") as backend:
        given, out = pictures(fake, 1.0)
        small, _ = pictures(fake, 1.0, size=4)
        turned = OnGpu(fake, np.zeros((1, 3, 8, 8), np.float32))
        turned.__cuda_array_interface__["strides"] = (768, 4, 96, 12)
        locked = OnGpu(fake, np.zeros((1, 3, 8, 8), np.float32), read_only=True)
        host = np.zeros((1, 3, 8, 8), np.float32)
        good = {"image": given, "label": LABEL}
        for arrays, outs, words in (
            ({"image": small, "label": LABEL}, {"edited": out}, r"'image' is float32 \(1, 3, 4, 4\)"),
            ({"image": given}, {"edited": out}, "inputs given: image"),
            ({"image": turned, "label": LABEL}, {"edited": out}, "has strides of"),
            ({"image": [1.0], "label": LABEL}, {"edited": out}, "does not lie on a GPU"),
            (good, {"edited": small}, r"'edited' is float32 \(1, 3, 4, 4\)"),
            (good, {"edited": locked}, "is read-only"),
            (good, {"edited": host}, "lies in host memory"),
        ):
            with pytest.raises(BackendError, match=words):
                backend.run_on_device(arrays, outs)
        monkeypatch.setattr(fake, "cudaPointerGetAttributes", lambda a: (0, type("A", (), {"device": 1})))
        with pytest.raises(BackendError, match="'image' lies on GPU 1"):
            backend.run_on_device(good, {"edited": out})


def test_a_picture_may_come_without_its_batch_axis(tmp_path, fake):
    with trt.TensorRT(engine(tmp_path), device="cuda") as backend:
        given, out = pictures(fake, 1.0, pitch=256)
        for array in (given, out):
            found = array.__cuda_array_interface__
            found |= {"shape": found["shape"][1:], "strides": found["strides"][1:]}
        backend.run_on_device({"image": given, "label": LABEL}, {"edited": out})
        assert (out.read() == 1.5).all()


def test_where_the_gpu_has_the_hosts_memory_nothing_is_copied(tmp_path, monkeypatch):
    """A Jetson: the network reads and writes pinned memory itself."""
    fake = FakeCuda(integrated=True)
    fake.module = install(monkeypatch, fake)
    with trt.TensorRT(engine(tmp_path), device="cuda") as backend:
        for value in range(4):
            assert (backend.run(inputs(float(value)))["edited"] == value + 0.5).all()
        tickets = [backend.submit(inputs(float(value))) for value in range(5)]
        assert [float(t.result()["edited"].flat[0]) for t in tickets] == [0.5, 1.5, 2.5, 3.5, 4.5]
        assert not fake.copies
        given, out = pictures(fake, 1.0)
        seen = []
        for amount in (1.0, 2.0, 4.0):
            backend.run_on_device({"image": given, "label": amount * LABEL}, {"edited": out}, stream=5)
            fake.streams[5].append(lambda: seen.append(float(out.read().flat[0])))
        assert set(fake.copies) == {"within"}
        fake.cudaStreamSynchronize(5)
        assert seen == [1.5, 2.0, 3.0]
        given.free()
        out.free()
    check_freed(fake)
