"""edgegan doctor: what is there is called ok, what is not is named with the command that brings it."""

from __future__ import annotations

import json
import sys
from importlib.metadata import PackageNotFoundError

import pytest

from edgegan import cli
from edgegan.runtime import doctor
from edgegan.runtime.backends import BACKENDS


def _by_name(topic):
    return {f.name: f for f in doctor.examine() if f.topic == topic}


def test_every_backend_is_told_of_and_the_shipped_model_has_one():
    backends = _by_name("backend")
    assert set(backends) == set(BACKENDS)
    chosen = _by_name("model")["shipped model"]
    assert chosen.status == "ok"
    assert any(name in chosen.text for name, found in backends.items() if found.status == "ok")


def test_a_backend_that_is_not_installed_is_missing_with_its_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    found = _by_name("backend")["onnxruntime"]
    assert found.status == "missing" and "pip install 'edgegan[cpu]'" in found.todo


def test_an_incomplete_extra_names_what_it_lacks(monkeypatch):
    real = doctor.version

    def without_av(name):
        if name == "av":
            raise PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(doctor, "version", without_av)
    video = _by_name("extra")["video"]
    assert video.status == "missing" and "av" in video.text and video.todo == "pip install 'edgegan[video]'"
    assert _by_name("extra")["cpu"].status == "ok"


def test_cameras_are_listed_once_each(monkeypatch, tmp_path):
    from edgegan.runtime.sources import camera

    for number, index in ((0, "0"), (1, "1"), (2, "0")):  # video1 is the metadata device of video0
        folder = tmp_path / f"video{number}"
        folder.mkdir()
        (folder / "name").write_text(f"Camera {number}\n")
        (folder / "index").write_text(f"{index}\n")
    monkeypatch.setattr(camera, "DEVICES", tmp_path)
    assert camera.cameras() == {"0": "Camera 0", "2": "Camera 2"}


def test_the_command_prints_words_or_json(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["doctor"])
    assert "shipped model" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="0"):
        cli.main(["doctor", "--json"])
    assert {f["topic"] for f in json.loads(capsys.readouterr().out)} >= {"machine", "backend", "model"}
