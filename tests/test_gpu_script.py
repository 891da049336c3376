"""benchmarks/gpu.sh: it starts nothing without a GPU, notes what fails, and says what was run. Its tools are fakes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "gpu.sh"
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not here")


def tool(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{body}\n")
    path.chmod(0o755)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A tree with the script, a GPU that answers, and programs that write down how they were called."""
    shutil.copytree(SCRIPT.parent, tmp_path / "benchmarks", ignore=shutil.ignore_patterns("results", "__pycache__"))
    (tmp_path / "models" / "avatars-128").mkdir(parents=True)
    note = f'echo "${{0##*/}} $*" >>{tmp_path}/calls'
    tool(tmp_path / "path" / "nvidia-smi", 'echo "Fake GPU, 580.1, 8.9"')
    tool(tmp_path / ".venv" / "bin" / "edgegan", note)
    tool(tmp_path / ".venv" / "bin" / "python", note)
    return tmp_path


def run(checkout: Path, **env: str) -> subprocess.CompletedProcess[str]:
    path = f"{checkout / 'path'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", str(checkout / "benchmarks" / "gpu.sh")],
        env={**os.environ, "PATH": path, **env},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_without_a_gpu_it_says_so_and_starts_nothing(checkout: Path) -> None:
    for body, words in (("exit 9", "does not answer"), ("exit 0", "lists no GPU")):
        tool(checkout / "path" / "nvidia-smi", body)
        done = run(checkout)
        assert (done.returncode, done.stdout) == (2, "") and words in done.stderr
        assert len(done.stderr.splitlines()) <= 3 and not (checkout / "calls").exists()
    assert not (checkout / "benchmarks" / "results").exists()


def test_without_the_venv_it_names_the_command(checkout: Path) -> None:
    shutil.rmtree(checkout / ".venv")
    done = run(checkout)
    assert done.returncode == 2 and "make venv" in done.stderr


def test_every_step_is_in_the_readme_with_its_files(checkout: Path) -> None:
    bin_ = checkout / ".venv" / "bin"
    folder = "runs/gpu/net/export/AtoB"
    export = f'case "$*" in *precisions.py*) mkdir -p {folder}; touch {folder}/model.onnx;; esac'
    tool(bin_ / "python", f"{(bin_ / 'python').read_text().splitlines()[1]}\n{export}")
    done = run(checkout, MODELS="net")
    assert done.returncode == 0, done.stderr
    calls = (checkout / "calls").read_text()
    for part in ("pytest -m gpu", "--only net", "edgegan doctor", "avatars-128 --trt", "cuda_options.py"):
        assert part in calls
    assert "pip uninstall" not in calls  # onnxruntime-gpu is there
    assert "bench runs/gpu/net/export/AtoB --device cuda" in calls
    readme = (checkout / "benchmarks" / "results" / "gpu" / "README.md").read_text()
    assert "- Fake GPU, 580.1, 8.9" in readme and "| tests | ran |" in readme and "bench-net-AtoB.json" in readme


def test_a_step_that_fails_is_noted_and_the_rest_runs(checkout: Path) -> None:
    python = checkout / ".venv" / "bin" / "python"
    tool(python, python.read_text().splitlines()[1] + '\ncase "$*" in *pytest*) exit 1;; esac')
    done = run(checkout, MODELS="none")
    assert done.returncode == 1
    readme = (checkout / "benchmarks" / "results" / "gpu" / "README.md").read_text()
    assert "| tests | **ended with 1** |" in readme and "| packages | ran |" in readme


def test_onnxruntime_is_replaced_where_it_is_the_one_for_cpus(checkout: Path) -> None:
    python = checkout / ".venv" / "bin" / "python"
    tool(python, python.read_text().splitlines()[1] + '\ncase "$*" in *"pip show"*) exit 1;; esac')
    assert run(checkout, MODELS="none").returncode == 0
    calls = (checkout / "calls").read_text()
    gone, came = calls.index("pip uninstall"), calls.index("onnxruntime-gpu[cuda,cudnn]")
    assert gone < came < calls.index("pytest")
