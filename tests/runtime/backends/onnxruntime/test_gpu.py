"""The host's side of ONNX Runtime's GPU providers, on a fake; what a GPU computes is not tested here."""

import threading

import msgspec
import numpy as np
import pytest
from support import tiny_models
from support.fakes.ort import CPU, CUDA, Value

from edgegan.runtime import files
from edgegan.runtime.backends import Port, open_backend
from edgegan.runtime.backends.onnxruntime import binding as ort_binding
from edgegan.runtime.backends.onnxruntime.backend import OnnxRuntime
from edgegan.runtime.backends.onnxruntime.cuda import OPEN_AXES, CudaOptions
from edgegan.runtime.backends.onnxruntime.tensorrt import OnnxRuntimeTensorRT, engine_folder, provider_options
from edgegan.runtime.edit.pool import Lanes
from edgegan.runtime.errors import BackendError, CardError, NoMemoryError
from edgegan.runtime.model.artefact import Artefact
from edgegan.runtime.model.card import SizeRule
from edgegan.runtime.model.verification import Verification

BOTH = (OnnxRuntime, OnnxRuntimeTensorRT)


def open_axes(artefact: Artefact) -> Artefact:
    """`artefact` with a card whose height, width and batch may vary."""
    image, label = artefact.card.inputs
    image = msgspec.structs.replace(image, shape=("batch", 3, "height", "width"))
    label = msgspec.structs.replace(label, shape=("batch", 3))
    rule = SizeRule(kind="multiple_of", hw=(32, 48), multiple=4, min_hw=(16, 16), max_hw=(64, 128))
    card = msgspec.structs.replace(artefact.card, inputs=(image, label), size=rule, batch=(1, 4))
    return Artefact(artefact.path, card)


def inputs(value, size=8):
    image = np.full((1, 3, size, size), value, np.float32)
    return {"image": image, "label": np.array([[0.5, 0.0, 0.0]], np.float32)}


@pytest.mark.parametrize("backend", BOTH)
def test_every_run_gives_its_own_answer_through_the_graph(model, install, backend):
    ort = install()
    with backend(model, device="cuda:1") as network:
        given = inputs(9.0)
        answers = [network.run(inputs(float(i)))["edited"] for i in range(4)]
        answers.append(network.run({**given, "image": np.asfortranarray(given["image"])})["edited"])
        assert [a[0, 0, 0, 0] for a in answers] == [0.5, 1.5, 2.5, 3.5, 9.5]  # earlier answers are not written over
        (session,) = ort.sessions
        assert (session.runs, session.replays) == (5, 4) and session.options["device_id"] == "1"
        assert Value.alive == 3
    assert Value.alive == 0
    network.close()
    with pytest.raises(BackendError, match="closed"):
        network.run(inputs(0.0))


@pytest.mark.parametrize("backend", BOTH)
def test_open_axes_have_no_graph_and_buffers_are_kept_for_the_shapes_that_came_last(model, install, backend):
    ort = install(size=None)
    with backend(open_axes(model), device="cuda") as network:
        assert OPEN_AXES in network.notices and len(ort.sessions) == 1
        for i, size in enumerate((8, 16, 8, 16, 16, 8)):
            edited = network.run(inputs(float(i), size))["edited"]
            assert edited.shape == (1, 3, size, size) and edited[0, 0, 0, 0] == i + 0.5
        assert (Value.made, Value.alive) == (6, 6)  # three for each of two shapes
        for size in (4, 32, 8, 64):  # 16 was not used for longest
            network.run(inputs(1.0, size))
        assert (Value.made, Value.alive) == (15, 12)
        network.run(inputs(1.0, 8))
        assert Value.made == 15
        network.run(inputs(1.0, 16))
        assert Value.made == 18
        with pytest.raises(NoMemoryError, match="no memory left"):
            network.run(inputs(1.0, 128))
        assert Value.alive == 2  # what other shapes kept has gone first
        assert network.run(inputs(2.0, 8))["edited"][0, 0, 0, 0] == 2.5
        assert ort.sessions[-1].captured == {}
    assert Value.alive == 0


