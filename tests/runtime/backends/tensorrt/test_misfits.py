"""Engines that cannot run here: another version, GPU, system or library, and what is said."""

import sys

import pytest
from support import tiny_models
from support.fakes.engines import engine, install
from support.fakes.gpu import FakeCuda
from support.needed import needed

from edgegan.export.trt import build
from edgegan.runtime.backends import fit, open_backend
from edgegan.runtime.backends.nvidia import bindings, cuda
from edgegan.runtime.backends.tensorrt import backend as trt
from edgegan.runtime.errors import BackendError, CardError, MisfitError, MissingExtraError
from edgegan.runtime.model.artefact import load


def test_another_gpu_of_the_same_kind_is_told_apart(tmp_path, monkeypatch):
    install(monkeypatch, FakeCuda(capabilities=((8, 9), (8, 9))))
    with trt.TensorRT(engine(tmp_path, gpu="NVIDIA L4"), device="cuda") as backend:
        assert "built on NVIDIA L4; this is Fake GPU" in backend.notices[0]
    with trt.TensorRT(engine(tmp_path), device="cuda") as backend:
        assert backend.notices == ()


def test_cuda_python_that_raises_without_a_driver_is_no_gpu(monkeypatch):
    """cuda-python 12.6 looks for the driver at the first call."""

    class NoDriver(FakeCuda):
        def cudaGetDeviceCount(self):  # noqa: N802 - CUDA's name
            raise RuntimeError("Failed to dlopen libcuda.so")

    monkeypatch.setattr(bindings, "import_runtime", NoDriver)
    with pytest.raises(BackendError, match=r"no NVIDIA GPU can be used here \(Failed to dlopen libcuda\.so\)"):
        cuda.Cuda()


