import json

import numpy as np
import pytest
from support import tiny_models

from edgegan.runtime.backends import open_backend
from edgegan.runtime.errors import CardError, InputError
from edgegan.runtime.model import artefact, fidelity, golden, onnxfile
from edgegan.runtime.model.card import METADATA_KEY, ModelCard, sidecar
from edgegan.runtime.model.onnxfile import SEAL_KEY


@pytest.fixture
def model(tmp_path):
    return tiny_models.write_editor(tmp_path / "export")


def test_a_file_an_export_folder_and_a_run_folder_are_the_same_artefact(model):
    found = [artefact.load(p) for p in (model, str(model), model.parent, model.parent.parent)]
    assert all(f.path == model and f.card == found[0].card for f in found)
    assert found[0].companion("classifier").card.task == "classify"
    assert found[0].companion("other") is None and found[0].golden == model.parent / "golden.npz"


def test_without_a_sidecar_the_card_inside_the_onnx_file_counts(model):
    beside = ModelCard.from_json(sidecar(model).read_bytes())
    sidecar(model).unlink()
    inside = artefact.load(model).card
    data = model.read_bytes()
    place = data.index(tiny_models.COLOURS.tobytes())
    model.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    with pytest.raises(CardError, match="SHA-256"):
        artefact.load(model)
    assert inside.payload_sha256 is None and inside.inputs == beside.inputs and inside.name == beside.name


def test_a_lone_file_claims_no_figures_even_if_an_old_export_put_them_inside(model):
    import onnx

    passed = {"status": "passed", "pictures": 512, "psnr_worst_db": 99.0, "tolerance": {"min_psnr_db": 80.0}}
    file = onnx.load(model)
    inside = json.loads({p.key: p.value for p in file.metadata_props}[METADATA_KEY])
    old = {k: v for k, v in inside.items() if k not in ("tolerances", "int8_arithmetic")}
    old |= {"schema": 1, "built_with": {"os": "Linux x86_64"}, "verification": {"openvino": passed}}
    onnx.helper.set_model_props(file, {METADATA_KEY: json.dumps(old)})
    model.write_bytes(onnxfile.seal_model(file.SerializeToString()))
    sidecar(model).unlink()
    found = artefact.load(model)
    assert not found.card.verification and found.card.tolerances == {"openvino": {"min_psnr_db": 80.0}}
    with open_backend(found) as opened:
        assert "golden pairs just now" in opened.selection.why
    found.golden.unlink()
    with open_backend(artefact.load(model)) as opened:
        assert "was never verified" in opened.selection.notices[0]


def test_the_metadata_reader_agrees_with_onnx(model):
    import onnx

    expected = {p.key: p.value for p in onnx.load(model).metadata_props}
    assert onnxfile.read(model).metadata == expected and {METADATA_KEY, SEAL_KEY} <= expected.keys()


def test_the_structure_that_is_read_is_the_one_onnx_reads(model):
    import onnx

    theirs, ours = onnx.load(model).graph, onnxfile.read(model)
    assert [(n.name, n.kind, n.inputs, n.outputs) for n in ours.nodes] == [
        (n.name, n.op_type, tuple(n.input), tuple(n.output)) for n in theirs.node
    ]
    constants = [(c.name, c.data_type, int(np.prod(c.dims))) for c in theirs.initializer]
    assert [(c.name, c.kind, c.elements) for c in ours.constants] == constants
    assert ours.kinds["image"] == onnx.TensorProto.FLOAT and ours.external == ()


def test_a_seal_is_of_every_other_byte(model):
    import onnx

    seal = onnxfile.read(model).metadata[SEAL_KEY]
    assert onnxfile.content_sha256(model) == seal
    again = onnx.load(model)
    onnx.save(again, model)  # another tool may write the same content anew
    assert onnxfile.content_sha256(model) == seal
    for change in (lambda: setattr(again.graph.node[0], "name", "other"), lambda: again.metadata_props.add(key="k")):
        before = onnxfile.content_sha256(model)
        change()
        onnx.save(again, model)
        assert onnxfile.content_sha256(model) not in (before, seal)


def test_every_cut_of_an_onnx_file_is_noticed(model):
    data = model.read_bytes()
    for size in {*range(0, len(data), 37), len(data) - 1}:
        model.write_bytes(data[:size])
        # Where the cut falls between two fields, the file is a whole, smaller message: then the hash tells.
        with pytest.raises((InputError, CardError), match=r"cut short|not an ONNX|SHA-256"):
            artefact.load(model)
    model.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="cut short"):
        artefact.load(model)


def test_a_cut_is_noticed_in_whatever_order_the_fields_come(tmp_path):
    version, opset, graph = b"\x08\x09", b"\x42\x02\x10\x12", b"\x3a\x66\x12\x64" + b"n" * 100
    path = tmp_path / "model.onnx"
    path.write_bytes(version + opset + graph)
    assert onnxfile.read(path).metadata == {}
    path.write_bytes((version + opset + graph)[:-1])
    with pytest.raises(InputError, match="cut short"):
        onnxfile.read(path)


