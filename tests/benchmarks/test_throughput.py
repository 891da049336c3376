"""Training throughput: both loops run, and a GPU that is not there is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "throughput.py"
SMALL = ("conv_dim=8", "blocks=1", "train.batch=2", "train.workers=1")


def run(*words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(SCRIPT.parents[1]), "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, str(SCRIPT), "--family", "stargan", "--data", "avatars:20", "--workers", "0", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=240)


def test_both_loops_take_turns_and_the_table_names_their_precisions(tmp_path: Path) -> None:
    settings = [word for setting in SMALL for word in ("--set", setting)]
    done = run("--turns", "2", "--steps", "1", "--threads", "1", "--out", str(tmp_path / "found"), *settings)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["device"] == "cpu" and found["precision"] == {"edgegan": "fp32", "plain": "fp32"}
    assert all(len(rates) == 2 and min(rates) > 0 for rates in found["images_per_s"].values())
    assert "| plain, fp32 |" in done.stdout and "| edgegan, fp32 |" in done.stdout


def test_without_a_gpu_it_says_so() -> None:
    done = run("--device", "cuda")
    assert done.returncode == 2 and "PyTorch sees no CUDA device here" in done.stderr and not done.stdout


@pytest.mark.gpu
def test_both_loops_run_on_a_gpu(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("there is no NVIDIA GPU here")
    settings = [word for setting in SMALL for word in ("--set", setting)]
    command = [sys.executable, str(SCRIPT), "--family", "stargan", "--data", "avatars:20", "--device", "cuda"]
    out = ["--turns", "1", "--steps", "5", "--out", str(tmp_path / "found")]
    subprocess.run([*command, *out, *settings], check=True, env={**os.environ, "PYTHONPATH": str(SCRIPT.parents[1])})
    assert json.loads((tmp_path / "found.json").read_text())["device"] == torch.cuda.get_device_name(0)
