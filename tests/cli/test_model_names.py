"""Every command that takes a model takes it in every form: a file, an export folder, a run, a name that ships."""

import shutil

import pytest
from support import tiny_models

from edgegan.runtime import shipped

FORMS = ("a file", "an export folder", "a run folder", "a name")
COMMANDS = {
    "info": ("info", "{}"),
    "tune": ("tune", "{}", "--seconds", "0.01"),
    "verify": ("verify", "{}", "--backend", "onnxruntime"),
    "bench": ("bench", "{}", "--backend", "onnxruntime", "--iterations", "1", "--starts", "1", "--pictures", "1"),
    "eval": ("eval", "{}", "--count", "1", "--data", "avatars:1", "--backend", "onnxruntime"),
    "live": ("live", "{}", "--source", "synthetic", "--frames", "1", "--sink", "null", "--backend", "onnxruntime"),
    "sample": ("sample", "{}", "--count", "1", "--backend", "onnxruntime"),
}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """An editor and a generator, each as a run's export and as a model that ships, called by its name."""
    top = tmp_path_factory.mktemp("models")
    tiny_models.write_editor(top / "editor" / "export")
    tiny_models.write_sampler(top / "generator" / "export")
    for name in ("editor", "generator"):
        shutil.copytree(top / name / "export", top / "shipped" / name)
    return top


@pytest.fixture(autouse=True)
def _shipped(places, monkeypatch):
    monkeypatch.setattr(shipped, "FOLDER", places / "shipped")


@pytest.mark.parametrize(
    ("command", "form"), [(c, f) for c in COMMANDS for f in FORMS if f == "a name" or c not in ("bench", "eval")]
)
def test_every_command_takes_every_form_of_a_model(command, form, places, run, monkeypatch):
    if command == "eval":
        pytest.importorskip("dicebear", reason="needs the avatars extra")
    name = "generator" if command == "sample" else "editor"
    top = places / name
    model = top / "export" / "model.onnx"
    given = dict(zip(FORMS, (model, model.parent, top, name), strict=True))[form]
    code, out, err = run(*(word.format(given) for word in COMMANDS[command]))
    assert code == 0, err + out


@pytest.mark.parametrize("command", COMMANDS)
def test_a_model_that_is_not_there_is_named_with_what_there_could_be(command, run):
    code, _, err = run(*(word.format("nowhere") for word in COMMANDS[command]))
    assert code == 2 and "there is no model at nowhere" in err and "comes with edgegan" in err


@pytest.mark.parametrize("option", ["--json", "--markdown"])
def test_the_figures_of_a_shipped_model_do_not_take_its_place(option, run, places):
    card = places / "shipped" / "editor" / "model.onnx.card.json"
    before = card.read_bytes()
    code, _, err = run("bench", "editor", option, str(card))
    assert code == 2 and "is part of the model" in err and card.read_bytes() == before
