"""Models made elsewhere, as `onnx.helper` writes them: what is adopted, and what is refused in words."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

from edgegan import cli
from edgegan.export.adopt.adopt import adopt
from edgegan.export.adopt.inspect import Probe
from edgegan.export.adopt.request import Adoption, answer, questions
from edgegan.export.verify.check import verify_artefact
from edgegan.runtime import Editor
from edgegan.runtime.errors import EdgeganError, InputError
from edgegan.runtime.model import golden
from edgegan.runtime.model.artefact import load
from edgegan.runtime.model.card import Alignment

FLOAT, HALF, BYTE = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.UINT8


def write(path, nodes, inputs, outputs, constants=None, **saving):
    """An ONNX file; inputs and outputs are (name, type, shape)."""
    graph = helper.make_graph(
        nodes,
        "elsewhere",
        [helper.make_tensor_value_info(*each) for each in inputs],
        [helper.make_tensor_value_info(*each) for each in outputs],
        [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path, **saving)
    return path


def node(kind, inputs, output, **more):
    return helper.make_node(kind, inputs.split(), [output], **more)


def negative_bytes(path):
    """(1, 24, 32, 3) uint8, NHWC: 255 - x."""
    shape = (1, 24, 32, 3)
    return write(
        path,
        [node("Sub", "white photo", "out")],
        [("photo", BYTE, shape)],
        [("out", BYTE, shape)],
        {"white": np.array(255, np.uint8)},
    )


def only_blue(path, kind=FLOAT, shape=(1, 3, 24, 32), **saving):
    """NCHW BGR, 0 to 255: keeps the first channel, blue."""
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    mask = np.array([1, 0, 0], dtype).reshape(1, 3, 1, 1)
    nodes = [node("Mul", "x mask", "y")]
    return write(path, nodes, [("x", kind, shape)], [("y", kind, shape)], {"mask": mask}, **saving)


def any_size(path):
    """Open batch and size; the sides must be multiples of 8, which only a run tells."""
    shape = ("n", 3, "h", "w")
    nodes = [
        node("SpaceToDepth", "x", "blocks", blocksize=8),
        node("DepthToSpace", "blocks", "same", blocksize=8),
        node("Neg", "same", "y"),
    ]
    return write(path, nodes, [("x", FLOAT, shape)], [("y", FLOAT, shape)])


def write_tint(path, names=3):
    """A picture in [0, 1], RGB, plus a tenth of a colour for each of the label's values."""
    colours = np.eye(names, 3, dtype=np.float32) * 0.3
    nodes = [
        node("MatMul", "target colours", "flat"),
        node("Reshape", "flat pixel", "tint"),
        node("Add", "x tint", "sum"),
        node("Clip", "sum low high", "y"),
    ]
    shape = ("n", 3, 32, 32)
    constants = {
        "colours": colours,
        "pixel": np.array([-1, 3, 1, 1]),
        "low": np.array(0, np.float32),
        "high": np.array(1, np.float32),
    }
    inputs = [("x", FLOAT, shape), ("target", FLOAT, ("n", names))]
    return write(path, nodes, inputs, [("y", FLOAT, shape)], constants)


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


def grey(path):
    shape = (1, 1, 24, 32)
    return write(path, [node("Neg", "x", "y")], [("x", FLOAT, shape)], [("y", FLOAT, shape)])


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


def test_what_the_file_does_not_tell_is_asked_for_and_nothing_else(tmp_path):
    def ask(path, **told):
        adoption = Adoption(path, tmp_path / "out", **told)
        with Probe(path, adoption.layout) as probe:
            return [q.option for q in questions(probe, adoption)]

    assert ask(negative_bytes(tmp_path / "a.onnx")) == ["--colour"]
    assert ask(grey(tmp_path / "g.onnx")) == ["--range"]
    assert ask(any_size(tmp_path / "b.onnx")) == ["--range", "--colour", "--size"]
    assert ask(write_tint(tmp_path / "c.onnx"), colour="bgr") == ["--range", "--condition"]
    unclear = write(
        tmp_path / "d.onnx", [node("Neg", "x", "y")], [("x", FLOAT, (1, 3, "h", 3))], [("y", FLOAT, (1, 3, "h", 3))]
    )
    assert ask(unclear) == ["--layout", "--range", "--colour"]
    question = next(q for q in questions(Probe(unclear), Adoption(unclear, tmp_path)) if q.field == "layout")
    assert answer(Adoption(unclear, tmp_path), question, " nhwc").layout == "NHWC"


def test_the_command_writes_a_folder_on_which_the_others_work(tmp_path, capsys, monkeypatch):
    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            cli.main(list(arguments))
        return ended.value.code, capsys.readouterr()

    path, out = only_blue(tmp_path / "b.onnx"), str(tmp_path / "out")
    code, told = run("adopt", str(path), "--out", out)
    assert code == 2 and "--range -1,1 | 0,1 | 0,255" in told.err and "--colour rgb | bgr" in told.err
    code, told = run("adopt", str(path), "--out", out, "--range", "0,255", "--colour", "bgr", "--licence", "MIT")
    assert code == 0 and "onnxruntime: passed" in told.out and f"edgegan live {out}" in told.out
    code, told = run("info", out)
    assert code == 0 and "MIT" in told.out and "adopted" in told.out and "0 to 255" in told.out
    assert run("verify", out)[0] == 0
    code, told = run("adopt", str(path), "--out", out, "--range", "0,255", "--colour", "bgr")
    assert code == 2 and "not an empty folder" in told.err
    code, told = run("adopt", str(Path(out) / "model.onnx"), "--out", out + "2")
    assert code == 2 and "has a card already" in told.err
    code, told = run("live", out, "--source", "synthetic", "--sink", "null", "--frames", "3", "--size", "64x64")
    assert code == 0, told.err


def test_a_range_below_zero_can_be_typed(tmp_path, capsys):
    path, out = only_blue(tmp_path / "b.onnx"), tmp_path / "out"
    with pytest.raises(SystemExit) as ended:
        cli.main(["adopt", str(path), "--out", str(out), "--range", "-1,1", "--colour", "bgr"])
    assert ended.value.code == 0 and load(out).card.inputs[0].value_range == (-1.0, 1.0)


def test_on_a_terminal_it_asks_until_it_has_an_answer(tmp_path, monkeypatch):
    import typer

    from edgegan.cli import adopt as command

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    app = typer.Typer()
    command.register(app)
    answers = iter(["white", "0,255", "bgr"])
    monkeypatch.setattr(typer, "prompt", lambda text, err: next(answers))
    adoption = command._ask(Adoption(only_blue(tmp_path / "b.onnx"), tmp_path / "out"))
    assert (adoption.value_range, adoption.colour) == ((0.0, 255.0), "bgr") and next(answers, None) is None
    assert CliRunner().invoke(app, ["--help"]).exit_code == 0
