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
from support.tiny_models import rewrite_card, write_editor

from edgegan import cli
from edgegan.export.graph import trace
from edgegan.runtime import files, load, open_backend
from edgegan.runtime.backends.processor import architecture, int8_arithmetic
from edgegan.runtime.errors import BackendError, EdgeganError
from edgegan.runtime.files import sha256
from edgegan.runtime.model.card import sidecar
from edgegan.runtime.model.verification import Verification


def _verify(*words: str) -> int:
    with pytest.raises(SystemExit) as done:
        cli.main(["verify", *map(str, words)])
    return int(done.value.code or 0)


@pytest.fixture
def unsound_model(tmp_path):
    """A model whose convolution is not the one its parent has, beside that parent and its golden pairs."""
    model = write_editor(tmp_path / "sound")
    folder = tmp_path / "changed"
    shutil.copytree(model.parent, folder)
    broken = onnx.load(str(model))
    weights = next(i for i in broken.graph.initializer if i.name == "identity")
    weights.CopyFrom(numpy_helper.from_array(0.8 * numpy_helper.to_array(weights), "identity"))
    card = load(model).card
    trace.save(broken, card, folder / "model.other.onnx")
    return folder / "model.other.onnx"


def test_a_sound_model_passes_on_both_backends(tmp_path, capsys):
    assert _verify(write_editor(tmp_path), "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    for backend in ("onnxruntime", "openvino"):
        assert figures[backend]["status"] == "passed" and figures[backend]["ssim_worst"] > 0.999


def test_a_changed_model_fails_and_shows_its_worst_picture(unsound_model, tmp_path, capsys):
    picture = tmp_path / "worst.png"
    assert _verify(unsound_model, "--worst", picture) == 2
    said = capsys.readouterr().out
    assert "failed" in said and "worst picture" in said
    with Image.open(picture) as sheet:
        pixels = np.asarray(sheet.convert("L"))
    assert pixels.std() > 20  # four cells with something in them


def test_a_miss_leaves_its_worst_picture_and_names_the_layer(unsound_model, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert _verify(unsound_model) == 2
    said = capsys.readouterr().out
    assert "the worst picture, on" in said and (tmp_path / "model.other.onnx.worst.png").is_file()
    # Nothing on its card tells of a parent, and the runtimes agree about what the file says.
    assert "the file itself is not the model" in said
    card = msgspec.structs.replace(
        load(unsound_model).card, parent_sha256=sha256(unsound_model.with_name("model.onnx"))
    )
    trace.save(onnx.load(unsound_model), card, unsound_model)
    assert _verify(unsound_model, "--worst", tmp_path / "w.png") == 2
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


def _card(model):
    return load(model).card


def test_figures_go_onto_the_card_and_its_hash_stays_true(tmp_path, capsys):
    model = write_editor(tmp_path)
    before = model.read_bytes()
    assert _verify(model) == 0 and not _card(model).verification
    assert _verify(model, "--write") == 0
    said = capsys.readouterr().out
    assert f"on the card {sidecar(model)}: onnxruntime, openvino" in said
    found = _card(model).verification  # loading has checked the hash
    assert {name: each.status for name, each in found.items()} == {"onnxruntime": "passed", "openvino": "passed"}
    assert all(each.pictures == 4 and each.latency_ms > 0 for each in found.values())
    assert model.read_bytes() == before and "onnxruntime-tensorrt" not in found  # what was not run is no figure
    for name in found:
        with open_backend(load(model), name) as opened:
            assert "just now" not in opened.selection.why and "verified" in opened.selection.why


def test_a_file_with_no_card_beside_it_gets_one(tmp_path):
    model = write_editor(tmp_path)
    sidecar(model).unlink()
    assert _card(model).payload_sha256 is None  # the file's own seal vouches for it
    assert _verify(model, "--write") == 0
    assert _card(model).payload_sha256 == sha256(model)
    model.write_bytes(model.read_bytes() + b"\0")
    with pytest.raises(EdgeganError, match="SHA-256|damaged"):
        load(model)


def test_a_written_miss_stays_refused(unsound_model, tmp_path):
    assert _verify(unsound_model, "--write", "--worst", tmp_path / "w.png") == 2
    assert {each.status for each in _card(unsound_model).verification.values()} == {"failed"}
    with pytest.raises(BackendError, match="failed verification"):
        open_backend(load(unsound_model), "openvino")


def test_the_figures_of_more_pictures_stay_and_misses_replace_them(tmp_path, capsys, unsound_model):
    proven = Verification(status="passed", pictures=640, psnr_worst_db=99.0)
    elsewhere = Verification(status="passed", pictures=640, psnr_worst_db=55.0)
    model = write_editor(tmp_path)
    rewrite_card(model, verification={"onnxruntime": proven, "onnxruntime:cuda": elsewhere})
    assert _verify(model, "--write") == 0
    assert "as they were: onnxruntime: the card has the figures of more pictures" in capsys.readouterr().out
    found = _card(model).verification
    assert found["onnxruntime"] == proven and found["onnxruntime:cuda"] == elsewhere
    assert found["openvino"].pictures == 4
    rewrite_card(unsound_model, verification={"onnxruntime": proven})
    assert _verify(unsound_model, "--write", "--worst", tmp_path / "w.png") == 2
    assert _card(unsound_model).verification["onnxruntime"].status == "failed"


def test_int8_figures_of_another_processor_do_not_stay(tmp_path):
    model = write_editor(tmp_path)
    proven = Verification(status="passed", pictures=640)
    figures = {"openvino": proven, "onnxruntime:cuda": proven}
    rewrite_card(model, precision="int8", int8_arithmetic="another processor", verification=figures)
    assert _verify(model, "--backend", "onnxruntime", "--write") == 0
    card = _card(model)
    assert set(card.verification) == {"onnxruntime", "onnxruntime:cuda"}  # a GPU computes there what it computes here
    assert card.int8_arithmetic == int8_arithmetic()


def test_figures_of_another_architecture_are_replaced_by_what_is_measured_here(tmp_path):
    """However many pictures it was measured on there; what was not measured here stays."""
    model = write_editor(tmp_path)
    proven = Verification(status="passed", pictures=640, psnr_worst_db=99.0, architecture="another")
    rewrite_card(model, verification={"openvino": proven, "onnxruntime": proven})
    assert _verify(model, "--backend", "onnxruntime", "--write") == 0
    found = _card(model).verification
    assert found["openvino"] == proven
    assert (found["onnxruntime"].pictures, found["onnxruntime"].architecture) == (4, architecture())


def test_a_card_that_cannot_be_written_is_said_in_words(tmp_path, monkeypatch, capsys):
    model = write_editor(tmp_path)

    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", full)
    assert _verify(model, "--write") == 2
    assert "cannot write" in capsys.readouterr().err
    assert not _card(model).verification
