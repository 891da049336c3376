"""The process that builds engines: real builds, in which other things go wrong than the build."""

from __future__ import annotations

import getpass
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.models.tiny_half import write_half
from support.needed import needed
from support.training.untrained import make_run

from edgegan.export.trt import subprocess as apart
from edgegan.export.trt.artefact import engine_from_onnx
from edgegan.export.trt.build import Job
from edgegan.export.trt.gpu import Gpu
from edgegan.export.trt.options import EngineOptions
from edgegan.export.trt.subprocess import build_apart
from edgegan.runtime.errors import BackendError, InputError
from edgegan.runtime.model.artefact import load

needed("tensorrt_rtx", "rtx")
OPTIONS = EngineOptions(compute_capabilities=("8.9",))

# Before the child's first line, as a library that is loaded with it: what it writes is not for us.
CHATTY = """
import os, sys
os.write(2, b"a warning\\n" * 100_000)
def chat(event, words):
    if event == "import" and words[0] == "tensorrt_rtx_bindings":
        os.write(1, b"{ not json")
sys.addaudithook(chat)
"""


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """The smallest job, with a temporary folder that holds nothing else."""
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(apart.tempfile, "tempdir", str(tmp_path / "tmp"))
    return Job(write_half(folder).path, options=OPTIONS)


def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Has every child process run `program` first."""
    (tmp_path / "sitecustomize.py").write_text(program)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


@pytest.mark.timeout(60)
def test_a_child_that_writes_more_than_a_pipe_holds_is_not_stopped(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site(tmp_path, monkeypatch, CHATTY)
    told: list[tuple[str, int, int]] = []
    built = build_apart("tensorrt_rtx", job, on_progress=lambda *step: told.append(step))
    assert built.proof.half_layers > 1 and told and len(built.data) > 1000
    assert not list((tmp_path / "tmp").iterdir())


def test_the_last_words_of_a_child_that_dies_are_told(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for program, words in (
        ("import os; os.write(2, b'noise\\n' * 20_000 + b'the cause\\n'); os._exit(3)", "ended with 3: the cause"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGABRT)", "was ended by SIGABRT"),
    ):
        site(tmp_path, monkeypatch, program)
        with pytest.raises(BackendError, match=f"builds with tensorrt_rtx {words}$"):
            build_apart("tensorrt_rtx", job)
    assert not list((tmp_path / "tmp").iterdir())


@pytest.mark.parametrize(
    ("visible", "number", "seen"),
    [
        (None, 0, "0"),
        (None, 1, "1"),
        ("3,1", 0, "3"),
        ("3, 1", 1, "1"),
        ("GPU-5ebe9f43,GPU-8932f937", 1, "GPU-8932f937"),
        ("MIG-9a1c", 0, "MIG-9a1c"),
    ],
)
def test_the_child_sees_the_gpu_that_the_engine_is_for(
    visible: str | None, number: int, seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert apart._seeing(Gpu("a GPU", "8.9", "", number=number)) == {"CUDA_VISIBLE_DEVICES": seen}
    assert apart._seeing(None) == {}


@pytest.mark.parametrize("begun", [False, True])
def test_a_full_disk_leaves_no_engine_and_is_said(job: Job, tmp_path: Path, begun: bool) -> None:
    """Full from the beginning, so that the child cannot write, or once it has begun, so that we cannot."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    parent, out = load(job.onnx), tmp_path / "out" / "model.fp16.engine"

    def fill(*_: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, usual[1]))

    try:
        if not begun:
            fill()
        with pytest.raises(InputError, match="cannot write .*File too large\nfree some disk space"):
            engine_from_onnx(parent, out, options=OPTIONS, on_progress=fill if begun else None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert not list((tmp_path / "tmp").iterdir()) and not list(tmp_path.rglob("*.engine*"))


def test_without_a_place_for_the_engine_it_is_said(job: Job, tmp_path: Path) -> None:
    (tmp_path / "tmp").rmdir()
    with pytest.raises(InputError, match="cannot make a temporary folder"):
        build_apart("tensorrt_rtx", job)


def test_ctrl_c_while_tensorrt_builds_ends_the_command_and_leaves_nothing(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    (tmp_path / "tmp").mkdir()
    words = ["export", str(run.folder), "--out", str(tmp_path / "out"), "--trt", "--pictures", "1"]
    with subprocess.Popen(
        [sys.executable, "-m", "edgegan", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "TMPDIR": str(tmp_path / "tmp")},
        start_new_session=True,
    ) as child:
        assert child.stdout is not None and child.stderr is not None
        building = []
        for line in child.stdout:
            if ".engine" in line:  # a step that TensorRT itself has told
                building = members(child.pid)
                os.killpg(child.pid, signal.SIGINT)  # as a terminal does, to all that it started
                break
        child.stdout.read()
        said = child.stderr.read()
        assert child.wait(60) == 130 and said.strip() == "stopped"
    assert any("edgegan.export.trt.subprocess" in words for words in building)
    assert not members(child.pid)
    assert {path.name for path in tmp_path.iterdir()} == {"run", "tmp"}
    left = {path.name for path in (tmp_path / "tmp").iterdir()} - {f"torchinductor_{getpass.getuser()}"}
    assert not left, "a temporary folder of ours, or the mark of ONNX Runtime's telemetry"


def members(session: int) -> list[str]:
    """The command lines of the processes of a session; one that has ended, and is not reaped yet, has none."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and os.getsid(int(folder.name)) == session:
                found.append((folder / "cmdline").read_text())
        except OSError:
            continue  # it has just ended
    return [words for words in found if words]
