"""A miss is explained: the file is wrong, or what runs it; and from which layer on."""

from __future__ import annotations

import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from support import tiny_models

from edgegan.export.graph import trace
from edgegan.export.verify.check import require
from edgegan.export.verify.diagnosis import diagnosis, lineage
from edgegan.export.verify.layerwise import first_bad_layer
from edgegan.runtime import load
from edgegan.runtime.errors import VerifyError
from edgegan.runtime.model import golden
from edgegan.runtime.model.artefact import Artefact, payload_sha256
from edgegan.runtime.model.verification import Verification

TOLERANCE = {"min_psnr_db": 60.0}


@pytest.fixture
def model(tmp_path) -> Artefact:
    return load(tiny_models.write_editor(tmp_path, classifier=False))


def child(parent: Artefact, name: str, *, broken: bool) -> Artefact:
    """A copy of an ONNX artefact that says on its card where it comes from; `broken` is its convolution."""
    copied = onnx.load(str(parent.path))
    copied.doc_string = "another file than its parent"
    if broken:
        weights = next(i for i in copied.graph.initializer if i.name == "identity")
        weights.CopyFrom(numpy_helper.from_array(0.8 * numpy_helper.to_array(weights), "identity"))
    card = msgspec.structs.replace(parent.card, parent_sha256=payload_sha256(parent.path))
    return trace.save(copied, card, parent.path.with_name(name))


def engine_of(parent: Artefact) -> Artefact:
    path = parent.path.with_suffix(".engine")
    path.write_bytes(b"a plan")
    sha = payload_sha256(path)
    card = msgspec.structs.replace(parent.card, payload_sha256=sha, parent_sha256=payload_sha256(parent.path))
    card.write(path)
    return Artefact(path, card)


def test_an_engine_of_a_right_file_is_wrong_itself(model):
    half = child(model, "model.fp16.onnx", broken=False)
    engine = engine_of(half)
    assert lineage(engine).source == half.path and lineage(engine).origin == model.path
    silent, verdict = diagnosis(engine, golden.beside(model), "tensorrt", TOLERANCE)
    assert silent == "tensorrt does not show the values of single layers"
    assert verdict.startswith("model.fp16.onnx has ") and verdict.endswith("is wrong, not that file")
    assert "the engine, or the TensorRT that runs it" in verdict


def test_an_engine_of_a_wrong_file_is_traced_to_the_file_s_layer(model):
    engine = engine_of(child(model, "model.fp16.onnx", broken=True))
    _, verdict, layer = diagnosis(engine, golden.beside(model), "tensorrt", TOLERANCE)
    assert verdict.endswith("as well: the file itself is wrong")
    assert layer.startswith("onnxruntime, layer by layer against model.onnx: ")
    assert "from the layer same (Conv) on: 20" in layer


def test_a_runtime_that_computes_a_right_file_wrongly_is_named(model):
    for backend in ("openvino", "onnxruntime:cuda", "openvino:gpu"):
        lines = diagnosis(model, golden.beside(model), backend, TOLERANCE)
        assert ("no layer differs" in lines[0]) == (backend == "openvino")
        assert lines[-1].endswith(f"dB in ONNX Runtime on the CPU: {backend} is wrong, not that file"), lines


def test_the_file_that_an_engine_was_built_from_may_be_gone(model):
    half = child(model, "model.fp16.onnx", broken=False)
    engine = engine_of(half)
    half.path.unlink()
    lines = diagnosis(engine, golden.beside(model), "tensorrt", TOLERANCE)
    assert "no ONNX file with its operators lies beside it" in lines[-1]


def test_a_miss_at_export_says_so(model):
    engine = engine_of(child(model, "model.fp16.onnx", broken=False))
    miss = Verification(status="failed", reason="worst picture 12.0 dB", pictures=4, tolerance=TOLERANCE)
    with pytest.raises(VerifyError, match="does not reproduce the model on tensorrt: worst picture") as caught:
        require(engine, {"tensorrt": miss}, golden.beside(model), "tensorrt")
    assert "the engine, or the TensorRT that runs it, is wrong, not that file" in caught.value.expected
    assert len(str(caught.value).splitlines()) <= 3


def test_an_openvino_model_is_compared_with_the_onnx_file_of_the_same_weights(model):
    openvino = pytest.importorskip("openvino")
    xml = model.path.with_suffix(".xml")
    openvino.save_model(openvino.Core().read_model(str(model.path)), xml, compress_to_fp16=False)
    card = msgspec.structs.replace(model.card, payload_sha256=payload_sha256(xml))
    card.write(xml)
    assert lineage(Artefact(xml, card)).origin == model.path
    other = msgspec.structs.replace(card, training={"images": 3})
    assert lineage(Artefact(xml, other)).origin is None
    assert "layers can be compared" in diagnosis(Artefact(xml, other), golden.beside(model), "openvino", TOLERANCE)[0]


def test_the_last_layer_that_is_compared_may_be_right_where_the_answer_is_wrong(tmp_path):
    """The last node of the graph feeds nothing, and differs in nothing."""

    def write(name: str, scale: float):
        nodes = [
            helper.make_node("Neg", ["x"], ["a"], name="first"),
            helper.make_node("Mul", ["a", "s"], ["b"], name="guilty"),
            helper.make_node("Neg", ["b"], ["y"], name="answer"),
            helper.make_node("Abs", ["x"], ["unused"], name="aside"),
        ]
        ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 3, 8, 8]) for n in ("x", "y")]
        scales = [numpy_helper.from_array(np.array(scale, np.float32), "s")]
        graph = helper.make_graph(nodes, "g", ports[:1], ports[1:], scales)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        onnx.save(model, tmp_path / name)
        return tmp_path / name

    right, wrong = write("right.onnx", 1.0), write("wrong.onnx", 0.5)
    pairs = golden.Golden({"x": np.ones((1, 3, 8, 8), np.float32)}, {"y": np.ones((1, 3, 8, 8), np.float32)})
    card = load(tiny_models.write_whole_frame(tmp_path / "other", hw=(8, 8))).card
    card = msgspec.structs.replace(card, inputs=(msgspec.structs.replace(card.inputs[0], name="x"),))
    for backend in ("onnxruntime", "openvino"):
        blame = first_bad_layer(Artefact(wrong, card), right, pairs, backend)
        assert blame is not None and (blame.layer, blame.error, blame.final_error) == ("guilty", 0.5, 0.5), backend
