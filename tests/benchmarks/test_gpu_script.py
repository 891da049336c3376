"""benchmarks/gpu.sh: steps in order of value, none of which stops the rest. Its tools are fakes."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.fakes.cuda_sessions import picture_of, picture_on_gpu, play_cuda
from support.fakes.gpu_array import OnGpu

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu.sh"
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not here")

# A python that writes down how it was called, and for some calls the files that the real one would.
PYTHON = """
echo "$*" >>CHECKOUT/calls
case "$*" in
  "-m pytest"*) for word in "$@"; do case $word in --junitxml=*) cp CHECKOUT/tests.xml "${word#*=}" ;; esac; done ;;
  *gpu/absent.py*) exec REAL "$@" ;;
  *precisions.py*stargan*) mkdir -p runs/gpu/stargan-128/export; touch runs/gpu/stargan-128/export/model.onnx ;;
  *" bench "*) while [ "$1" != --json ]; do shift; done; cp CHECKOUT/bench.json "$2" ;;
esac
"""
RUNNERS = ("onnxruntime", "onnxruntime-tensorrt", "tensorrt", "tensorrt_rtx")


def tool(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{body}\n")
    path.chmod(0o755)


def write_tests(checkout: Path, **skipped: str) -> None:
    """The results of the GPU tests, of which those of some runners were skipped; "_" stands for "-"."""
    cases = []
    for name in RUNNERS:
        reason = skipped.get(name.replace("-", "_"))
        inside = f'<skipped type="pytest.skip" message="{reason}"/>' if reason else ""
        case = f"test_every_family[reproduces_pytorch-{name}-model.fp16.onnx-cyclegan]"
        cases.append(f'<testcase classname="tests.test_gpu.TestOnGpu" name="{case}" time="1">{inside}</testcase>')
    (checkout / "tests.xml").write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")


def write_bench(checkout: Path, *engines: str) -> None:
    """A benchmark in which those engines ran on the GPU, and ONNX Runtime on the CPU."""
    rows = [{"engine": name, "device": "cuda"} for name in engines]
    absent = [{"title": "TensorRT fp16 (cuda)", "reason": "there is no GPU"}] if "tensorrt" not in engines else []
    report = {"results": [{"engine": "onnxruntime", "device": "cpu"}, *rows], "absent": absent}
    (checkout / "bench.json").write_text(json.dumps(report))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A tree with the script, a GPU that answers, and a python that writes down how it was called."""
    shutil.copytree(SCRIPT.parent, tmp_path / "benchmarks", ignore=shutil.ignore_patterns("results", "__pycache__"))
    tool(tmp_path / "path" / "nvidia-smi", 'echo "Fake GPU, 580.1, 8.9"')
    python = tmp_path / ".venv" / "bin" / "python"
    tool(python, PYTHON.replace("CHECKOUT", str(tmp_path)).replace("REAL", sys.executable))
    write_tests(tmp_path)
    write_bench(tmp_path, "onnxruntime", "onnxruntime-tensorrt", "tensorrt")
    return tmp_path


def run(checkout: Path, *words: str) -> tuple[int, dict[str, str]]:
    """The script's exit status, and the status of each step in order."""
    path = f"{checkout / 'path'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", str(checkout / "benchmarks" / "gpu.sh"), *words],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=100,
    )
    lines = (checkout / "benchmarks" / "results" / "gpu" / "steps.jsonl").read_text().splitlines()
    return done.returncode, {step["step"]: step["status"] for step in map(json.loads, lines)}


def calls(checkout: Path) -> list[str]:
    return (checkout / "calls").read_text().splitlines()


def also(checkout: Path, pattern: str, command: str) -> None:
    """Has python run `command` when it is called with words like `pattern`."""
    python = checkout / ".venv" / "bin" / "python"
    python.write_text(python.read_text() + f'\ncase "$*" in {pattern}) {command} ;; esac\n')


@pytest.mark.parametrize("body", ["exit 9", ""])
def test_without_a_gpu_every_step_that_needs_one_says_so_and_the_others_run(checkout: Path, body: str) -> None:
    tool(checkout / "path" / "nvidia-smi", body)
    status, steps = run(checkout)
    assert status == 1
    assert {name for name, said in steps.items() if said == "ran"} == {"packages", "doctor"}
    assert {said for said in steps.values()} == {"ran", "no GPU"} and len(steps) > 12
    assert calls(checkout) == ["-m pip list --format=freeze", "-m edgegan doctor"]


def test_on_a_gpu_every_step_runs_the_most_valuable_first_and_nothing_is_installed_or_removed(checkout: Path) -> None:
    status, steps = run(checkout)
    assert status == 0 and set(steps.values()) == {"ran"}
    order = list(steps)
    assert order.index("host") < order.index("tests") < order.index("bench-shipped") < order.index("torch")
    assert order.index("train") < order.index("export-stargan-128") < order.index("bench-stargan-128")
    said = calls(checkout)
    assert not [call for call in said if "install" in call]
    assert any("bench runs/gpu/stargan-128/export --device cuda" in call for call in said)
    assert any("--profile benchmarks/results/gpu/layers-stargan-128.png" in call for call in said)


def test_a_step_that_fails_is_noted_and_the_rest_runs(checkout: Path) -> None:
    also(checkout, '*"pytest"*', "exit 3")
    status, steps = run(checkout)
    assert status == 1 and steps.pop("tests") == "ended with 3"
    assert set(steps.values()) == {"ran"}


