"""Models made elsewhere, as `onnx.helper` writes them: what is adopted, and what is refused in words."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from support.models.foreign import FLOAT, HALF, any_size, grey, negative_bytes, node, only_blue, write, write_tint

from edgegan.export.adopt.adopt import adopt
from edgegan.export.adopt.request import Adoption
from edgegan.export.verify.check import verify_artefact
from edgegan.runtime import Editor
from edgegan.runtime.errors import EdgeganError, InputError
from edgegan.runtime.model import golden
from edgegan.runtime.model.artefact import load
from edgegan.runtime.model.card import Alignment


def noise(hw, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*hw, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def _needs_drawing():
    pytest.importorskip("resvg_py")


def test_a_model_of_bytes_and_one_of_bgr_become_ordinary_artefacts(tmp_path):
    picture = noise((24, 32))
    blue = picture * np.array([1, 0, 0], np.uint8)
    for name, path, asked, expected in [
        ("bytes", negative_bytes(tmp_path / "a.onnx"), {"colour": "rgb"}, 255 - picture),
        ("bgr", only_blue(tmp_path / "b.onnx"), {"colour": "bgr", "value_range": (0.0, 255.0)}, blue),
        ("half", only_blue(tmp_path / "c.onnx", HALF), {"colour": "bgr", "value_range": (0.0, 1.0)}, blue),
        ("grey", grey(tmp_path / "d.onnx"), {"value_range": (-1.0, 1.0)}, None),
    ]:
        done = adopt(Adoption(path, tmp_path / name, **asked))
        found = load(done.path)
        assert found.card == done.card and done.card.verification["onnxruntime"].status == "passed"
        assert {each.status for each in verify_artefact(found, backends=("onnxruntime", "openvino")).values()} == {
            "passed"
        }
        for backend in ("onnxruntime", "openvino"):
            with Editor.open(tmp_path / name, backend=backend) as editor:
                out = editor.translate(picture, {})
                if expected is not None:
                    assert np.abs(out.astype(int) - expected).max() <= 1, (name, backend)
                assert editor.edit(noise((90, 120)), {}).shape == (90, 120, 3) and not editor.notices


def test_what_open_axes_take_is_tried_out(tmp_path):
    path = any_size(tmp_path / "any.onnx")
    done = adopt(Adoption(path, tmp_path / "out", value_range=(-1.0, 1.0), colour="rgb", size_hw=(32, 48)))
    size = done.card.size
    assert (size.kind, size.multiple, size.hw, done.card.batch) == ("multiple_of", 8, (32, 48), (1, 4))
    corners = done.card.verification["openvino"].corners_db
    assert {"4x32x48", "1x32x32", "1x128x192"} <= corners.keys() and min(corners.values()) > 60
    picture = noise((50, 70))
    with Editor.open(done.path) as editor:
        assert np.abs(editor.translate(picture, {}).astype(int) - (255 - picture.astype(int))).max() <= 1
    with pytest.raises(InputError, match="--multiple 4"):
        adopt(Adoption(path, tmp_path / "x", value_range=(-1, 1), colour="rgb", size_hw=(32, 48), multiple=4))
    with pytest.raises(InputError, match="33x48.*"):
        adopt(Adoption(path, tmp_path / "x", value_range=(-1, 1), colour="rgb", size_hw=(33, 48)))
    assert not (tmp_path / "x").exists()


def test_a_conditional_model_obeys_the_names_it_is_given(tmp_path):
    path = write_tint(tmp_path / "tinted.onnx")
    common = {
        "value_range": (0.0, 1.0),
        "colour": "rgb",
        "alignment": Alignment(left_eye=(0.4, 0.5), right_eye=(0.6, 0.5)),
    }
    free = adopt(Adoption(path, tmp_path / "free", condition="binary:Red,Green,Blue", default=("Green",), **common))
    one = adopt(Adoption(path, tmp_path / "one", condition="one_hot:Red,Green,Blue", **common))

    def pixel(editor, changes):
        return editor.translate(np.full((32, 32, 3), 60, np.uint8), changes)[0, 0].tolist()

    with Editor.open(free.path) as editor:
        assert editor.card.faces and editor.card.batch == (1, 4)
        assert pixel(editor, {"Red": 1.0}) == [60, 137, 137]  # BGR; green by default
    with Editor.open(one.path) as editor:
        assert pixel(editor, {"Blue": 1.0}) == [137, 60, 60]
        assert pixel(editor, {}) == [60, 60, 137]
    mixed = adopt(Adoption(path, tmp_path / "mixed", condition="binary:Red|Green,Blue", **common)).card.condition
    assert (mixed.names, mixed.groups) == (("Red", "Green", "Blue"), (("Red", "Green"),))
    assert mixed.default == (1.0, 0.0, 0.0)
    for condition, words in [
        ("binary:Red|,Green", "not what"),
        ("binary:Red,Green", "2 names.*\n.*3 values"),
        ("binary:", "not what"),
        ("none", "not what"),
    ]:
        with pytest.raises(InputError, match=words):
            adopt(Adoption(path, tmp_path / "no", condition=condition, **common))


def test_weights_in_another_file_come_along(tmp_path):
    path = only_blue(
        tmp_path / "m" / "x.onnx",
        save_as_external_data=True,
        location="x.weights",
        size_threshold=0,
        convert_attribute=True,
    )
    assert (tmp_path / "m" / "x.weights").is_file()
    done = adopt(Adoption(path, tmp_path / "out", colour="bgr", value_range=(0.0, 255.0)))
    moved = (tmp_path / "out").rename(tmp_path / "elsewhere")
    with Editor.open(moved) as editor:
        assert editor.translate(noise((24, 32)), {})[:, :, 1:].max() == 0
    (moved / "x.weights").write_bytes(bytes((moved / "x.weights").stat().st_size))
    with pytest.raises(EdgeganError, match="SHA-256"):
        load(moved)
    assert done.card.payload_sha256


def test_a_model_in_hugging_face_s_cache_is_adopted_with_its_weights(tmp_path):
    made = only_blue(tmp_path / "m" / "x.onnx", save_as_external_data=True, location="x.weights", size_threshold=0)
    revision = tmp_path / "cache" / "snapshots" / "abc"
    revision.mkdir(parents=True)
    (tmp_path / "cache" / "blobs").mkdir()
    for number, file in enumerate((made, made.with_name("x.weights"))):
        file.rename(tmp_path / "cache" / "blobs" / str(number))
        (revision / file.name).symlink_to(f"../../blobs/{number}")
    adopt(Adoption(revision / "x.onnx", tmp_path / "out", colour="bgr", value_range=(0.0, 255.0)))
    assert not (tmp_path / "out" / "x.weights").is_symlink()
    with Editor.open(tmp_path / "out") as editor:
        assert editor.translate(noise((24, 32)), {})[:, :, 1:].max() == 0


def test_a_sigmoid_s_half_of_the_range_is_said(tmp_path):
    """Read as -1 to 1, what runs from 0 to 1 is grey at least: half of the contrast."""
    shape = (1, 3, 24, 32)
    nodes = [node("Mul", "x steep", "s"), node("Sigmoid", "s", "y")]
    path = write(tmp_path / "s.onnx", nodes, [("x", FLOAT, shape)], [("y", FLOAT, shape)], {"steep": np.float32(4.0)})
    asked = Adoption(path, tmp_path / "a", colour="rgb", value_range=(-1.0, 1.0))
    (note,) = [note for note in adopt(asked).notes if "half of that range is never used" in note]
    assert note.endswith("--output-range 0,1")
    told = adopt(replace(asked, out=tmp_path / "b", output_range=(0.0, 1.0)))
    assert not any("never used" in note for note in told.notes)


def test_a_newer_format_is_said_in_plain_words(tmp_path):
    path = only_blue(tmp_path / "x.onnx")
    model = onnx.load(path)
    for change, words in (
        (lambda: setattr(model, "ir_version", 99), r"ONNX's IR version 99\n.*reads IR versions up to \d+\n"),
        (lambda: setattr(model.opset_import[0], "version", 99), r"ONNX's opset 99\n.*reads opsets up to \d+\n"),
    ):
        change()
        path.write_bytes(model.SerializeToString())
        model.ir_version = 9
        with pytest.raises(InputError, match=words) as caught:
            adopt(Adoption(path, tmp_path / "out", colour="bgr", value_range=(0.0, 255.0)))
        assert "onnxruntime_src" not in str(caught.value) and "pip install -U onnxruntime" in caught.value.todo


def test_a_suffix_in_capitals_is_the_same_file(tmp_path):
    path = only_blue(tmp_path / "X.ONNX")
    done = adopt(Adoption(path, tmp_path / "out", colour="bgr", value_range=(0.0, 255.0)))
    shouted = done.path.rename(done.path.with_name("MODEL.ONNX"))
    done.card.write(shouted)
    found = load(shouted)
    assert found.card == done.card
    assert (
        verify_artefact(found, read_pairs(tmp_path / "out"), backends=("onnxruntime",))["onnxruntime"].status
        == "passed"
    )


def read_pairs(folder):
    return golden.read(folder / "golden.npz", "model")


def write_misfits(tmp_path):
    picture, big = (1, 3, 24, 32), (1, 3, 48, 64)
    scales = {"scales": np.array([1, 1, 2, 2], np.float32)}
    x, y = ("x", FLOAT, picture), ("y", FLOAT, picture)
    two = [x, ("style", FLOAT, picture)]
    yield "two pictures", write(tmp_path / "two.onnx", [node("Add", "x style", "y")], two, [y])
    pooled = [node("GlobalAveragePool", "x", "p"), node("Flatten", "p", "y")]
    yield "classifier", write(tmp_path / "class.onnx", pooled, [x], [("y", FLOAT, (1, 3))])
    larger = [node("Resize", "x  scales", "y")]
    larger[0].input[:] = ["x", "", "scales"]
    yield "super-resolution", write(tmp_path / "sr.onnx", larger, [x], [("y", FLOAT, big)], scales)
    open_axes = [("x", FLOAT, (1, 3, "h", "w"))], [("y", FLOAT, (1, 3, "H", "W"))]
    yield "enlarges", write(tmp_path / "open_sr.onnx", larger, *open_axes, scales)
    yield "one picture a call", only_blue(tmp_path / "batch.onnx", shape=(4, 3, 24, 32))
    strength = [x, ("strength", FLOAT, ())]
    yield "at most one label", write(tmp_path / "scalar.onnx", [node("Mul", "x strength", "y")], strength, [y])
    yield "1 or 3 channels", only_four(tmp_path / "four.onnx")
    nowhere = tmp_path / "text.onnx"
    nowhere.write_text("not a model")
    yield "not an ONNX file", nowhere
    yield "no file", tmp_path / "missing.onnx"
    wrong = {"far": np.array(40, np.float32)}
    yield "--output-range", write(tmp_path / "range.onnx", [node("Mul", "x far", "y")], [x], [y], wrong)
    zero = {"zero": np.array(0, np.float32)}
    yield "not finite", write(tmp_path / "nan.onnx", [node("Div", "x zero", "y")], [x], [y], zero)


def only_four(path):
    shape = (1, 4, 24, 32)
    return write(path, [node("Neg", "x", "y")], [("x", FLOAT, shape)], [("y", FLOAT, shape)])


def test_what_no_editor_can_be_is_refused_in_words_and_nothing_is_written(tmp_path):
    for words, path in write_misfits(tmp_path):
        with pytest.raises(EdgeganError) as error:
            adopt(Adoption(path, tmp_path / "out", value_range=(-1.0, 1.0), colour="rgb", size_hw=(24, 32)))
        assert words in str(error.value) and len(str(error.value).splitlines()) <= 3
        assert not (tmp_path / "out").exists()
