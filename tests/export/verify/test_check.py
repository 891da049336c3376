"""Verification: a file that is not the model it was made from is found out, on every backend and at every size."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper
from support.models.exports import BACKENDS, specs

from edgegan import cli
from edgegan.export import Exported, Request, export_run, verify_artefact
from edgegan.export.graph import trace
from edgegan.runtime import BackendError, InputError, load, open_backend
from edgegan.runtime.backends.openvino.backend import OpenVino
from edgegan.runtime.edit.loading import load_for
from edgegan.runtime.errors import CardError
from edgegan.runtime.model import golden
from edgegan.runtime.model.artefact import Artefact
from edgegan.runtime.model.card import sidecar
from edgegan.runtime.model.golden import Golden
from edgegan.train.folder.run import Run


def test_verify_finds_a_changed_model(tiny_export: Exported, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_export.folder, tmp_path / "copy"))
    path = folder / tiny_export.main.relative_to(tiny_export.folder)
    model = onnx.load(path)
    for weights in model.graph.initializer:
        if weights.data_type == TensorProto.FLOAT:
            scaled = numpy_helper.to_array(weights) * np.float32(1.02)
            weights.CopyFrom(numpy_helper.from_array(scaled, weights.name))
    card = load(path).card
    onnx.save(model, path)
    sidecar(path).unlink()
    with pytest.raises(CardError, match="SHA-256"):  # the seal within
        load(path)
    changed = trace.save(model, card, path)
    assert {v.status for n, v in verify_artefact(changed).items() if n in BACKENDS} == {"failed"}
    path.with_name("golden.npz").unlink()
    with pytest.raises(CardError, match="no golden pairs"):
        verify_artefact(changed)


def test_a_card_that_names_another_output_fails_verification(tiny_export: Exported) -> None:
    artefact = load(tiny_export.main)
    wrong = msgspec.structs.replace(artefact.card.outputs[0], name="other")
    card = msgspec.structs.replace(artefact.card, outputs=(wrong,))
    found = verify_artefact(Artefact(artefact.path, card), golden.beside(artefact), backends=("onnxruntime",))
    assert found["onnxruntime"].status == "failed" and "other" in found["onnxruntime"].reason
    with pytest.raises(CardError, match="other"):
        verify_artefact(Artefact(artefact.path, card))


def test_each_backend_is_held_to_its_own_tolerance(tiny_run: Run, tiny_export: Exported) -> None:
    cfg, family = tiny_run.cfg, tiny_run.family
    for spec in family.exportable(cfg, family.networks(cfg), tiny_run.data):
        card = load(tiny_export.folder / spec.folder / f"{spec.name}.onnx").card
        wanted = spec.tolerances["fp32"]
        assert card.verification["onnxruntime"].tolerance.get("max_abs") == wanted.max_abs
        others = wanted.others_max_abs or wanted.max_abs
        assert card.verification["openvino"].tolerance.get("max_abs") == others


def test_a_fixed_batch_is_verified_at_that_batch(tiny_run: Run, tmp_path: Path) -> None:
    done = export_run(Request(tiny_run.folder, tmp_path / "out", batch=3, pictures=4))
    artefact = load(done.main)
    assert artefact.card.batch == (3, 3) and {s.shape[0] for s in artefact.card.inputs} == {3}
    pairs = golden.beside(artefact)
    assert pairs is not None and pairs.batch == 3
    sizes = {len(next(iter(given.values()))) for given, _ in pairs.calls()}
    assert sizes == {3} and len(list(pairs.calls())) == -(-len(pairs) // 3)
    found = verify_artefact(artefact, backends=BACKENDS)
    assert {f.status for f in found.values()} == {"passed"} and {f.pictures for f in found.values()} == {len(pairs)}
    script = done.main.with_name("reproduce.sh").read_text()
    assert "--batch 3" in script
    with pytest.raises(InputError, match="3 pictures at a time"):
        load_for(artefact.card.task, artefact)


def test_open_axes_are_verified_at_every_end_of_the_range_on_the_card(tiny_run: Run, tmp_path: Path) -> None:
    sizes = next(iter(specs(tiny_run).values())).dynamic_multiple is not None
    request = Request(tiny_run.folder, tmp_path / "out", open_batch=True, open_size=sizes, pictures=2)
    artefact = load(export_run(request).main)
    rule, (fewest, most) = artefact.card.size, artefact.card.batch
    ends = {(most, *rule.hw)}
    if sizes:
        assert rule.min_hw is not None and rule.max_hw is not None and rule.min_hw < rule.max_hw
        ends |= {(most, *rule.min_hw)}
        ends |= {(fewest, h, w) for h in (rule.min_hw[0], rule.max_hw[0]) for w in (rule.min_hw[1], rule.max_hw[1])}
    for found in artefact.card.verification.values():
        if found.status == "passed":
            assert set(found.corners_db) == {"x".join(map(str, end)) for end in ends}
            assert min(found.corners_db.values()) >= found.tolerance["min_psnr_db"]
    again = verify_artefact(artefact, backends=("onnxruntime",))["onnxruntime"]  # without torch: from golden.npz
    replayed = {f"{min(most, again.pictures)}x{rule.hw[0]}x{rule.hw[1]}"}
    stored = {f"{fewest}x{h}x{w}" for h, w in {rule.min_hw, rule.max_hw} - {rule.hw}} if sizes else set()
    assert again.status == "passed" and set(again.corners_db) == replayed | stored


def test_a_miss_at_one_end_of_the_range_is_a_miss(tiny_run: Run, tiny_export: Exported) -> None:
    artefact = load(tiny_export.main)
    pairs = golden.beside(artefact)
    assert pairs is not None
    wrong = Golden(pairs.inputs, {name: array + 1 for name, array in pairs.outputs.items()})
    found = verify_artefact(artefact, pairs, backends=("onnxruntime",), corners={"1x9x9": wrong})["onnxruntime"]
    assert found.status == "failed" and found.reason.startswith("at 1x9x9: ")


@pytest.fixture
def wrong_openvino(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """From then on OpenVINO computes every picture a little wrongly; undo it with the patch that comes back."""
    real = OpenVino.run

    def run(self: OpenVino, inputs: Mapping[str, Any]) -> Any:
        return {name: array + np.float32(0.1) for name, array in real(self, inputs).items()}

    with monkeypatch.context() as patch:
        patch.setattr(OpenVino, "run", run)
        yield patch


@pytest.mark.parametrize("tiny_run", ["stargan"], indirect=True)
def test_a_runtime_that_misses_is_on_the_card_told_and_refused_at_load(
    tiny_run: Run, tmp_path: Path, wrong_openvino: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as done:
        cli.main(
            ["export", str(tiny_run.folder), "--out", str(tmp_path / "out"), "--pictures", "1", "--precision", "fp32"]
        )
    assert done.value.code in (0, None)  # ONNX Runtime reproduces the model
    said = " ".join(capsys.readouterr().out.split())
    main = next((tmp_path / "out").rglob("model.onnx"))
    assert "model.onnx will not run on openvino: " in said and "dB" in said
    found = load(main).card.verification
    assert found["onnxruntime"].status == "passed" and found["openvino"].status == "failed"
    assert f"will not run on openvino: {found['openvino'].reason}" in said
    wrong_openvino.undo()  # even a runtime that has become right is believed only once it was verified anew
    with pytest.raises(BackendError, match="failed verification"):
        open_backend(load(main), "openvino")
    with open_backend(load(main)) as chosen:
        assert chosen.name == "onnxruntime" and "failed" in chosen.selection.others["openvino on cpu"]
