"""Export: what is written equals the trained model, says so on its card, and is not written otherwise."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, numpy_helper
from support.models.exports import BACKENDS, onnx_files, specs

from edgegan import cli
from edgegan.export import Exported, Request, export_run, folder
from edgegan.export.graph import fp16
from edgegan.families import Tolerance
from edgegan.runtime import InputError, load, open_backend
from edgegan.runtime.errors import VerifyError
from edgegan.runtime.files import sha256
from edgegan.runtime.model import fidelity, golden
from edgegan.runtime.model.card import METADATA_KEY, ModelCard, sidecar
from edgegan.train.folder.run import Run


@pytest.fixture
def impossible(tiny_run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Call it with a precision: from then on no artefact of that precision can pass."""
    real = tiny_run.family.exportable

    def make(which: str) -> None:
        def exportable(*given: Any) -> Any:
            return tuple(
                dataclasses.replace(s, tolerances={**s.tolerances, which: Tolerance(max_abs=-1.0)})
                for s in real(*given)
            )

        monkeypatch.setattr(tiny_run.family, "exportable", exportable)

    yield make


def test_every_backend_answers_as_eager_does(tiny_run: Run, tiny_export: Exported) -> None:
    known = specs(tiny_run)
    for path in onnx_files(tiny_export):
        spec = known[path.relative_to(tiny_export.folder).as_posix().partition(".")[0]]
        inputs = spec.golden(2)
        with torch.inference_mode():
            truth = spec.module(*(torch.from_numpy(inputs[s.name]) for s in spec.card.inputs)).numpy()
        # What has no range, such as the codes that are read off a picture, is measured by its own.
        low, high = spec.card.outputs[0].value_range or (float(truth.min()), float(truth.max()))
        assert truth.std() > 0.05 * (high - low), "outputs near one value would flatter every figure"
        artefact = load(path)
        name = artefact.card.outputs[0].name
        for backend in BACKENDS:
            with open_backend(artefact, backend=backend, device="cpu") as opened:
                for i in range(len(truth)):
                    seen = opened.run({n: a[i : i + 1] for n, a in inputs.items()})[name]
                    if artefact.card.precision == "fp32":
                        assert np.abs(seen - truth[i : i + 1]).max() < 1e-4, (path, backend)
                    else:
                        assert fidelity.compare(truth[i : i + 1], seen, (low, high))["psnr_db"] >= 45.0, (path, backend)


def test_each_artefact_is_there_in_its_precisions(tiny_run: Run, tiny_export: Exported) -> None:
    known = specs(tiny_run)
    helpers = {name for s in known.values() for name in s.card.companions.values()}
    there = {p.relative_to(tiny_export.folder).as_posix() for p in onnx_files(tiny_export)}
    wanted = {f"{key}.onnx" for key in known} | {f"{key}.fp16.onnx" for key in known if f"{key}.onnx" not in helpers}
    assert there == wanted
    for path in onnx_files(tiny_export):
        graph = onnx.load(path).graph
        scales = {name for node in graph.node if node.op_type == "Resize" for name in node.input}  # float by definition
        floats = {t.data_type for t in graph.initializer if t.name not in scales or ".fp16." not in path.name}
        floats &= {TensorProto.FLOAT, TensorProto.FLOAT16}
        assert floats == {TensorProto.FLOAT16 if ".fp16." in path.name else TensorProto.FLOAT}
        onnx.checker.check_model(onnx.load(path), full_check=True)


def test_the_card_lies_beside_and_within_and_tells_the_figures(tiny_export: Exported) -> None:
    for path in onnx_files(tiny_export):
        beside = ModelCard.from_json(sidecar(path).read_bytes())
        within = ModelCard.from_json({p.key: p.value for p in onnx.load(path).metadata_props}[METADATA_KEY])
        assert beside.payload_sha256 == sha256(path) and within.payload_sha256 is None
        assert within == beside.lasting and not within.verification and within.tolerances
        assert beside.opset == 18 and beside.training["images"] > 0 and "torch" in beside.built_with.versions
        assert {n: v.status for n, v in beside.verification.items()} == dict.fromkeys(BACKENDS, "passed")
        for found in beside.verification.values():
            assert found.pictures >= 6 and found.max_abs > 0 and found.latency_ms > 0 and found.tolerance
    main = tiny_export.main
    assert load(main.with_name("model.fp16.onnx")).card.parent_sha256 == sha256(main)


