"""INT8: the floor asked for is met on the saved file, and a file that one runtime reads wrongly is caught."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import msgspec
import onnx
import pytest

from edgegan.export import Request, export_run, int8, to_onnx
from edgegan.export.verify import verify_artefact
from edgegan.export.worst import first_bad_layer
from edgegan.runtime import BackendError, golden, load, open_backend
from edgegan.runtime.artefact import Artefact, shipped
from edgegan.runtime.errors import CardError, VerifyError
from edgegan.runtime.golden import Golden

RANGE = (-1.0, 1.0)


@pytest.fixture(scope="module")
def model() -> Artefact:
    return load(shipped())


@pytest.fixture(scope="module")
def pairs(model: Artefact) -> Golden:
    found = golden.read(shipped().with_name("golden.npz"), "model")
    assert found is not None
    return found


def test_a_low_floor_leaves_no_layer_in_float(model, pairs):
    found = int8.quantise(model.path, pairs, RANGE, 35.0)
    assert found.layers == () and found.psnr_worst_db >= 35.0
    kinds = [op.get_type_name() for op in found.model.get_ordered_ops()]
    assert kinds.count("FakeQuantize") >= 14  # each of the 14 convolutions has its own


def test_a_high_floor_is_met_with_few_float_layers_and_on_the_saved_file(model, pairs, tmp_path):
    floor = int8.quantise(model.path, pairs, RANGE, 0.0).psnr_worst_db + 2.0
    found = int8.quantise(model.path, pairs, RANGE, floor)
    kept = [layer for layer in found.layers if layer.kept_float]
    assert 0 < len(kept) < len(found.layers) and found.psnr_worst_db >= floor
    assert all(row.name in int8.report(found) for row in found.layers)
    card = msgspec.structs.replace(model.card, precision="int8", companions={})
    artefact = int8.save_ir(found.model, card, tmp_path / "model.int8.xml")
    (seen,) = verify_artefact(artefact, pairs, tolerance={"min_psnr_db": floor}).values()
    assert seen.status == "passed", seen.reason

    weights = tmp_path / "model.int8.bin"
    payload = bytearray(weights.read_bytes())
    payload[-1] ^= 1
    weights.write_bytes(payload)
    with pytest.raises(CardError, match="SHA-256"):
        load(artefact.path)


def test_all_layers_in_float_are_the_model_itself(model, pairs):
    search = int8._Search(model.path, pairs, RANGE)
    assert search.worst_db(search.names) > 100.0 > search.worst_db(())


def test_a_floor_out_of_reach_is_refused(model, pairs):
    with pytest.raises(VerifyError, match="no mix with float32 layers"):
        int8.quantise(model.path, pairs, RANGE, 190.0)


@pytest.fixture(scope="module")
def quantised_onnx(model: Artefact, pairs: Golden, tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    """NNCF's ONNX form, with quantised signed inputs joined by a Concat: OpenVINO computes it wrongly, in silence."""
    import nncf

    folder = tmp_path_factory.mktemp("qdq")
    with int8._quiet_nncf():
        found = nncf.quantize(
            onnx.load(str(model.path)),
            nncf.Dataset([inputs for inputs, _ in pairs.singles()]),
            subset_size=len(pairs),
            ignored_scope=nncf.IgnoredScope(types=["Add", "Mul", "InstanceNormalization"], validate=False),
        )
    shutil.copy(shipped().with_name("golden.npz"), folder)
    shutil.copy(model.path, folder / "model.onnx")
    card = msgspec.structs.replace(
        model.card, precision="int8", companions={}, verification={}, parent_sha256=model.card.payload_sha256
    )
    return to_onnx.save(found, card, folder / "model.int8.onnx")


def test_a_file_that_one_runtime_reads_wrongly_is_caught_at_export_and_at_load(quantised_onnx, pairs):
    tolerance = {"min_psnr_db": 40.0}
    figures = verify_artefact(quantised_onnx, pairs, tolerance=tolerance)
    assert figures["onnxruntime"].status == "passed"
    assert figures["openvino"].status == "failed"
    assert figures["onnxruntime"].psnr_worst_db > figures["openvino"].psnr_worst_db + 10.0

    card = msgspec.structs.replace(quantised_onnx.card, verification=figures)
    known = Artefact(quantised_onnx.path, card)
    with open_backend(known) as chosen:
        assert chosen.name == "onnxruntime"
    with pytest.raises(BackendError, match="failed verification at export"):
        open_backend(known, backend="openvino")
    with pytest.raises(BackendError, match="does not reproduce the model"):
        open_backend(quantised_onnx, backend="openvino")  # never verified: the golden pairs run at its first load


def test_the_first_bad_layer_is_the_concat_and_only_where_it_is_computed_wrongly(quantised_onnx, pairs):
    parent = quantised_onnx.path.with_name("model.onnx")
    wrong = first_bad_layer(quantised_onnx, parent, pairs, "openvino")
    right = first_bad_layer(quantised_onnx, parent, pairs, "onnxruntime")
    assert wrong is not None and wrong.kind == "Concat" and wrong.error > 0.1
    assert right is not None and right.final_error < 0.02  # what INT8 costs where it is computed rightly


def test_the_first_bad_layer_of_a_broken_copy_is_named(model, pairs, tmp_path):
    broken = onnx.load(str(model.path))
    node = [n for n in broken.graph.node if n.op_type == "Conv"][5]
    weights = next(i for i in broken.graph.initializer if i.name == node.input[1])
    weights.CopyFrom(onnx.numpy_helper.from_array(1.5 * onnx.numpy_helper.to_array(weights)[::-1], weights.name))
    artefact = to_onnx.save(broken, model.card, Path(tmp_path) / "model.onnx")
    for backend in ("onnxruntime", "openvino"):
        blame = first_bad_layer(artefact, model.path, pairs, backend)
        assert blame is not None and blame.layer == node.name, backend
    assert first_bad_layer(model, model.path, pairs, "onnxruntime") is None


def test_every_family_is_quantised_on_training_pictures(tiny_run, tmp_path):
    exported = export_run(
        Request(tiny_run.folder, tmp_path / "out", pictures=4, precisions=("int8",), min_psnr_db=20.0)
    )
    files = [row for row in exported.rows if row.precision == "int8"]
    assert files
    for row in files:
        card = load(row.path).card
        assert row.verification.status == "passed" and row.verification.psnr_worst_db >= 20.0
        assert (
            "nncf" in card.built_with
            and card.parent_sha256 == load(row.path.with_name("model.onnx")).card.payload_sha256
        )
        kinds = Counter(op.get_type_name() for op in int8.read_ir(row.path).get_ordered_ops())
        assert kinds["FakeQuantize"] > 0, "nothing was quantised"
