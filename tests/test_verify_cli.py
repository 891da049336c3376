"""edgegan verify: figures for a sound model, exit code 2 and the worst picture for one that was changed."""

from __future__ import annotations

import json
import re
import shutil

import msgspec
import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from PIL import Image
from tiny_models import write_editor

from edgegan import cli
from edgegan.export import to_onnx
from edgegan.runtime import load
from edgegan.runtime.files import sha256


def _verify(*words: str) -> int:
    with pytest.raises(SystemExit) as done:
        cli.main(["verify", *map(str, words)])
    return int(done.value.code or 0)


@pytest.fixture
def changed(tmp_path):
    """A model whose convolution is not the one its parent has, beside that parent and its golden pairs."""
    model = write_editor(tmp_path / "sound")
    folder = tmp_path / "changed"
    shutil.copytree(model.parent, folder)
    broken = onnx.load(str(model))
    weights = next(i for i in broken.graph.initializer if i.name == "identity")
    weights.CopyFrom(numpy_helper.from_array(0.8 * numpy_helper.to_array(weights), "identity"))
    card = load(model).card
    to_onnx.save(broken, card, folder / "model.other.onnx")
    return folder / "model.other.onnx"


def test_a_sound_model_passes_on_both_backends(tmp_path, capsys):
    assert _verify(write_editor(tmp_path), "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    for backend in ("onnxruntime", "openvino"):
        assert figures[backend]["status"] == "passed" and figures[backend]["ssim_worst"] > 0.999


def test_a_changed_model_fails_and_shows_its_worst_picture(changed, tmp_path, capsys):
    picture = tmp_path / "worst.png"
    assert _verify(changed, "--worst", picture) == 2
    said = capsys.readouterr().out
    assert "failed" in said and "worst picture" in said
    with Image.open(picture) as sheet:
        pixels = np.asarray(sheet.convert("L"))
    assert pixels.std() > 20  # four cells with something in them


def test_a_miss_leaves_its_worst_picture_and_names_the_layer(changed, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert _verify(changed) == 2
    said = capsys.readouterr().out
    assert "the worst picture, on" in said and (tmp_path / "model.other.onnx.worst.png").is_file()
    # Nothing on its card tells of a parent, and the runtimes agree about what the file says.
    assert "the file itself is not the model" in said
    card = msgspec.structs.replace(load(changed).card, parent_sha256=sha256(changed.with_name("model.onnx")))
    to_onnx.save(onnx.load(changed), card, changed)
    assert _verify(changed, "--worst", tmp_path / "w.png") == 2
    said = capsys.readouterr().out
    for backend in ("onnxruntime", "openvino"):
        assert re.search(
            rf"{backend}, layer by layer against model\.onnx: .* from the layer same \(Conv\) on: 20", said
        )


def test_a_pass_leaves_no_picture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert _verify(write_editor(tmp_path / "sound")) == 0
    assert [p.name for p in tmp_path.iterdir()] == ["sound"]


def test_what_cannot_be_checked_is_no_pass(tmp_path, capsys):
    alone = write_editor(tmp_path, pairs=0)
    assert _verify(alone) == 2
    assert "no golden pairs" in capsys.readouterr().err
    assert _verify(alone, "--backend", "coreml") == 2