@pytest.mark.parametrize("tiny_run", ["stargan"], indirect=True)
def test_the_files_that_were_measured_are_the_files_that_appear(
    tiny_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is written once: the very file, not one with the same content, and nothing touches it after."""
    real, seen = folder.verify_artefact, {}

    def measure(artefact: Any, *given: Any, **named: Any) -> Any:
        figures = real(artefact, *given, **named)
        for path in (artefact.path, artefact.path.with_suffix(".bin")):
            if path.is_file():
                seen[path.name] = (path.stat().st_ino, path.stat().st_mtime_ns, sha256(path))
        return figures

    monkeypatch.setattr(folder, "verify_artefact", measure)
    request = Request(tiny_run.folder, tmp_path / "out", formats=("onnx", "openvino"), pictures=1)
    done = export_run(dataclasses.replace(request, precisions=("fp32", "fp16")))
    last = [p for p in done.folder.rglob("*") if p.suffix in (".onnx", ".xml", ".bin")]
    kept = {p.name: (p.stat().st_ino, p.stat().st_mtime_ns, sha256(p)) for p in sorted(last)}
    assert kept == seen and {"model.onnx", "model.fp16.onnx", "model.xml", "model.bin"} <= kept.keys()


def test_no_path_of_this_machine_is_in_an_artefact(tiny_export: Exported) -> None:
    for path in tiny_export.folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert str(Path(cli.__file__).parents[2]).encode() not in data and b"site-packages" not in data, path


def test_a_miss_raises_and_leaves_nothing(tiny_run: Run, tmp_path: Path, impossible: Any) -> None:
    impossible("fp32")
    with pytest.raises(VerifyError, match="does not reproduce the model on onnxruntime"):
        export_run(Request(tiny_run.folder, tmp_path / "out", pictures=1))
    assert list(tmp_path.iterdir()) == []


def test_a_later_miss_leaves_the_earlier_export_as_it_was(
    tiny_run: Run, tiny_export: Exported, tmp_path: Path, impossible: Any
) -> None:
    folder = Path(shutil.copytree(tiny_export.folder, tmp_path / "out"))
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    impossible("fp16")
    with pytest.raises(VerifyError, match="does not reproduce the model on onnxruntime"):
        export_run(Request(tiny_run.folder, folder, pictures=1))
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_moved_data_is_said_and_drawn_faces_stand_in(tiny_run: Run, tmp_path: Path) -> None:
    if next(iter(specs(tiny_run).values())).card.task == "generate":
        pytest.skip("latents are drawn: no pictures are needed")
    folder = Path(shutil.copytree(tiny_run.folder, tmp_path / "run"))
    header = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**header, "data": "celeba:/gone"}))
    done = export_run(Request(folder, pictures=1))
    assert done.folder == folder / "export" and done.main.is_file()
    assert any("celeba:/gone" in note for note in done.notes) and any("drawn" in note for note in done.notes)
    assert "/gone" not in sidecar(done.main).read_text()
    with pytest.raises(InputError, match="celeba:/gone"):  # what the user names is not replaced
        export_run(Request(folder, data="celeba:/gone"))


def test_another_size_is_exported_verified_and_refused_where_it_cannot_be(tiny_run: Run, tmp_path: Path) -> None:
    main = next(iter(specs(tiny_run).values()))
    if main.dynamic_multiple is None:
        with pytest.raises(InputError, match="fixed size"):
            export_run(Request(tiny_run.folder, tmp_path / "out", size_hw=(24, 40), pictures=1))
        return
    hw = (3 * main.dynamic_multiple, 5 * main.dynamic_multiple)
    done = export_run(Request(tiny_run.folder, tmp_path / "out", size_hw=hw, pictures=2))
    main_file = done.main
    card = load(main_file).card
    assert card.size.hw == hw and card.inputs[0].shape[2:] == hw == card.outputs[0].shape[2:]
    pairs = golden.read(main_file.with_name("golden.npz"), "model")
    assert pairs is not None and next(iter(pairs.outputs.values())).shape[2:] == hw
    for helper_name in card.companions.values():
        assert load(main_file.with_name(helper_name)).card.size.hw == main.card.size.hw
    if main.dynamic_multiple > 1:
        with pytest.raises(InputError, match=f"multiples of {main.dynamic_multiple}"):
            export_run(Request(tiny_run.folder, tmp_path / "out", size_hw=(hw[0] + 1, hw[1])))


def test_the_engine_and_verify_parts_need_no_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None; import edgegan.export, edgegan.export.trt.build, edgegan.cli.export"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("source", ["missing", "empty", "rubbish.safetensors"])
def test_what_is_no_run_gets_plain_words(source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "rubbish.safetensors").write_bytes(b"rubbish")
    with pytest.raises(SystemExit) as done:
        cli.main(["export", str(tmp_path / source)])
    assert done.value.code == 2
    shown = capsys.readouterr()
    assert 1 <= len(shown.err.strip().splitlines()) <= 3 and source in shown.err and shown.out == ""


def test_a_miss_at_export_names_the_first_bad_layer(
    tiny_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, blamed = fp16.to_fp16, []

    def spoilt(model: Any, keep: Any, name: str) -> Any:
        half = real(model, keep, name)
        node = [n for n in half.model.graph.node if n.op_type in ("Conv", "ConvTranspose")][1]
        weights = next(t for t in half.model.graph.initializer if t.name == node.input[1])
        noise = np.random.default_rng(0).normal(0, 1, weights.dims).astype(np.float16)
        weights.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weights) + noise, weights.name))
        blamed.append(node.name)
        return half

    monkeypatch.setattr(fp16, "to_fp16", spoilt)
    with pytest.raises(VerifyError) as caught:
        export_run(Request(tiny_run.folder, tmp_path / "out", pictures=1))
    assert f"from the layer {blamed[0]} (" in caught.value.expected
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tiny_run", ["stargan"], indirect=True)
def test_instance_norms_as_reductions_are_verified_like_the_plain_ones(tiny_run: Run, tmp_path: Path) -> None:
    """The files hold no InstanceNormalization, and meet the same tolerances against PyTorch."""
    import onnx

    request = Request(tiny_run.folder, tmp_path / "out", pictures=4, instance_norm="reductions")
    made = export_run(request)
    for name in ("model.onnx", "model.fp16.onnx"):
        kinds = {node.op_type for node in onnx.load(tmp_path / "out" / name).graph.node}
        assert "InstanceNormalization" not in kinds and "ReduceMean" in kinds
    assert {row.verification.status for row in made.rows} == {"passed"}
    assert "--instance-norm reductions" in (tmp_path / "out" / "reproduce.sh").read_text()