def test_a_step_that_hangs_is_stopped_at_its_limit_with_its_children_and_the_rest_runs(checkout: Path) -> None:
    script = checkout / "benchmarks" / "gpu.sh"
    script.write_text(script.read_text().replace("probe pool 40", "probe pool 1"))
    also(checkout, "*gpu/probe.py*pool*", f"sleep 60 & echo $! >{checkout}/child; wait")
    status, steps = run(checkout)
    assert status == 1 and steps.pop("pool") == "stopped after 1 s"
    assert set(steps.values()) == {"ran"}
    state = Path("/proc") / (checkout / "child").read_text().strip() / "stat"
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


def test_what_no_time_is_left_for_is_noted(checkout: Path) -> None:
    also(checkout, "*gpu/probe.py*host*", "sleep 60")
    status, steps = run(checkout, "--minutes", "0.1")
    assert status == 1 and steps["host"].startswith("stopped after")
    assert steps["tests"] == steps["absent"] == "no time left" and steps["doctor"] == "ran"


def test_packages_for_a_machine_without_a_network_go_into_a_folder_of_their_own(checkout: Path) -> None:
    (checkout / "wheels").mkdir()
    (checkout / "wheels" / "a-1.0-py3-none-any.whl").touch()
    also(checkout, '*"pip install"*', f"mkdir -p runs/gpu/site; echo $PYTHONPATH >{checkout}/before")
    also(checkout, "*doctor*", f"echo $PYTHONPATH >{checkout}/after")
    status, _ = run(checkout, "--wheels", "wheels")
    words = "-m pip install -q --no-index --no-deps --no-compile --target runs/gpu/site wheels/a-1.0-py3-none-any.whl"
    assert status == 0 and calls(checkout)[0] == words
    assert (checkout / "after").read_text().startswith(f"{checkout}/runs/gpu/site:")
    also(checkout, '*"pip install"*', "exit 1")
    (checkout / "calls").unlink()
    script = ["bash", str(checkout / "benchmarks" / "gpu.sh"), "--wheels", "wheels"]
    done = subprocess.run(script, capture_output=True, timeout=60)
    assert done.returncode == 2 and len(calls(checkout)) == 1, "it does not go on without them"


def test_a_word_that_it_does_not_know_starts_nothing(checkout: Path) -> None:
    script = ["bash", str(checkout / "benchmarks" / "gpu.sh"), "--hours", "2"]
    done = subprocess.run(script, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "--minutes" in done.stderr and not (checkout / "calls").exists()


def test_a_backend_that_has_no_row_or_no_test_is_no_success(checkout: Path) -> None:
    write_tests(checkout, onnxruntime_tensorrt="libnvinfer.so.10 is not here", tensorrt_rtx="not installed")
    write_bench(checkout, "onnxruntime", "onnxruntime-tensorrt")
    status, steps = run(checkout)
    assert status == 1 and steps["absent"] == "ended with 1"
    told = (checkout / "benchmarks" / "results" / "gpu" / "absent.log").read_text()
    assert "tests.xml: no test of onnxruntime-tensorrt passed (libnvinfer.so.10 is not here)" in told
    assert "bench-stargan-128.json: no row of tensorrt on a GPU (there is no GPU)" in told
    assert "tensorrt_rtx" not in told  # TensorRT for RTX does not know every GPU


@pytest.mark.parametrize("probe", ["host", "engine", "pool", "frames", "overlap"])
def test_a_probe_tells_every_answer_in_a_line_also_where_it_fails(probe: str, tmp_path: Path) -> None:
    """On a CPU: CUDA has no GPU, the backend of TensorRT a fake one, and the pool works."""
    out = tmp_path / "out.jsonl"
    words = [sys.executable, str(SCRIPT.parent / "gpu" / "probe.py"), probe, str(out), "--device", "cpu", "--tiny"]
    words += ["--model", str(SCRIPT.parents[1] / "runtime" / "data" / "avatars")]
    root = str(SCRIPT.parents[1])
    environment = {**os.environ, "PYTHONPATH": root, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(words, cwd=root, env=environment, capture_output=True, text=True, timeout=100)
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["ok"] for line in lines] == {
        "host": [False, True, False, False],
        "engine": [True] * 7,
        "pool": [True],
        "frames": [False, False, False],  # every one of them begins on the GPU
        "overlap": [True] * 5,
    }[probe], done.stderr
    assert done.returncode == (1 if probe in ("host", "frames") else 0)


def test_frames_are_timed_and_compared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The probe of frames on a GPU made of host memory: its figures are there; what they would be is not said."""
    monkeypatch.syspath_prepend(str(SCRIPT.parent / "gpu"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    fake = play_cuda(monkeypatch)
    figures, frames = importlib.import_module("figures"), importlib.import_module("frames")

    def upload(picture: np.ndarray) -> OnGpu:
        made = picture_on_gpu(fake, picture)
        made.write(picture)  # now, and not when somebody waits for it
        return made

    monkeypatch.setattr(frames, "upload", upload)
    monkeypatch.setattr(frames, "download", picture_of)
    monkeypatch.setenv("EDGEGAN_AUTO", "card")
    probe = figures.Probe(tmp_path / "out.jsonl", "cuda", True)
    monkeypatch.setattr(probe, "time", lambda run: run() or {"p50_ms": 0.0})
    frames.frames(probe)
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["ok"] for row in rows] == [True] * 3, rows
    assert rows[0]["faces"] >= 2 and {row["backend"] for row in rows} == {"onnxruntime"}
    assert rows[1]["psnr_db"] > 45 and rows[2]["psnr_db"] > 35 and rows[1]["stages_ms"]["blend"] > 0
