"""`edgegan adopt`: what it asks, what it writes."""

from pathlib import Path

import pytest
from support.models.foreign import FLOAT, any_size, grey, negative_bytes, node, only_blue, write, write_tint
from typer.testing import CliRunner

from edgegan import cli
from edgegan.export.adopt.inspect import Probe
from edgegan.export.adopt.request import Adoption, answer, questions
from edgegan.runtime.model.artefact import load


@pytest.fixture(autouse=True)
def _needs_drawing():
    pytest.importorskip("resvg_py")


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
