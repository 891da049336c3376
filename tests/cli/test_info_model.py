"""`edgegan info` of a model."""

import json

import pytest
from support import tiny_models
from support.models.editors import SIZE
from typer.testing import CliRunner

from edgegan import cli


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_models.write_editor(tmp_path_factory.mktemp("m"), size=SIZE)


@pytest.fixture(scope="module")
def app():
    import typer

    from edgegan.cli import info

    app = typer.Typer()
    info.register(app)
    app.callback()(lambda: None)
    return app


def test_info_shows_the_card_in_words_and_as_json(app, model):
    shown = CliRunner().invoke(app, ["info", str(model.parent)])
    assert shown.exit_code == 0
    for words in (
        "tiny-editor",
        "drawn faces",
        "Blond_Hair, Brown_Hair, Smiling",
        "32x32",
        "classifier.onnx",
        "checked",
    ):
        assert words in shown.stdout
    as_json = CliRunner().invoke(app, ["info", str(model), "--json"])
    assert json.loads(as_json.stdout)["card"] == json.loads(model.with_name("model.onnx.card.json").read_bytes())


def test_info_on_a_missing_model_exits_with_2_in_plain_lines(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["info", "nowhere.onnx"])
    error = capsys.readouterr().err
    assert ended.value.code == 2 and "no model at nowhere.onnx" in error and len(error.splitlines()) <= 3