def test_a_library_without_its_dlls_is_one_plain_error(tmp_path, monkeypatch):
    """Windows: the modules look for their DLLs themselves, and raise FileNotFoundError."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "tensorrt.py").write_text("raise FileNotFoundError('Could not find: nvinfer_10.dll')")
    (broken / "cuda.py").write_text("raise FileNotFoundError('Could not find: nvcudart.dll')")
    monkeypatch.syspath_prepend(str(broken))
    for name in [name for name in sys.modules if name.split(".")[0] in ("tensorrt", "cuda")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(BackendError, match=r"tensorrt is installed and cannot be loaded: .*nvinfer_10\.dll"):
        fit.library(engine(tmp_path).card)
    with pytest.raises(BackendError, match=r"tensorrt is installed and cannot be loaded: .*nvinfer_10\.dll"):
        build.library("tensorrt")
    with pytest.raises(BackendError, match=r"cuda-python cannot be loaded: .*nvcudart\.dll"):
        cuda.Cuda()


def test_only_a_plan_that_brings_code_may_run_code(tmp_path, monkeypatch):
    install(monkeypatch, FakeCuda())
    trt.TensorRT(engine(tmp_path), device="cuda").close()
    trt.TensorRT(engine(tmp_path, plan=b"code", version_compatible=True), device="cuda").close()


def test_versions_are_compared_and_both_are_named(tmp_path, monkeypatch):
    install(monkeypatch, FakeCuda(), version="11.1.0")
    with pytest.raises(MisfitError, match=r"10\.13\.0.*11\.1\.0"):
        trt.TensorRT(engine(tmp_path), device="cuda")
    fit.check_version(engine(tmp_path).card, "10.13.0.35")
    with pytest.raises(MisfitError, match="pip install 'tensorrt==10.13.0'"):
        fit.check_version(engine(tmp_path).card, "10.13.1.35")
    with pytest.raises(CardError, match="which TensorRT"):
        fit.check_version(load(tiny_models.write_editor(tmp_path / "other")).card, "10.13.0")


@pytest.mark.parametrize(("here", "runs"), [("10.13.1", True), ("11.5", True), ("10.3.0", False), ("12.0", False)])
def test_a_version_compatible_engine_runs_on_newer_versions_alone(tmp_path, here, runs):
    card = engine(tmp_path, version_compatible=True).card
    if runs:
        fit.check_version(card, here)
    else:
        with pytest.raises(MisfitError, match="was built with"):
            fit.check_version(card, here)


def test_gpus_are_compared_and_both_are_named(tmp_path):
    card = engine(tmp_path).card
    fit.check_gpu(card, "8.9", "RTX 4090", "Linux x86_64")
    with pytest.raises(MisfitError, match=r"8\.9 \(Fake GPU\); this GPU is 12\.0 \(RTX 5090\)"):
        fit.check_gpu(card, "12.0", "RTX 5090", "Linux x86_64")
    fit.check_gpu(engine(tmp_path, capabilities=("7.5", "8.6", "12.0")).card, "12.0", "RTX 5090", "Linux x86_64")
    ampere = engine(tmp_path, capabilities=("8.0",), hardware_compatibility="ampere_plus").card
    fit.check_gpu(ampere, "9.0", "H100", "Linux x86_64")
    fit.check_gpu(ampere, "12.0", "RTX 5090", "Linux x86_64")
    with pytest.raises(MisfitError, match=r"this GPU is 7\.5"):
        fit.check_gpu(ampere, "7.5", "T4", "Linux x86_64")


@pytest.mark.parametrize(
    ("there", "here", "runs"),
    [
        ("Linux x86_64", "Linux x86_64", True),
        ("Windows AMD64", "Windows x86_64", True),
        ("Linux", "Linux aarch64", True),  # cards of the first versions
        ("Linux x86_64", "Windows x86_64", False),
        ("Linux x86_64", "Linux aarch64", False),
    ],
)
def test_systems_are_compared_with_their_processors(tmp_path, there, here, runs):
    card = engine(tmp_path, system=there).card
    portable = engine(tmp_path / "rtx", "tensorrt_rtx", "1.7", system=there).card
    fit.check_gpu(portable, "8.9", "RTX 4090", here)
    if runs:
        fit.check_gpu(card, "8.9", "RTX 4090", here)
    else:
        with pytest.raises(MisfitError, match=f"built on {there}; this is {here}"):
            fit.check_gpu(card, "8.9", "RTX 4090", here)


def test_an_engine_of_the_other_library_is_a_misfit_where_only_one_is_here(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    monkeypatch.setattr(fit.importlib.util, "find_spec", lambda name: name == "tensorrt_rtx")
    with pytest.raises(MisfitError, match=r"built with tensorrt; here is tensorrt_rtx"):
        trt.TensorRT(engine(tmp_path), device="cuda")


def test_a_gpu_that_is_not_there_is_an_error(tmp_path, monkeypatch):
    install(monkeypatch, FakeCuda(devices=0), version="11.0")
    with pytest.raises(BackendError, match="no NVIDIA GPU"):  # before versions: nothing could be built again here
        trt.TensorRT(engine(tmp_path), device="cuda")
    install(monkeypatch, FakeCuda(devices=2))
    with pytest.raises(BackendError, match="number 2.*\n.*0 to 1"):
        trt.TensorRT(engine(tmp_path), device="cuda:2")


def test_a_missing_library_names_its_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    monkeypatch.setattr(fit.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"edgegan\[gpu\]"):
        open_backend(engine(tmp_path))


def test_a_real_engine_without_a_gpu_is_one_plain_error(tmp_path):
    rtx = needed("tensorrt_rtx", "rtx")
    runtime = pytest.importorskip("cuda.bindings.runtime")
    if runtime.cudaGetDeviceCount()[0] == runtime.cudaError_t.cudaSuccess:
        pytest.skip("there is a GPU here")
    found = engine(tmp_path, "tensorrt_rtx", rtx.__version__)
    with pytest.raises(BackendError) as caught:
        open_backend(found)
    assert "no NVIDIA GPU" in caught.value.seen and len(str(caught.value).splitlines()) <= 3
