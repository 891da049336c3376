"""The host's side of the TensorRT backend, on fakes; what a GPU computes is not tested here."""

import sys

import msgspec
import numpy as np
import pytest
import tiny_models
from fake_gpu import FakeCuda, fake_tensorrt

from edgegan.runtime.artefact import Artefact, load, payload_sha256
from edgegan.runtime.backends import cuda, open_backend, trt
from edgegan.runtime.errors import BackendError, CardError, MissingExtraError

BUILT = {"tensorrt": "10.13.0", "compute_capability": "8.9", "gpu": "Fake GPU", "os": "Linux x86_64"}


def engine(folder, **built) -> Artefact:
    card = load(tiny_models.write_editor(folder, pairs=0, classifier=False)).card
    path = folder / "model.fp16.engine"
    path.write_bytes(b"plan")
    facts = {k: v for k, v in {**BUILT, **built}.items() if v}
    card = msgspec.structs.replace(card, built_with=facts, payload_sha256=payload_sha256(path))
    card.write(path)
    return Artefact(path, card)


def install(monkeypatch, fake: FakeCuda, **options):
    monkeypatch.setattr(cuda, "_import", lambda: fake)
    monkeypatch.setattr(trt.platform, "system", lambda: "Linux")
    monkeypatch.setitem(sys.modules, "tensorrt", fake_tensorrt(fake, **options))


def inputs(value, size=8):
    image = np.full((1, 3, size, size), value, np.float32)
    return {"image": image, "label": np.array([[0.5, 0.0]], np.float32)}


@pytest.mark.parametrize("capturable", [True, False])
def test_every_run_gives_its_own_answer_through_the_graph_and_without(tmp_path, monkeypatch, capturable):
    fake = FakeCuda(capturable=capturable)
    install(monkeypatch, fake)
    with trt.TensorRT(engine(tmp_path), device="cuda") as backend:
        answers = [backend.run(inputs(float(i)))["edited"] for i in range(4)]
        assert [a[0, 0, 0, 0] for a in answers] == [0.5, 1.5, 2.5, 3.5]  # earlier answers are not written over
        assert fake.launches == (3 if capturable else 0)
    assert not fake.memory and not fake.open
    backend.close()
    with pytest.raises(BackendError, match="closed"):
        backend.run(inputs(0.0))


def test_another_shape_frees_the_old_buffers_and_captures_again(tmp_path, monkeypatch):
    fake = FakeCuda()
    install(monkeypatch, fake, size=None)
    with trt.TensorRT(engine(tmp_path), device="cuda:0") as backend:
        for size in (8, 16, 16, 8):
            assert backend.run(inputs(1.0, size))["edited"].shape == (1, 3, size, size)
            assert len(fake.memory) == 6 and len(fake.open) == 2
        with pytest.raises(BackendError, match=r"\(1, 3, 4, 4\) to \(1, 3, 64, 64\)"):
            backend.run(inputs(1.0, 128))
        assert backend.run(inputs(2.0, 8))["edited"][0, 0, 0, 0] == 2.5
    assert not fake.memory and not fake.open


def test_an_engine_that_does_not_load_says_why_and_frees_the_gpu(tmp_path, monkeypatch):
    fake = FakeCuda()
    install(monkeypatch, fake, loads=False)
    with pytest.raises(BackendError, match="magic tag does not match\n"):
        trt.TensorRT(engine(tmp_path), device="cuda")
    assert not fake.open


def test_versions_are_compared_and_both_are_named(tmp_path, monkeypatch):
    install(monkeypatch, FakeCuda(), version="11.1.0")
    with pytest.raises(BackendError, match=r"10\.13\.0.*11\.1\.0"):
        trt.TensorRT(engine(tmp_path), device="cuda")
    card = engine(tmp_path, version_compatible="true").card
    trt.check_version(card, "10.3.0")
    trt.check_version(engine(tmp_path).card, "10.13.0.35")
    with pytest.raises(BackendError, match="pip install 'tensorrt==10.13.0'"):
        trt.check_version(engine(tmp_path).card, "10.13.1.35")
    with pytest.raises(CardError, match="which TensorRT"):
        trt.check_version(engine(tmp_path, tensorrt="").card, "10.13.0")


def test_gpus_are_compared_and_both_are_named(tmp_path):
    card = engine(tmp_path).card
    trt.check_gpu(card, "8.9", "RTX 4090", "Linux")
    with pytest.raises(BackendError, match=r"8\.9 \(Fake GPU\); this GPU is 12\.0 \(RTX 5090\)"):
        trt.check_gpu(card, "12.0", "RTX 5090", "Linux")
    trt.check_gpu(engine(tmp_path, compute_capability="7.5 8.6 12.0").card, "12.0", "RTX 5090", "Linux")
    ampere = engine(tmp_path, compute_capability="8.0", hardware_compatibility="AMPERE_PLUS").card
    trt.check_gpu(ampere, "9.0", "H100", "Linux")
    with pytest.raises(BackendError, match=r"this GPU is 7\.5"):
        trt.check_gpu(ampere, "7.5", "T4", "Linux")
    with pytest.raises(BackendError, match="built on Linux; this is Windows"):
        trt.check_gpu(card, "8.9", "RTX 4090", "Windows")


def test_a_gpu_that_is_not_there_is_an_error(tmp_path, monkeypatch):
    install(monkeypatch, FakeCuda(devices=0))
    with pytest.raises(BackendError, match="no NVIDIA GPU"):
        trt.TensorRT(engine(tmp_path), device="cuda")
    install(monkeypatch, FakeCuda(devices=2))
    with pytest.raises(BackendError, match="number 2.*\n.*0 to 1"):
        trt.TensorRT(engine(tmp_path), device="cuda:2")


def test_a_missing_library_names_its_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(MissingExtraError, match=r"edgegan\[gpu\]"):
        open_backend(engine(tmp_path))


def test_a_real_engine_without_a_gpu_is_one_plain_error(tmp_path):
    rtx = pytest.importorskip("tensorrt_rtx")
    runtime = pytest.importorskip("cuda.bindings.runtime")
    if runtime.cudaGetDeviceCount()[0] == runtime.cudaError_t.cudaSuccess:
        pytest.skip("there is a GPU here")
    found = engine(tmp_path, tensorrt="", tensorrt_rtx=rtx.__version__)
    with pytest.raises(BackendError) as caught:
        open_backend(found)
    assert "no NVIDIA GPU" in caught.value.seen and len(str(caught.value).splitlines()) <= 3
