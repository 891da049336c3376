"""The host's side of the TensorRT backend, on fakes; what a GPU computes is not tested here."""

import threading

import numpy as np
import pytest
from support.fakes.engines import engine, inputs, install
from support.fakes.gpu import FakeCuda

from edgegan.runtime.backends.nvidia import bindings, cuda
from edgegan.runtime.backends.nvidia.capture_gate import GATE
from edgegan.runtime.backends.selection import Selection
from edgegan.runtime.backends.tensorrt import backend as trt
from edgegan.runtime.backends.tensorrt import engine as engines
from edgegan.runtime.errors import BackendError, MisfitError, NoMemoryError


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """What TensorRT for RTX compiles for a GPU that is none must not lie in the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.parametrize("capturable", [True, False])
def test_every_run_gives_its_own_answer_through_the_graph_and_without(tmp_path, monkeypatch, capturable):
    fake = FakeCuda(capturable=capturable)
    module = install(monkeypatch, fake)
    with trt.TensorRT(engine(tmp_path), device="cuda") as backend:
        answers = [backend.run(inputs(float(i)))["edited"] for i in range(4)]
        assert [a[0, 0, 0, 0] for a in answers] == [0.5, 1.5, 2.5, 3.5]  # earlier answers are not written over
        assert fake.launches == (3 if capturable else 0)
    assert not fake.memory and not fake.open
    assert module.alive == [] and module.wrong == []
    backend.close()
    with pytest.raises(BackendError, match="closed"):
        backend.run(inputs(0.0))


def test_a_capture_that_fails_is_said_and_logged_once(tmp_path, monkeypatch, caplog):
    fake = FakeCuda(capturable=False)
    install(monkeypatch, fake)
    with trt.TensorRT(engine(tmp_path), device="cuda") as backend:
        backend.selection = Selection(backend="tensorrt", device="cuda", why="asked for")  # as `open_backend` does
        assert [backend.run(inputs(float(i)))["edited"][0, 0, 0, 0] for i in range(3)] == [0.5, 1.5, 2.5]
        (notice,) = backend.notices
        assert "cannot record this network as a graph (fake error 900)" in notice
        assert backend.selection.notices == (notice,)
    assert [record.getMessage() for record in caplog.records] == [notice]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_capture_ends_whatever_is_raised_within(monkeypatch, error):
    fake = FakeCuda()
    monkeypatch.setattr(bindings, "import_runtime", lambda: fake)
    device = cuda.Cuda()

    def stop():
        raise error("within")

    with pytest.raises(error):
        device.capture(stop, cuda.Held())
    assert fake.recording is None and "graph" not in fake.open
    device.wait()  # the stream works as before
    device.close()
    assert not fake.open


def test_bytes_go_through_as_bytes(tmp_path, monkeypatch):
    install(monkeypatch, FakeCuda(), dtype=np.uint8)
    with trt.TensorRT(engine(tmp_path), device="cuda") as backend:
        assert [p.dtype for p in (*backend.inputs, *backend.outputs)] == ["uint8", "float32", "uint8"]
        for level in (7, 200):
            edited = backend.run(inputs(level, dtype=np.uint8, label=3.0))["edited"]
            assert edited.dtype == np.uint8 and (edited == level + 3).all()
        with pytest.raises(BackendError, match="'image' is float32"):
            backend.run(inputs(1.0))


def test_a_run_from_another_thread_uses_the_same_gpu(tmp_path, monkeypatch):
    fake = FakeCuda(devices=2)
    install(monkeypatch, fake, size=None)
    found = []

    def work(backend):
        found.append(backend.run(inputs(1.0, 16))["edited"][0, 0, 0, 0])
        fake.current.pop(threading.get_ident())  # thread numbers come again
        backend.run(inputs(1.0, 16))
        found.append(fake.current[threading.get_ident()])
        fake.current.clear()
        backend.close()

    backend = trt.TensorRT(engine(tmp_path, capabilities=("7.5",)), device="cuda:1")
    backend.run(inputs(1.0))
    thread = threading.Thread(target=work, args=(backend,))
    thread.start()
    thread.join()
    assert found == [1.5, 1] and not fake.memory and not fake.open


@pytest.mark.parametrize("name", ["tensorrt", "tensorrt_rtx"])
@pytest.mark.parametrize(
    ("fails", "says", "kind", "words"),
    [
        ("runtime", "CUDA initialization failure", BackendError, "cannot start: CUDA initialization failure\n.*driver"),
        ("engine", "magic tag does not match", MisfitError, "magic tag does not match\n.*--rebuild auto"),
        ("engine", "Error Code 2: OutOfMemory", NoMemoryError, "no memory left for model.fp16.engine"),
        ("context", "Cuda Runtime (out of memory)", NoMemoryError, "no memory left for model.fp16.engine"),
        ("context", "Internal Error", BackendError, "cannot run .*: Internal Error"),
    ],
)
def test_a_start_that_fails_says_why_and_frees_all_in_order(tmp_path, monkeypatch, name, fails, says, kind, words):
    fake = FakeCuda()
    module = install(monkeypatch, fake, name=name, fails=fails, says=says)
    with pytest.raises(BackendError, match=words) as refused:
        trt.TensorRT(engine(tmp_path, name), device="cuda")
    assert type(refused.value) is kind
    assert not fake.open and module.alive == [] and module.wrong == []


@pytest.mark.parametrize("kernels", [None, RuntimeError, b"compiled"])
def test_what_was_compiled_is_kept_for_the_next_start_and_a_failure_costs_nothing_else(tmp_path, monkeypatch, kernels):
    """The cache of TensorRT for RTX: written at the end, read at the next start, by GPU."""
    found = engine(tmp_path, "tensorrt_rtx", "1.7.1", ("8.9", "7.5"))
    for device in ("cuda", "cuda", "cuda:1"):
        fake = FakeCuda(devices=2)
        module = install(monkeypatch, fake, name="tensorrt_rtx", version="1.7.1", kernels=kernels)
        with trt.TensorRT(found, device=device) as backend:
            assert [backend.run(inputs(float(i)))["edited"][0, 0, 0, 0] for i in range(3)] == [0.5, 1.5, 2.5]
        assert fake.launches == 0  # it captures by itself
        assert not fake.memory and not fake.open and module.alive == [] and module.wrong == []
        if device == "cuda":
            first, read = list((tmp_path / "cache").rglob("*.rtxcache")), module.read
    caches = list((tmp_path / "cache").rglob("*.rtxcache"))
    if kernels == b"compiled":
        assert read == [kernels] and module.read == []  # the other GPU has kernels of its own
        assert len(first) == 1 and len(caches) == 2 and {path.read_bytes() for path in caches} == {kernels}
    else:
        assert caches == []


def test_ctrl_c_while_the_cache_is_written_still_frees_the_gpu(tmp_path, monkeypatch):
    fake = FakeCuda()
    module = install(monkeypatch, fake, name="tensorrt_rtx")

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(engines, "write_atomic", interrupt)
    backend = trt.TensorRT(engine(tmp_path, "tensorrt_rtx"), device="cuda")
    with pytest.raises(KeyboardInterrupt):
        backend.close()
    assert not fake.memory and not fake.open and module.alive == [] and module.wrong == []


def test_an_engine_waits_while_a_graph_is_recorded_elsewhere(tmp_path, monkeypatch):
    """ONNX Runtime records in CUDA's global mode: our allocations would spoil it."""
    fake, order = FakeCuda(), []
    install(monkeypatch, fake)
    found = engine(tmp_path)

    def work():
        with trt.TensorRT(found, device="cuda") as backend:
            backend.run(inputs(1.0))
        order.append("ran")

    with GATE.capture():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(0.2)
        order.append("recorded")
        assert fake.chosen == set()
    thread.join()
    assert order == ["recorded", "ran"]