@pytest.mark.parametrize("backend", BOTH)
def test_a_graph_is_recorded_once_whichever_threads_call_and_while_nobody_else_works(model, install, backend):
    """ONNX Runtime has one graph for each thread, and records it in CUDA's global mode."""
    ort = install(size=32)
    wrong, name = [], backend.name

    def work(lanes, value):
        for i in range(5):
            try:
                found = lanes.run(inputs(float(value + i), 32))["edited"][0, 0, 0, 0]
                if found != value + i + 0.5:
                    wrong.append(found)
            except BackendError as error:
                wrong.append(error)

    with Lanes(lambda: open_backend(model, name), 3) as lanes, open_backend(model, name) as other:
        threads = [threading.Thread(target=work, args=(lanes, 10 * i)) for i in range(6)]
        threads += [threading.Thread(target=work, args=(other, 100))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        assert [len(session.captured) for session in ort.sessions] == [1, 1, 1, 1]
    assert Value.alive == 0 and not [t for t in threading.enumerate() if t.name.startswith("edgegan-gpu")]


def test_a_network_that_is_more_open_than_its_card_gets_no_graph(model, install):
    ort = install(size=None)
    with OnnxRuntime(model, device="cuda") as network:
        assert [s.options["enable_cuda_graph"] for s in ort.sessions] == ["1", "0"] and network.notices == (OPEN_AXES,)
    with pytest.raises(BackendError, match="a CUDA graph was asked for"):
        OnnxRuntime(open_axes(model), device="cuda", cuda=CudaOptions(graph=True))


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_cuda_runs_in_the_precision_of_the_file_with_channels_first(model, install, precision):
    ort = install()
    card = msgspec.structs.replace(model.card, precision=precision)
    OnnxRuntime(Artefact(model.path, card), device="cuda").close()
    options = ort.sessions[0].options
    assert options["use_tf32"] == "0" and options["cudnn_conv_use_max_workspace"] == "1"
    assert options["prefer_nhwc"] == "0" and options["enable_cuda_graph"] == "1"


def test_without_nhwc_kernels_channels_first_are_used_and_said(model, install):
    ort = install(nhwc=False)
    card = msgspec.structs.replace(model.card, precision="fp16")
    with OnnxRuntime(Artefact(model.path, card), device="cuda", cuda=CudaOptions(nhwc=True)) as network:
        assert ort.sessions[-1].options["prefer_nhwc"] == "0" and "NHWC" in network.notices[0]


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_tensorrt_takes_every_type_from_the_file(model, tmp_path, precision):
    card = msgspec.structs.replace(model.card, precision=precision)
    options = provider_options(card, 0, tmp_path / "v" / "m")
    assert options["trt_fp16_enable"] == options["trt_int8_enable"] == "False"  # said, or a variable decides
    assert options["trt_engine_cache_path"] == str(tmp_path / "v" / "m")
    assert options["trt_timing_cache_path"] == str(tmp_path / "v") and options["trt_cuda_graph_enable"] == "True"
    assert not [name for name in options if "profile" in name]


def test_tensorrt_is_given_the_card_s_range_for_every_open_input(model, tmp_path):
    options = provider_options(open_axes(model).card, 0, tmp_path)
    assert options["trt_profile_min_shapes"] == "image:1x3x16x16,label:1x3"
    assert options["trt_profile_opt_shapes"] == "image:1x3x32x48,label:1x3"
    assert options["trt_profile_max_shapes"] == "image:4x3x64x128,label:4x3"
    assert options["trt_cuda_graph_enable"] == "False"
    unbounded = msgspec.structs.replace(open_axes(model).card, size=SizeRule(hw=(32, 32)))
    with pytest.raises(CardError, match="how large 'height'"):
        provider_options(unbounded, 0, tmp_path)


def test_engines_are_kept_by_the_hash_of_the_weights_for_this_user_alone(model, monkeypatch, tmp_path, request):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = engine_folder(model, "1.31.1")
    assert folder.is_dir() and folder.stat().st_mode & 0o077 == 0
    other = msgspec.structs.replace(model.card, payload_sha256="0" * 64)
    without = msgspec.structs.replace(model.card, payload_sha256=None)
    assert engine_folder(Artefact(model.path, other), "1.31.1") != folder != engine_folder(model, "1.30.0")
    assert engine_folder(Artefact(model.path, without), "1.31.1") == folder
    request.addfinalizer(files._passing_folder.cache_clear)  # else every later command in this process says it
    (tmp_path / "file").touch()  # where no cache can be, engines are kept for this run alone
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    passing = engine_folder(model, "1.31.1")
    assert passing.is_dir() and passing.stat().st_mode & 0o077 == 0 and tmp_path not in passing.parents
    assert "XDG_CACHE_HOME" in files.cache_note()


def test_tf32_that_cannot_be_forbidden_is_said(model, install, monkeypatch):
    install()
    for value, noted in ((None, True), ("0", False)):
        monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", value or "1")
        with OnnxRuntimeTensorRT(model, device="cuda") as network:
            assert any("TF32" in notice for notice in network.notices) == noted


def test_shape_arithmetic_may_stay_on_the_cpu_where_axes_are_open_and_nothing_else(model, install):
    install(size=None, elsewhere=((CPU, "s", "Shape"), (CPU, "c", "Concat")))
    OnnxRuntime(open_axes(model), device="cuda").close()
    install(elsewhere=((CPU, "s", "Shape"), (CPU, "c", "Concat")))
    with pytest.raises(BackendError, match=r"s \(Shape\), c \(Concat\)"):
        OnnxRuntime(model, device="cuda")
    install(size=None, elsewhere=((CPU, "r", "Resize"),))
    with pytest.raises(BackendError, match=r"r \(Resize\)"):
        OnnxRuntime(open_axes(model), device="cuda")
    install(size=None, elsewhere=((CUDA, "s", "Shape"),))
    with pytest.raises(BackendError, match="TensorRT of ONNX Runtime"):
        OnnxRuntimeTensorRT(open_axes(model), device="cuda")


def test_auto_builds_no_engine_unless_the_card_says_that_it_is_right_and_fast(model, install):
    install(size=32)
    with open_backend(model) as chosen:
        assert (chosen.name, chosen.device) == ("onnxruntime", "cuda")
        assert not [pair for pair in chosen.selection.others if "tensorrt" in pair]
    with open_backend(model, "onnxruntime-tensorrt") as asked:
        assert asked.name == "onnxruntime-tensorrt" and "TF32" in asked.selection.notices[0]
    known = {"onnxruntime-tensorrt": Verification(status="passed", latency_ms=1.0)}
    proven = Artefact(model.path, msgspec.structs.replace(model.card, verification=known))
    with open_backend(proven) as chosen:
        assert chosen.name == "onnxruntime-tensorrt"


def test_buffers_bound_on_the_cpu_give_what_a_plain_run_gives(tmp_path):
    import onnxruntime

    for size, open_size in ((32, False), (24, True)):
        path = tmp_path / str(size)
        made = tiny_models.write_whole_frame(path, hw=(size, size), multiple=4 if open_size else 0)
        session = onnxruntime.InferenceSession(str(made), providers=[CPU])
        axes = (None, None) if open_size else (size, size)
        ports = [(Port(name, "float32", (1, 3, *axes)),) for name in ("image", "edited")]
        binding = ort_binding.Binding(onnxruntime, session, ("cpu", 0), *ports)
        rng, answers = np.random.default_rng(1), []
        for side in (size, size, size + 4 if open_size else size, size):
            image = rng.uniform(-1, 1, (1, 3, side, side)).astype(np.float32)
            (plain,) = session.run(["edited"], {"image": image})
            answers.append((binding.run({"image": image})["edited"], plain))
        assert all(np.array_equal(*pair) for pair in answers)  # all at the end: they belong to the caller
        binding.close()
