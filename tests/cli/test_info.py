"""edgegan info: what the card says, where the model runs here and why not elsewhere, and what to type next."""

from __future__ import annotations

import json
import shlex

import msgspec
import pytest
from support import tiny_models
from typer.testing import CliRunner

from edgegan.cli import _register, app
from edgegan.export import Exported
from edgegan.runtime import load, open_backend
from edgegan.runtime.backends import BACKENDS, backend_class
from edgegan.runtime.backends.nvidia import libraries
from edgegan.runtime.backends.places import places
from edgegan.runtime.model.artefact import payload_sha256
from edgegan.runtime.model.build_info import BuildInfo, EngineInfo
from edgegan.runtime.model.card import ModelCard
from edgegan.runtime.model.verification import Verification

PASSED = Verification(status="passed", psnr_worst_db=70.0, psnr_mean_db=75.0, corners_db={"1x64x64": 61.5})


@pytest.fixture(scope="module", autouse=True)
def commands():
    _register()


@pytest.fixture
def model(tmp_path):
    path = tiny_models.write_editor(tmp_path)
    tiny_models.rewrite_card(path, verification={"onnxruntime": PASSED, "openvino": PASSED})
    return path


def _info(*words: object) -> str:
    done = CliRunner().invoke(app, ["info", *map(str, words)])
    assert done.exit_code == 0, done.output
    return done.output


def _rows(shown: str) -> dict[str, list[str]]:
    """The words of each row by its name; rows without one belong to the last."""
    width = shown.index(shown.split(maxsplit=1)[1])
    found: dict[str, list[str]] = {}
    name = ""
    for line in shown.splitlines():
        name = line[:width].strip() or name
        found.setdefault(name, []).append(line[width:])
    return found


def test_every_pair_that_knows_the_format_is_told_with_its_reason(model):
    found = places(load(model))
    able = [
        (name, kind)
        for name in BACKENDS
        for kind in backend_class(name).devices
        if ".onnx" in backend_class(name).suffixes
    ]
    assert sorted((p.backend, p.device) for p in found) == sorted(able)
    assert all(p.why for p in found)
    assert {str(p): p.status for p in found}["openvino on cpu"] in ("runs", "chosen")


def test_what_would_be_taken_is_what_is_taken(model):
    (chosen,) = [p for p in places(load(model)) if p.status == "chosen"]
    with open_backend(load(model)) as opened:
        assert (chosen.backend, chosen.device) == (opened.name, opened.device)


def test_a_pair_that_failed_at_export_is_refused_and_another_taken(model):
    failed = Verification(status="failed", reason="18.5 dB")
    tiny_models.rewrite_card(model, verification={"onnxruntime": failed, "openvino": PASSED})
    found = {str(p): p for p in places(load(model))}
    assert found["onnxruntime on cpu"].status == "refused" and "18.5 dB" in found["onnxruntime on cpu"].why
    assert found["openvino on cpu"].status == "chosen"


def test_the_card_is_told_in_words(model):
    rows = _rows(_info(model))
    assert rows["attributes"] == [", ".join(tiny_models.NAMES)]
    assert len(rows["fidelity"]) == 2 and "worst picture 70.0 dB" in rows["fidelity"][0]
    assert "(1x64x64) 61.5 dB" in rows["fidelity"][0]
    assert rows["size"] == ["32x32 (height x width)"] and rows["precision"] == ["fp32, ONNX opset 18"]
    assert len(rows["input"]) == 2 and "(checked)" in rows["SHA-256"][0]
    assert any("would be taken" in row for row in rows["runs here"])
    absent = [f"{place}: {place.why}" for place in places(load(model)) if place.status == "not here"]
    assert rows.get("not here", []) == absent
    if libraries.gpu_count() == 0:
        assert [row.partition(":")[0] for row in absent[:1]] == ["onnxruntime on cuda"]


def test_the_next_command_is_one_that_this_model_can_take(model, tmp_path):
    def following(path: object) -> list[str]:
        return shlex.split(_rows(_info(path))["next"][0])

    assert following(model) == ["edgegan", "live", str(model), "--source", "synthetic", "--set", "Brown_Hair=1"]
    assert following(model.with_name("classifier.onnx"))[:2] == ["edgegan", "verify"]
    sampler = tiny_models.write_sampler(tmp_path / "a sampler")
    assert following(sampler) == ["edgegan", "sample", str(sampler)]
    tiny_models.rewrite_card(model, verification={})
    assert following(model) == ["edgegan", "verify", str(model), "--write"]
    not_run = Verification(status="not_run", reason="built and not run")
    fastest = msgspec.structs.replace(PASSED, latency_ms=1.0)
    tiny_models.rewrite_card(model, verification={"onnxruntime": not_run, "openvino": fastest})
    assert following(model)[1] == "live"  # what would be taken is verified
    tiny_models.rewrite_card(model, verification={"onnxruntime": not_run})
    shown = _rows(_info(model))
    assert shlex.split(shown["next"][0])[-1] == "--write"
    assert "built and not run; the golden pairs run at every load" in shown["runs here"][0]


def test_a_model_that_was_copied_alone_says_what_it_lacks_and_no_next_command(tmp_path):
    model = tiny_models.write_editor(tmp_path)
    classifier = model.with_name("classifier.onnx")
    assert "next " in _info(model) and "lacks" not in _info(model)
    classifier.unlink()
    said = _info(model)
    assert f"{model}: its card names the classifier 'classifier.onnx', which is not beside it" in said
    assert "copy the whole export folder" in said and "next " not in said


def test_json_holds_the_card_the_places_and_the_next_command(model):
    found = json.loads(_info(model, "--json"))
    assert msgspec.convert(found["card"], ModelCard) == load(model).card
    assert {p["status"] for p in found["places"]} >= {"chosen"} and found["next"].startswith("edgegan live")
    assert found["path"] == str(model)


def test_the_shares_in_half_are_told(tiny_export: Exported):
    rows = _rows(_info(tiny_export.main.with_name("model.fp16.onnx")))
    facts = load(tiny_export.main.with_name("model.fp16.onnx")).card.built_with
    done, every = facts.half_operators
    assert rows["in half"] == [f"{facts.half_weights:.2%} of the weights, {done} of {every} operators"]
    assert "half_weights" not in rows["built with"][0]


def test_an_engine_that_cannot_run_here_says_what_would_mend_it(model):
    engine = model.with_name("model.fp16.engine")
    engine.write_bytes(b"a plan")
    card = msgspec.structs.replace(
        load(model).card,
        precision="fp16",
        payload_sha256=payload_sha256(engine),
        built_with=BuildInfo(
            engine=EngineInfo(library="tensorrt", version="10.3.0", compute_capabilities=("8.6",), half_layers=23)
        ),
        verification={},
    )
    card.write(engine)
    rows = _rows(_info(engine))
    assert "runs here" not in rows and rows["not here"][0].startswith("tensorrt on cuda: ")
    assert rows["in half"] == ["23 computing layers of the engine"] and rows["next"][0]
