"""The host's side of the TensorRT backend, on fakes; what a GPU computes is not tested here."""

import sys
import threading

import msgspec
import numpy as np
import pytest
from support import tiny_models
from support.fakes.gpu import FakeCuda, fake_tensorrt
from support.models.engine_cards import engine_facts
from support.needed import needed

from edgegan.export.trt import build
from edgegan.runtime.backends import fit, open_backend
from edgegan.runtime.backends.nvidia import cuda
from edgegan.runtime.backends.selection import Selection
from edgegan.runtime.backends.tensorrt import backend as trt
from edgegan.runtime.backends.tensorrt import engine as engines
from edgegan.runtime.errors import BackendError, CardError, MisfitError, MissingExtraError, NoMemoryError
from edgegan.runtime.model.artefact import Artefact, load, payload_sha256

LINUX = "Linux x86_64"


def engine(
    folder, library="tensorrt", version="10.13.0", capabilities=("8.9",), *, plan=b"plan", system=LINUX, **more
) -> Artefact:
    card = load(tiny_models.write_editor(folder, pairs=0, classifier=False)).card
    path = folder / "model.fp16.engine"
    path.write_bytes(plan)
    facts = engine_facts(library, version, *capabilities, system=system, **{"gpu": "Fake GPU", **more})
    card = msgspec.structs.replace(card, built_with=facts, payload_sha256=payload_sha256(path))
    card.write(path)
    return Artefact(path, card)


def install(monkeypatch, fake: FakeCuda, **options):
    monkeypatch.setattr(cuda, "import_runtime", lambda: fake)
    monkeypatch.setattr(trt, "system", lambda: "Linux x86_64")
    module = fake_tensorrt(fake, **options)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def inputs(value, size=8, dtype=np.float32, label=0.5):
    return {"image": np.full((1, 3, size, size), value, dtype), "label": np.array([[label, 0.0]], np.float32)}


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
    monkeypatch.setattr(cuda, "import_runtime", lambda: fake)
    device = cuda.Cuda()

    def stop():
        raise error("within")

    with pytest.raises(error):
        device.capture(stop, cuda.Held())
    assert fake.recording is None and "graph" not in fake.open
    device.wait()  # the stream works as before
    device.close()
    assert not fake.open


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

    monkeypatch.setattr(cuda, "import_runtime", NoDriver)
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


def test_bytes_go_through_as_bytes(tmp_path, monkeypatch):
    install(monkeypatch, FakeCuda(), dtype=np.uint8)
    with trt.TensorRT(engine(tmp_path), device="cuda") as backend:
        assert [p.dtype for p in (*backend.inputs, *backend.outputs)] == ["uint8", "float32", "uint8"]
        for level in (7, 200):
            edited = backend.run(inputs(level, dtype=np.uint8, label=3.0))["edited"]
            assert edited.dtype == np.uint8 and (edited == level + 3).all()
        with pytest.raises(BackendError, match="'image' is float32"):
            backend.run(inputs(1.0))


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
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
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


def test_an_engine_waits_while_a_graph_is_recorded_elsewhere(tmp_path, monkeypatch):
    """ONNX Runtime records in CUDA's global mode: our allocations would spoil it."""
    fake, order = FakeCuda(), []
    install(monkeypatch, fake)
    found = engine(tmp_path)

    def work():
        with trt.TensorRT(found, device="cuda") as backend:
            backend.run(inputs(1.0))
        order.append("ran")

    with trt.GATE.capture():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(0.2)
        order.append("recorded")
        assert fake.chosen == set()
    thread.join()
    assert order == ["recorded", "ran"]
