"""Benchmarks: honest arithmetic, fair turns, a stable report, and no torch where none is needed."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from support.tiny_models import write_editor

from edgegan import families
from edgegan.bench import machine, subjects
from edgegan.bench.messages import Job
from edgegan.bench.pairs import fidelity, gather
from edgegan.bench.plot import write_plot
from edgegan.bench.report import Report
from edgegan.bench.session import Request, run_benchmark
from edgegan.bench.subjects import Subject, plan
from edgegan.bench.targets import Target, resolve
from edgegan.runtime.errors import InputError


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_editor(tmp_path_factory.mktemp("export"))


@pytest.fixture(scope="module")
def report(editor: Path) -> Report:
    return run_benchmark(Request(path=editor, iterations=4, starts=1, threads=1))


# --- report ---


def test_every_backend_is_measured_or_listed_with_a_reason(report: Report) -> None:
    assert {r.engine for r in report.results} == {"onnxruntime", "openvino"}
    assert all(a.reason for a in report.absent)
    if not report.machine.gpus:
        assert [a.title for a in report.absent] == ["ONNX Runtime fp32 (cuda)", "ONNX Runtime TensorRT fp32 (cuda)"]


def test_the_slowest_is_the_baseline_without_eager(report: Report) -> None:
    slowest = max(report.results, key=lambda r: r.latency_ms.p50)
    assert {r.baseline for r in report.results} == {slowest.id}
    assert slowest.speedup.median == 1.0


def test_fidelity_is_against_the_stored_golden_outputs(report: Report) -> None:
    assert "as stored at export" in report.protocol.reference
    for result in report.results:
        assert result.fidelity is not None
        assert result.fidelity.pictures == 4
        assert result.fidelity.psnr_worst_db > 100
        assert result.fidelity.max_abs is not None and result.fidelity.max_abs < 1e-5


def test_cold_start_and_memory_are_those_of_a_whole_process(report: Report) -> None:
    for result in report.results:
        cold = result.cold_start
        assert cold.total_s > cold.open_s + cold.first_s > 0
        assert result.peak_memory_mib > 20
    by_engine = {r.engine: r.peak_memory_mib for r in report.results}
    assert by_engine["openvino"] != by_engine["onnxruntime"]


def test_json_survives_a_round_trip_and_refuses_what_it_does_not_know(report: Report) -> None:
    assert Report.from_json(report.to_json()) == report
    document = msgspec.json.decode(report.to_json())
    assert document["schema"] == 1
    assert {"date", "command", "model", "machine", "protocol", "results", "absent", "notices"} < document.keys()
    for key in ("latency_ms", "fps", "speedup", "fidelity", "cold_start", "peak_memory_mib"):
        assert key in document["results"][0]
    with pytest.raises(InputError, match="extra"):
        Report.from_json(msgspec.json.encode({**document, "extra": 1}))


def test_the_report_names_no_host_and_no_path(report: Report, editor: Path) -> None:
    import platform

    for text in (report.to_json().decode(), report.markdown()):
        assert str(editor.parent) not in text
        assert str(Path.home()) + "/" not in text
        assert platform.node() == "" or platform.node() not in text.replace(platform.release(), "")


def test_paths_are_cut_from_reasons() -> None:
    text = "cannot load /home/ann/runs/x/model.onnx: and/or 3/4 of 'C:\\Users\\ann\\m.onnx'"
    assert machine.without_paths(text) == "cannot load model.onnx: and/or 3/4 of 'm.onnx'"


def test_markdown_has_a_row_for_each_result(report: Report) -> None:
    text = report.markdown()
    for result in report.results:
        assert f"| {result.title} | " in text
    assert report.machine.cpu in text and report.command in text


def test_the_plot_is_a_png(report: Report, tmp_path: Path) -> None:
    write_plot(report, tmp_path / "bench.png")
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")


def test_a_busy_machine_is_called_busy() -> None:
    found = machine.describe()
    assert msgspec.structs.replace(found, load_before=0.9 * found.cores).busy
    assert not msgspec.structs.replace(found, load_before=0.0).busy


# --- subjects and inputs ---


def test_two_files_of_one_precision_are_told_apart(tmp_path: Path) -> None:
    path = write_editor(tmp_path)
    for part in ("", ".card.json"):
        (tmp_path / f"model.b.onnx{part}").write_bytes((tmp_path / f"model.onnx{part}").read_bytes())
    subjects, _ = plan(resolve(path.parent), ("openvino",), "cpu", cuda=False)
    assert [s.variant for s in subjects] == ["model.onnx", "model.b.onnx"]
    assert len({s.id for s in subjects}) == 2


def test_what_an_export_lacks_is_listed(editor: Path) -> None:
    _, absent = plan(resolve(editor.parent), (), "auto", cuda=False)
    reasons = {a.title: a.reason for a in absent}
    assert "model.fp16.onnx" in reasons["OpenVINO fp16"]
    assert "--trt" in reasons["TensorRT fp16 (cuda)"]


def test_what_makes_the_rest_of_an_export_is_a_command_that_names_its_run(editor: Path, tmp_path: Path) -> None:
    """An export folder is nothing that can be exported."""
    assert resolve(editor.parent).export_command() == "edgegan export RUN"
    model = write_editor(tmp_path / "one" / "export")
    (tmp_path / "one" / "config.json").write_text("{}")
    for named in (model.parent, tmp_path / "one"):
        assert resolve(named).export_command("--trt") == "edgegan export one --trt"


def test_what_was_exported_belongs_to_its_checkpoint(tmp_path: Path) -> None:
    model = write_editor(tmp_path / "run" / "export")
    inside, lone = tmp_path / "run" / "checkpoints" / "0000000001.safetensors", model.with_name("ema.safetensors")
    for path in (inside, lone, tmp_path / "other.safetensors"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    assert resolve(inside).artefacts == resolve(lone).artefacts == (model,)
    assert resolve(inside).trained == inside
    assert resolve(tmp_path / "other.safetensors").artefacts == ()


def test_made_up_inputs_fit_the_card(tmp_path: Path) -> None:
    path = write_editor(tmp_path / "export", pairs=0)
    subject = Subject(engine="openvino", precision="fp32", device="cpu", path=str(path))
    job = Job(subject=subject, stem="model", folder="", threads=1, scratch=str(tmp_path))
    pairs = gather(resolve(path), 64, tmp_path, job)
    image, label = np.load(tmp_path / "in.image.npy"), np.load(tmp_path / "in.label.npy")
    assert image.shape == (pairs.count, 3, 32, 32) and label.shape == (pairs.count, 3)
    assert image.min() >= -1 and image.max() <= 1 and image.dtype == np.float32
    assert len(np.unique(label, axis=0)) > 1
    assert pairs.outputs is None and "made-up" in pairs.source


def test_fidelity_reports_the_worst_picture(tmp_path: Path, editor: Path) -> None:
    subject = Subject(engine="openvino", precision="fp32", device="cpu", path=str(editor))
    pairs = gather(resolve(editor), 64, tmp_path, Job(subject=subject, stem="model", folder="", threads=1, scratch=""))
    assert pairs.outputs is not None
    seen = {name: a.copy() for name, a in pairs.outputs.items()}
    seen["edited"][2] += 0.2  # of a range of 2: 20 dB
    found = fidelity(pairs, pairs.outputs, seen)
    assert found.psnr_worst_db == pytest.approx(20.0, abs=0.01)
    assert found.max_abs == pytest.approx(0.2)
    assert found.psnr_mean_db == pytest.approx((3 * 200 + 20) / 4, abs=0.01)
    seen["edited"][0, 0, 0, 0] = np.nan
    assert fidelity(pairs, pairs.outputs, seen).max_abs is None


# --- a run ---


@pytest.mark.parametrize("family", families.names())
def test_a_run_is_measured_against_its_own_eager_network(family: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from edgegan.train.folder.run import Run
    from edgegan.train.loop import Trainer

    cfg = families.get(family).tiny()
    run = Run(tmp_path / "run", family, cfg, cfg.train.data)
    run.write_config()
    Trainer(run, torch.device("cpu"), threads=1).save()
    found = run_benchmark(
        Request(path=run.folder, backends=("eager",), device="cpu", iterations=2, starts=1, pictures=4)
    )
    (eager,) = found.results
    assert (eager.id, eager.baseline, eager.fidelity, eager.file) == ("eager-fp32-cpu", "eager-fp32-cpu", None, "")
    assert eager.speedup.median == 1.0
    assert found.protocol.inputs == "4 held-out inputs of the run" and found.absent == ()
    assert found.model.family == family


def test_on_a_gpu_eager_is_measured_with_and_without_tf32_and_launched_in_every_way(monkeypatch) -> None:
    """What is offered where there is a GPU; none of these rows has run on one here."""
    monkeypatch.setattr(subjects, "can_import", lambda module: True)
    target = Target("run", Path("run"), (), "", "model")
    found, _ = subjects.plan(target, ("eager", "compile"), "cuda", cuda=True)
    assert len({s.id for s in found}) == len(found) and not any(" " in s.id for s in found)
    assert [s.title.removesuffix(" (cuda)") for s in found] == [
        "PyTorch eager fp32",
        "torch.compile fp32",
        "PyTorch eager tf32",
        "PyTorch eager fp16 channels_last",
        "PyTorch eager fp16 channels_last CUDA graph",
        "torch.compile fp16 channels_last",
        "torch.compile fp16 channels_last max-autotune",
    ]
