"""Benchmarks: what cannot be measured says why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.benches import bench
from support.tiny_models import write_editor

from edgegan.bench import fresh, machine
from edgegan.bench.messages import Job
from edgegan.bench.pairs import check_same_model, gather
from edgegan.bench.report import Report
from edgegan.bench.session import Request, run_benchmark
from edgegan.bench.subjects import Subject
from edgegan.bench.targets import resolve
from edgegan.runtime.errors import BackendError, InputError

QUICK = ["--iterations", "4", "--starts", "1", "--threads", "1"]


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_editor(tmp_path_factory.mktemp("export"))


# --- the command ---


def test_an_onnx_file_needs_no_torch(editor: Path, tmp_path: Path) -> None:
    """torch is forbidden in the command and in every process that it starts."""
    import os

    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Forbid:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in ('torch', 'torchvision'):\n"
        "            raise ModuleNotFoundError(f'no module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Forbid())\n"
    )
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    blocked = subprocess.run([sys.executable, "-c", "import torch"], env=env, capture_output=True, text=True)
    assert "no module named 'torch'" in blocked.stderr
    done = bench(editor, *QUICK, "--json", tmp_path / "b.json", "--backend", "onnxruntime", env=env)
    assert done.returncode == 0, done.stderr
    found = Report.from_json((tmp_path / "b.json").read_bytes())
    assert [r.engine for r in found.results] == ["onnxruntime"]
    assert "torch" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.onnx"], "there is no model at nowhere.onnx"),
        ([__file__], "is not a model"),
        (["{model}", "--backend", "onnx"], "there is no backend 'onnx'"),
        (["{model}", "--device", "tpu"], "there is no device 'tpu'"),
        (["{model}", "--backend", "tensorrt"], "nothing could be measured"),
        (["{model}", "--backend", "eager"], "PyTorch runs a run or a checkpoint"),
        (["{model}", "--seconds", "1", "--iterations", "2"], "both given"),
        (["{model}", "--plot", "bench.jpg"], "not a PNG"),
        (["{model}", "--json", "{folder}"], "it is a folder"),
    ],
)
def test_bad_input_gives_plain_words_and_code_2(
    arguments: list[str], words: str, editor: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from edgegan.cli import main

    with pytest.raises(SystemExit) as ended:
        main(["bench", *(a.format(model=editor, folder=editor.parent) for a in arguments)])
    said = capsys.readouterr().err.strip()
    assert ended.value.code == 2
    assert words in said
    assert 1 <= len(said.splitlines()) <= 3


def test_a_truncated_model_is_refused_before_anything_runs(editor: Path, tmp_path: Path) -> None:
    cut = tmp_path / "model.onnx"
    cut.write_bytes(editor.read_bytes()[:-20])
    with pytest.raises(InputError, match="cut short"):
        run_benchmark(Request(path=cut))


def test_a_process_that_dies_is_a_reason_not_a_crash(editor: Path, tmp_path: Path) -> None:
    subject = Subject(engine="tensorrt", precision="fp16", device="cuda", path=str(tmp_path / "x" / "no.engine"))
    with pytest.raises(fresh.WorkerFailedError) as refused:
        fresh.Worker(Job(subject=subject, stem="model", folder="", threads=1, scratch=str(tmp_path)))
    assert "no.engine" in str(refused.value) and str(tmp_path) not in str(refused.value)


@pytest.mark.skipif(bool(machine.gpus()), reason="an NVIDIA GPU is here")
def test_nothing_measured_says_why(editor: Path) -> None:
    with pytest.raises(BackendError, match="no NVIDIA GPU"):
        run_benchmark(Request(path=editor, device="cuda", iterations=1, starts=1))


def test_an_export_of_another_checkpoint_is_refused(editor: Path, tmp_path: Path) -> None:
    eager = Subject(engine="eager", precision="fp32", device="cpu", path="run")
    pairs = gather(resolve(editor), 64, tmp_path, Job(subject=eager, stem="model", folder="", threads=1, scratch=""))
    assert pairs.outputs is not None
    file = tmp_path / f"out.{eager.id}.edited.npy"
    np.save(file, pairs.outputs["edited"] + 1e-4)
    check_same_model(pairs, eager)
    np.save(file, pairs.outputs["edited"] + 1e-1)
    with pytest.raises(InputError, match="another checkpoint"):
        check_same_model(pairs, eager)
