"""benchmarks/gpu.sh: it starts nothing without a GPU, notes what fails, and says what was run. Its tools are fakes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgegan.runtime.backends.nvidia import libraries

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu.sh"
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not here")

# A python whose site-packages are the lines of `installed`: it knows the GPU only if all that it takes is there.
PYTHON = """
echo "${0##*/} $*" >>CHECKOUT/calls
installed=CHECKOUT/installed
case "$*" in
  -) # the script's own question, on standard input
    for name in onnxruntime-gpu tensorrt cuda-python; do
      grep -qx "$name" $installed || { echo "no $name" >&2; exit 1; }
    done
    ! grep -qx onnxruntime $installed || { echo "this ONNX Runtime was built without CUDA" >&2; exit 1; } ;;
  "-m pip uninstall"*) for name in "${@:4}"; do sed -i "/^$name\\$/d" $installed; done ;;
  "-m pip install"*".[gpu]") cat CHECKOUT/gpu_extra >>$installed ;;
  "-m pytest"*) for word in "$@"; do case $word in --junitxml=*) cp CHECKOUT/tests.xml "${word#*=}" ;; esac; done ;;
  *gpu_absent.py*) exec REAL "$@" ;;
  *precisions.py*) mkdir -p runs/gpu/net/export/AtoB; touch runs/gpu/net/export/AtoB/model.onnx ;;
esac
"""
EDGEGAN = """
echo "${0##*/} $*" >>CHECKOUT/calls
case "$*" in
  bench*) while [ "$1" != --json ]; do shift; done; cp CHECKOUT/bench.json "$2" ;;
esac
"""
GPU_EXTRA = ("onnxruntime-gpu", "tensorrt", "cuda-python")
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
    """A tree with the script, a GPU that answers, its packages, and programs that write down how they were called."""
    shutil.copytree(SCRIPT.parent, tmp_path / "benchmarks", ignore=shutil.ignore_patterns("results", "__pycache__"))
    (tmp_path / "models" / "avatars-128").mkdir(parents=True)
    tool(tmp_path / "path" / "nvidia-smi", 'echo "Fake GPU, 580.1, 8.9"')
    for name, body in (("python", PYTHON), ("edgegan", EDGEGAN)):
        tool(tmp_path / ".venv" / "bin" / name, body.replace("CHECKOUT", str(tmp_path)).replace("REAL", sys.executable))
    for name in ("installed", "gpu_extra"):
        (tmp_path / name).write_text("\n".join(GPU_EXTRA) + "\n")
    write_tests(tmp_path)
    write_bench(tmp_path, "onnxruntime", "onnxruntime-tensorrt", "tensorrt")
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


def readme(checkout: Path) -> str:
    return (checkout / "benchmarks" / "results" / "gpu" / "README.md").read_text()


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
    done = run(checkout, MODELS="net")
    assert done.returncode == 0, done.stdout + done.stderr
    calls = (checkout / "calls").read_text()
    for part in ("pytest -m gpu", "--only net", "edgegan doctor", "avatars-128 --trt", "cuda_options.py"):
        assert part in calls
    assert "pip install" not in calls  # all of it is there
    assert "bench runs/gpu/net/export/AtoB --device cuda" in calls
    told = readme(checkout)
    assert "- Fake GPU, 580.1, 8.9" in told and "| tests | ran |" in told and "bench-net-AtoB.json" in told
    assert "Not measured" not in told


def test_a_step_that_fails_is_noted_and_the_rest_runs(checkout: Path) -> None:
    python = checkout / ".venv" / "bin" / "python"
    tool(python, python.read_text() + 'case "$*" in *"pytest"*) exit 1;; esac')
    done = run(checkout, MODELS="none")
    assert done.returncode == 1
    assert "| tests | **ended with 1** |" in readme(checkout) and "| packages | ran |" in readme(checkout)


@pytest.mark.parametrize(
    "installed",
    [
        ("onnxruntime", "cuda-python"),  # as `make venv` leaves it: another extra brings cuda-python
        ("onnxruntime-gpu", "cuda-python"),
        ("onnxruntime", *GPU_EXTRA),  # the files of one are those of the other
        (),
    ],
)
def test_what_a_gpu_takes_is_installed_where_any_of_it_is_absent(checkout: Path, installed: tuple[str, ...]) -> None:
    (checkout / "installed").write_text("".join(f"{name}\n" for name in installed))
    done = run(checkout, MODELS="none")
    assert done.returncode == 0, done.stdout + done.stderr
    calls = (checkout / "calls").read_text()
    assert calls.index("pip uninstall") < calls.index(".[gpu]") < calls.index("pytest")
    assert "onnxruntime\n" not in (checkout / "installed").read_text()


def test_where_they_do_not_help_nothing_is_measured_and_the_reason_is_said(checkout: Path) -> None:
    (checkout / "installed").write_text("onnxruntime\n")
    (checkout / "gpu_extra").write_text("onnxruntime-gpu\ncuda-python\n")
    done = run(checkout)
    assert done.returncode == 2 and "no tensorrt" in done.stderr and "cannot be used" in done.stderr
    assert not (checkout / "benchmarks" / "results").exists()


def test_its_question_is_put_to_the_real_backends(tmp_path: Path) -> None:
    """The fakes above never see it; here ONNX Runtime is real, and TensorRT an empty module."""
    if libraries.gpu_count():
        pytest.skip("there is a GPU here")
    question = SCRIPT.read_text().partition("<<'PYTHON'\n")[2].partition("\nPYTHON\n")[0]
    (tmp_path / "tensorrt.py").touch()
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-"], input=question, env=environment, cwd=SCRIPT.parents[1], capture_output=True, text=True
    )
    assert done.returncode == 1 and "ONNX Runtime" in done.stderr.splitlines()[0], done.stderr


def test_a_backend_that_has_no_row_or_no_test_is_no_success(checkout: Path) -> None:
    write_tests(checkout, onnxruntime_tensorrt="libnvinfer.so.10 is not here", tensorrt_rtx="not installed")
    write_bench(checkout, "onnxruntime", "onnxruntime-tensorrt")
    done = run(checkout, MODELS="net")
    assert done.returncode == 1
    told = readme(checkout).partition("**Not measured:**")[2]
    assert "tests.xml: no test of onnxruntime-tensorrt passed (libnvinfer.so.10 is not here)" in told
    assert "bench-net-AtoB.json: no row of tensorrt on a GPU (there is no GPU)" in told
    assert len(told.strip().splitlines()) == 2  # TensorRT for RTX does not know every GPU
    (checkout / "tests.xml").unlink()
    assert run(checkout, MODELS="none").returncode == 1 and "no test was run" in readme(checkout)
