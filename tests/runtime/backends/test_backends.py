import msgspec
import numpy as np
import pytest
from support import tiny_models

from edgegan.runtime import backends
from edgegan.runtime.backends import BACKENDS, Port, check_ports, open_backend
from edgegan.runtime.errors import BackendError, CardError, EdgeganError, InputError
from edgegan.runtime.model import artefact
from edgegan.runtime.model.artefact import Artefact, load
from edgegan.runtime.model.card import TensorSpec
from edgegan.runtime.model.verification import Verification

CPU = ("onnxruntime", "openvino")
RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    tiny_models.write_editor(folder)
    return folder


@pytest.fixture
def model(folder):
    return load(folder)


def with_figures(model: Artefact, **status: str | tuple[str, float]) -> Artefact:
    """`model` with a card that says what is known about each backend: a status, or a latency of one that passed."""
    results = {}
    for name, known in status.items():
        passed = isinstance(known, float)
        results[name] = Verification(
            status="passed" if passed else known,
            reason="12 dB",
            psnr_worst_db=60.0,
            latency_ms=known if passed else None,
        )
    return Artefact(model.path, msgspec.structs.replace(model.card, verification=results))


def inputs():
    image = RNG.uniform(-1, 1, (1, 3, 32, 32)).astype(np.float32)
    return {"image": image, "label": np.array([[1, 0, 1]], np.float32)}


