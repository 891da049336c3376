import json

from support import tiny_models

from edgegan.runtime import files
from edgegan.runtime.backends import open_backend
from edgegan.runtime.model.artefact import load


def test_tune_prints_what_it_measured_and_opens_go_by_it(run, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("EDGEGAN_AUTO")
    folder = tiny_models.write_editor(tmp_path / "export").parent
    told = json.loads(run("tune", folder, "--seconds", "0.02", "--json")[1])
    pairs = {each["backend"]: each["ms"] for each in told["timings"] if each["ms"] is not None}
    assert set(pairs) == {"onnxruntime", "openvino"} and told["taken"]["backend"] == min(pairs, key=pairs.get)
    assert all("golden pairs" in each["proof"] for each in told["timings"] if each["ms"] is not None)
    with open_backend(load(folder)) as opened:
        assert opened.name == told["taken"]["backend"]

    _, words, _ = run("tune", folder, "--seconds", "0.02", "--device", "cpu")
    words = " ".join(words.split())  # the processor's name decides where a line is broken
    assert "threads, batch 1" in words and "taken from now on: model.onnx with" in words
    code, _, err = run("tune", folder, "--batch", "3")
    assert code == 2 and "the model takes 1 to 1" in err


def test_nothing_is_promised_where_nothing_can_be_remembered(run, tmp_path, monkeypatch):
    folder = tiny_models.write_editor(tmp_path / "export").parent
    (tmp_path / "file").touch()  # no folder can be made below it, by root neither
    for name in ("XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "file" / "below"))
    files._passing_folder.cache_clear()
    try:
        _, words, _ = run("tune", folder, "--seconds", "0.02", "--device", "cpu")
    finally:
        files._passing_folder.cache_clear()
    assert "the fastest, this time alone: model.onnx with" in " ".join(words.split())
    assert "from now on" not in words
