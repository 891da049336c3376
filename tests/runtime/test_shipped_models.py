"""The models that come with edgegan: found by their folders, opened by their names, chosen by what is edited."""

import json
import shutil

import numpy as np
import pytest
from support import tiny_models

from edgegan.runtime import Editor, EditorPool, shipped
from edgegan.runtime.errors import InputError
from edgegan.runtime.model.artefact import load


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder of shipped models, "avatars", "portraits" and one that nobody lists anywhere; and one without card."""
    for name in ("avatars", "portraits", "zoo"):
        tiny_models.write_editor(tmp_path / name, size=32, name=f"tiny-{name}", limits=f"{name} end here")
    (tmp_path / "half").mkdir()
    shutil.copy(tmp_path / "zoo" / "model.onnx", tmp_path / "half")
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    return tmp_path


def test_every_shipped_model_has_a_card_that_says_what_it_knows_and_cannot_do():
    models = shipped.list_models()
    assert "avatars" in models
    for name, path in models.items():
        card = load(name).card
        assert load(name).path == path and card.domain and card.limits, name


def test_each_kind_has_its_default_and_the_other_where_it_is_missing(data):
    assert shipped.default_model() == data / "portraits" / "model.onnx"
    assert shipped.default_model("synthetic") == data / "avatars" / "model.onnx"
    shutil.rmtree(data / "portraits")
    assert shipped.default_model("real") == data / "avatars" / "model.onnx"
    shutil.rmtree(data / "avatars")
    assert shipped.default_model("real") == shipped.default_model("synthetic") == data / "zoo" / "model.onnx"
    shutil.rmtree(data / "zoo")
    with pytest.raises(InputError, match="ships no model"):
        shipped.default_model()


def test_models_are_opened_by_name_and_a_path_wins(data, tmp_path, monkeypatch):
    with Editor.open("zoo") as editor, Editor.open() as first, EditorPool.open("avatars", size=1) as pool:
        assert [each.card.name for each in (editor, first, pool)] == ["tiny-zoo", "tiny-portraits", "tiny-avatars"]
    elsewhere = tmp_path / "elsewhere"
    tiny_models.write_editor(elsewhere / "zoo", size=32, name="my own")
    monkeypatch.chdir(elsewhere)
    with Editor.open("zoo") as editor:
        assert editor.card.name == "my own"


@pytest.mark.parametrize("name", ["nobody", "half", "../avatars", "avatars/..", ""])
def test_what_is_no_name_is_refused_with_those_there_are(data, tmp_path, monkeypatch, name):
    empty = tmp_path / "empty" / "below"
    empty.mkdir(parents=True)
    monkeypatch.chdir(empty)
    with pytest.raises(InputError) as refused:
        shipped.find_model(name)
    assert "avatars, portraits, zoo" in str(refused.value)
    if name in ("nobody", "half"):
        with pytest.raises(InputError, match="avatars, portraits, zoo"):
            Editor.open(name)


def test_info_lists_them_with_what_each_cannot_do(data, run):
    code, shown, _ = run("info")
    assert code == 0
    parts = shown.strip().split("\n\n")
    assert len(parts) == 3
    for name, part in zip(("avatars", "portraits", "zoo"), parts, strict=True):
        assert f"tiny-{name}" in part and f"{name} end here" in part and f"edgegan info {name}" in part
    assert "synthetic camera" in parts[0] and "clips and pictures" in parts[1] and "taken for" not in parts[2]
    assert "portraits end here" in run("info", "portraits")[1]
    listed = json.loads(run("info", "--json")[1])
    assert [(each["name"], each["card"]["name"]) for each in listed] == [
        (name, f"tiny-{name}") for name in ("avatars", "portraits", "zoo")
    ]


@pytest.mark.parametrize(("source", "wanted"), [("synthetic", "tiny-avatars"), ("picture", "tiny-portraits")])
def test_a_live_run_takes_the_model_of_its_source(data, tmp_path, run, source, wanted):
    pytest.importorskip("resvg_py")
    if source == "picture":
        cv2 = pytest.importorskip("cv2")
        cv2.imwrite(str(tmp_path / "face.png"), np.full((64, 64, 3), 120, np.uint8))
        source = str(tmp_path / "face.png")
    code, out, err = run("live", "--source", source, "--sink", "null", "--frames", 2)
    assert code == 0 and wanted in out + err