@pytest.mark.parametrize("name", CPU)
def test_a_backend_computes_what_the_model_says(model, name):
    given = inputs()
    kept = {n: a.copy() for n, a in given.items()}
    with open_backend(model, name, threads=1) as backend:
        assert (backend.name, backend.device) == (name, "cpu")
        first = backend.run(given)["edited"]
        expected = np.clip(given["image"] + (given["label"] @ tiny_models.COLOURS)[:, :, None, None], -1, 1)
        assert np.abs(first - expected).max() < 1e-5
        before = first.copy()
        backend.run({**given, "image": -given["image"]})
        assert np.array_equal(first, before), "the array returned belongs to the caller"
        assert all(np.array_equal(given[n], kept[n]) for n in given)
        strided = np.asfortranarray(given["image"])
        assert np.array_equal(backend.run({**given, "image": strided})["edited"], first)
    backend.close()
    with pytest.raises(BackendError, match="closed"):
        backend.run(given)


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"image": np.zeros((1, 3, 32, 31), np.float32)}, "31"),
        ({"image": np.zeros((1, 3, 32, 32), np.float64)}, "float64"),
        ({"mask": np.zeros(1, np.float32)}, "mask"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_in_words(model, name, change, words):
    with open_backend(model, name) as backend, pytest.raises(BackendError, match=words):
        backend.run({**inputs(), **change})


def test_an_openvino_model_runs_as_its_onnx_does(model, tmp_path):
    openvino = pytest.importorskip("openvino")
    xml = tmp_path / "model.xml"
    openvino.save_model(openvino.Core().read_model(str(model.path)), xml, compress_to_fp16=False)
    msgspec.structs.replace(model.card, payload_sha256=artefact.payload_sha256(xml)).write(xml)
    given = inputs()
    with open_backend(load(xml)) as ir, open_backend(model, "onnxruntime") as onnx:
        assert ir.name == "openvino" and ir.selection.notices  # no golden pairs lie beside this copy
        assert np.abs(ir.run(given)["edited"] - onnx.run(given)["edited"]).max() < 1e-5


def test_every_backend_of_the_table_keeps_the_contract_s_names():
    for name in BACKENDS:
        kind = backends.backend_class(name)
        assert kind.name == name and kind.suffixes and kind.devices
    assert {s for name in BACKENDS for s in backends.backend_class(name).suffixes} == set(artefact.SUFFIXES)


@pytest.mark.parametrize(
    ("known", "chosen"),
    [
        ({"onnxruntime": "passed", "openvino": "passed"}, "onnxruntime"),
        ({"onnxruntime": 9.0, "openvino": 4.0}, "openvino"),
        ({"onnxruntime": 4.0, "openvino": 9.0}, "onnxruntime"),
        ({"onnxruntime": "failed", "openvino": "passed"}, "openvino"),
        ({"onnxruntime": "not_run", "openvino": 4.0}, "openvino"),
        ({}, "onnxruntime"),
    ],
)
def test_auto_takes_the_fastest_that_is_proven(model, known, chosen):
    with open_backend(with_figures(model, **known)) as backend:
        selection = backend.selection
        assert (backend.name, selection.backend, selection.device) == (chosen, chosen, "cpu")
        other = next(n for n in CPU if n != chosen)
        reason = selection.others[f"{other} on cpu"]
        assert ("12 dB" in reason) == (known.get(other) == "failed")
        assert len(selection.lines()) == 1 + len(selection.others)


def test_int8_goes_to_openvino_first(model):
    int8 = Artefact(model.path, msgspec.structs.replace(model.card, precision="int8"))
    with open_backend(int8) as backend:
        assert backend.name == "openvino"


def test_without_golden_pairs_a_proven_backend_wins_and_an_unproven_one_is_noted(tmp_path):
    bare = load(tiny_models.write_editor(tmp_path, pairs=0, classifier=False))
    with open_backend(with_figures(bare, openvino="passed")) as backend:
        assert backend.name == "openvino" and not backend.selection.notices
    with open_backend(bare) as backend:
        assert backend.name == "onnxruntime" and "never verified" in backend.selection.notices[0]


def test_a_backend_that_failed_verification_is_refused_even_if_asked_for(model):
    with pytest.raises(BackendError, match="failed verification.*12 dB"):
        open_backend(with_figures(model, openvino="failed"), "openvino")


def test_a_miss_on_the_golden_pairs_refuses_and_names_the_figure(tmp_path):
    path = tiny_models.write_editor(tmp_path, classifier=False)
    with np.load(tmp_path / "golden.npz") as file:
        stored = dict(file)
    stored["model.out.edited"] = stored["model.out.edited"] + 0.1
    np.savez(tmp_path / "golden.npz", **stored)
    with pytest.raises(BackendError, match="26.0 dB"):
        open_backend(load(path), "onnxruntime")
    with pytest.raises(BackendError, match="nothing here can run"):
        open_backend(load(path))


def test_a_device_that_is_not_there_is_an_error_unless_fallback_is_allowed(model):
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    with pytest.raises(BackendError, match="without CUDA"):
        open_backend(model, device="cuda")
    with pytest.raises(BackendError, match="'tpu'"):
        open_backend(model, device="tpu")
    with pytest.raises(BackendError, match="no device 'npu'"):
        open_backend(model, device="npu")
    with open_backend(model, device="cuda", allow_fallback=True) as backend:
        assert backend.device == "cpu" and "cuda was asked for" in backend.selection.notices[-1]


def test_an_unknown_or_unfit_backend_is_named(model):
    with pytest.raises(BackendError, match="'onnx'.*\n.*openvino"):
        open_backend(model, "onnx")
    with pytest.raises(BackendError, match=r"tensorrt cannot load model\.onnx"):
        open_backend(model, "tensorrt")


@pytest.mark.parametrize("name", CPU)
def test_a_network_that_is_not_its_card_s_is_refused(tmp_path, name):
    path = tiny_models.write_editor(tmp_path, classifier=False)
    image, label = load(path).card.inputs
    for wrong, words in [
        ((msgspec.structs.replace(image, shape=(1, 3, 64, 64)), label), "32, 32.*\n.*64, 64"),
        ((msgspec.structs.replace(image, dtype="float16"), label), "float32.*\n.*float16"),
        ((image,), "image, label.*\n.*image"),
        ((image, msgspec.structs.replace(label, name="latent")), "latent"),
    ]:
        tiny_models.rewrite_card(path, inputs=wrong)
        with pytest.raises(CardError, match=words):
            open_backend(load(path), name)


def test_an_axis_that_the_network_leaves_open_may_be_fixed_on_the_card(model):
    def ports(*shape):
        return (Port("image", "float32", shape), Port("label", "float32", (None, 3)))

    outputs = (Port("edited", "float32", (1, 3, 32, 32)),)
    check_ports(model.card, ports(None, 3, None, None), outputs)
    with pytest.raises(CardError, match="any"):
        check_ports(model.card, ports(None, 4, None, None), outputs)
    spec: TensorSpec = msgspec.structs.replace(model.card.inputs[0], shape=(1, 3, "4*h", "4*w"))
    loose = msgspec.structs.replace(model.card, inputs=(spec, model.card.inputs[1]))
    with pytest.raises(CardError, match="any"):  # the card promises more than the network can
        check_ports(loose, ports(1, 3, 32, 32), outputs)


@pytest.mark.parametrize("name", CPU)
def test_a_graph_that_the_library_cannot_read_is_one_plain_error(tmp_path, name):
    path = tiny_models.write_editor(tmp_path, classifier=False, pairs=0)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"MatMul", b"MatMal"))
    tiny_models.rewrite_card(path, payload_sha256=artefact.payload_sha256(path))
    with pytest.raises(InputError) as caught:
        open_backend(load(path), name)
    assert str(path) in str(caught.value) and len(str(caught.value).splitlines()) <= 3
    with pytest.raises(EdgeganError) as both:
        open_backend(load(path))
    assert len(str(both.value).splitlines()) <= 3