@pytest.mark.parametrize("data", [b"", b"<html>not found</html>", b"\x00" * 64, b"PK\x03\x04zip", bytes(range(256))])
def test_other_files_are_not_onnx(model, data):
    model.write_bytes(data)
    with pytest.raises(InputError, match="not an ONNX file|cut short"):
        artefact.load(model)


def test_a_pointer_of_git_lfs_is_not_called_a_model(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n")
    with pytest.raises(InputError, match="not downloaded\nfetch it: git lfs pull"):
        artefact.load(path)


def test_a_changed_model_is_refused_with_both_hashes(model):
    expected = artefact.load(model).card.payload_sha256
    data = bytearray(model.read_bytes())
    place = data.index(tiny_models.COLOURS.tobytes())
    data[place] ^= 1
    model.write_bytes(data)
    with pytest.raises(CardError) as caught:
        artefact.load(model)
    assert expected[:16] in caught.value.expected and expected[:16] not in caught.value.seen and caught.value.todo


def test_an_engine_needs_a_card_and_a_hash(tmp_path):
    engine = tmp_path / "model.fp16.engine"
    engine.write_bytes(b"plan")
    with pytest.raises(CardError, match="no model card"):
        artefact.load(engine)
    card = artefact.load(tiny_models.write_editor(tmp_path)).card
    data = json.loads(card.to_json())
    sidecar(engine).write_text(json.dumps({**data, "payload_sha256": None}))
    with pytest.raises(CardError, match="no hash says"):
        artefact.load(engine)
    sidecar(engine).write_text(json.dumps({**data, "payload_sha256": artefact.payload_sha256(engine)}))
    assert artefact.load(engine).path == engine


def test_an_openvino_model_is_hashed_over_both_files(tmp_path):
    xml = tmp_path / "model.xml"
    xml.write_text("<net/>")
    with pytest.raises(InputError, match=r"model\.bin"):
        artefact.payload_sha256(xml)
    xml.with_suffix(".bin").write_bytes(b"1")
    first = artefact.payload_sha256(xml)
    xml.with_suffix(".bin").write_bytes(b"2")
    assert artefact.payload_sha256(xml) != first


def test_a_path_that_is_no_model_is_named(tmp_path):
    with pytest.raises(InputError, match="no model at"):
        artefact.load(tmp_path / "absent.onnx")
    with pytest.raises(InputError, match=r"no model\.onnx"):
        artefact.load(tmp_path)
    (tmp_path / "picture.png").write_bytes(b"x")
    with pytest.raises(InputError, match="not a model"):
        artefact.load(tmp_path / "picture.png")


def test_a_folder_of_several_models_names_them(tmp_path):
    for direction in ("AtoB", "BtoA"):
        tiny_models.write_whole_frame(tmp_path / "export" / direction)
    with pytest.raises(InputError, match="AtoB, BtoA"):
        artefact.load(tmp_path)
    assert artefact.load(tmp_path / "export" / "BtoA").card.name == "tiny-negative"


def test_a_missing_companion_is_an_error(model):
    (model.parent / "classifier.onnx").unlink()
    with pytest.raises(CardError, match="classifier"):
        artefact.load(model).companion("classifier")
    tiny_models.write_classifier(model.parent.parent).rename(model.parent.parent / "elsewhere.onnx")
    tiny_models.rewrite_card(model, companions={"classifier": "../elsewhere.onnx"})
    with pytest.raises(CardError, match="elsewhere"):
        artefact.load(model).companion("classifier")


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "not a readable"), ('{"schema": 99}', "schema 99"), ('{"schema": 1, "colour": 1}', "not a readable")],
)
def test_an_unreadable_card_is_named(model, text, words):
    sidecar(model).write_text(text)
    with pytest.raises(CardError, match=words):
        artefact.load(model)


def test_a_default_label_of_another_length_is_an_error(model):
    import msgspec

    condition = msgspec.structs.replace(artefact.load(model).card.condition, default=(1.0,))
    tiny_models.rewrite_card(model, condition=condition)
    with pytest.raises(CardError, match="default label"):
        artefact.load(model)


def test_golden_pairs_come_back_as_they_were_packed(tmp_path):
    pairs = golden.Golden({"image": np.ones((2, 3))}, {"edited": np.zeros((2, 3))})
    np.savez(tmp_path / "golden.npz", **golden.pack({"model": pairs}))
    back = golden.read(tmp_path / "golden.npz", golden.stem(tmp_path / "model.fp16.onnx"))
    assert back.inputs.keys() == {"image"} and np.array_equal(back.outputs["edited"], pairs.outputs["edited"])
    assert golden.read(tmp_path / "golden.npz", "classifier") is None
    (tmp_path / "golden.npz").write_bytes(b"PK")
    with pytest.raises(CardError, match="golden"):
        golden.read(tmp_path / "golden.npz", "model")


def test_psnr_is_over_the_value_range():
    expected, seen = np.zeros((1, 4)), np.full((1, 4), 0.02)
    assert fidelity.compare(expected, seen, (-1.0, 1.0))["psnr_db"] == pytest.approx(40.0)
    assert fidelity.compare(expected, seen, (0.0, 1.0))["psnr_db"] == pytest.approx(33.979, abs=1e-3)
    assert fidelity.compare(expected, np.full((1, 4), np.nan), None)["psnr_db"] < 0
