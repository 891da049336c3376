"""ONNX Runtime on a GPU that is not there, too old or lacking libraries: what is said."""

from pathlib import Path

import pytest
from support.fakes.ort import CPU, CUDA, TENSORRT, Value

from edgegan.runtime.backends.nvidia import libraries
from edgegan.runtime.backends.onnxruntime import gpu
from edgegan.runtime.backends.onnxruntime.backend import OnnxRuntime
from edgegan.runtime.backends.onnxruntime.tensorrt import OnnxRuntimeTensorRT
from edgegan.runtime.errors import BackendError

BOTH = (OnnxRuntime, OnnxRuntimeTensorRT)


@pytest.mark.parametrize("version", ["1.31.1", "1.19.2"])
@pytest.mark.parametrize("backend", BOTH)
def test_a_node_that_would_run_elsewhere_is_an_error(model, install, backend, version):
    install(version=version, elsewhere=((CPU, "node_odd", "Odd"),))
    with pytest.raises(BackendError) as caught:
        backend(model, device="cuda")
    assert ("node_odd (Odd)" in caught.value.seen) == (version == "1.31.1")
    assert "wholly on the GPU" in caught.value.expected and Value.alive == 0


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"providers": (CPU,)}, "built without"),
        ({"taken": CPU}, "took CPUExecutionProvider instead"),
        ({"refuses": "CUDA failure 2: out of memory"}, "no memory left"),
        ({"refuses": "[ONNXRuntimeError] : 1 : FAIL : something else\nand more"}, "something else"),
    ],
)
@pytest.mark.parametrize("backend", BOTH)
def test_what_goes_wrong_is_one_plain_error(model, install, backend, fault, words, capfd):
    ort = install(**fault)
    with pytest.raises(BackendError) as caught:
        backend(model, device="cuda")
    assert words in caught.value.seen and "and more" not in caught.value.seen
    assert len(str(caught.value).splitlines()) <= 3
    assert ort.levels in ([], [4, 2]) and capfd.readouterr() == ("", "")


def test_what_the_provider_wants_is_compared_with_what_is_here(model, install, monkeypatch):
    install()
    wanted = ("libcuda.so.1", "libcudart.so.13", "libcudnn.so.9", "libnvinfer.so.10")
    monkeypatch.setattr(gpu, "libraries_of", lambda ort, provider: wanted)
    for absent, words, todo in (
        (wanted[:1], "libcuda.so.1", "NVIDIA driver"),
        (wanted[2:3], "libcudnn.so.9", r"onnxruntime-gpu\[cuda,cudnn\]"),
        (wanted[3:], "libnvinfer.so.10", "tensorrt==10"),
    ):
        monkeypatch.setattr(libraries, "missing", lambda names, absent=absent: absent)
        with pytest.raises(BackendError, match=rf"{words}\nit wants CUDA 13, cuDNN 9, TensorRT 10\n.*{todo}"):
            OnnxRuntimeTensorRT(model, device="cuda")
    monkeypatch.setattr(libraries, "missing", lambda names: ())
    monkeypatch.setattr(libraries, "driver_cuda", lambda: (12, 4))
    with pytest.raises(BackendError, match=r"serves CUDA 12\.4.*built for CUDA 13"):
        OnnxRuntime(model, device="cuda")


@pytest.mark.parametrize("backend", BOTH)
def test_a_gpu_that_is_not_there_is_an_error(model, install, monkeypatch, backend):
    install()
    with pytest.raises(BackendError, match="number 2 here\nnumbers 0 to 1"):
        backend(model, device="cuda:2")
    with pytest.raises(BackendError, match="'cuda:x' is not a device"):
        backend(model, device="cuda:x")
    monkeypatch.setattr(libraries, "gpu_count", lambda: 0)
    with pytest.raises(BackendError, match="no NVIDIA GPU"):
        backend(model, device="cuda")


def test_the_libraries_behind_a_file_are_those_that_its_loader_wants():
    import onnxruntime

    (binary,) = Path(onnxruntime.__file__).parent.joinpath("capi").glob("onnxruntime_pybind11_state*.so")
    names = libraries.read_needed(binary)
    assert "libc.so.6" in names and not libraries.missing(names)
    assert libraries.read_needed(Path(__file__)) == ()
    assert libraries.missing(["libc.so.6", "libnothing.so.7"]) == ("libnothing.so.7",)


def test_the_real_onnxruntime_refuses_a_gpu_that_is_not_here(model):
    import onnxruntime

    if libraries.gpu_count():
        pytest.skip("there is a GPU here")
    for provider, backend in ((CUDA, OnnxRuntime), (TENSORRT, OnnxRuntimeTensorRT)):
        with pytest.raises(BackendError) as caught:
            backend(model, device="cuda")
        built = provider in onnxruntime.get_available_providers()
        assert ("cannot be loaded" in caught.value.seen) == built
