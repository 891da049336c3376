"""Full disks, and work that is broken off: nothing half-written stays."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support import tiny_models
from support.training.untrained import make_run

from edgegan.runtime.model.card import sidecar
from edgegan.train.folder.run import Run


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    return tiny_models.write_editor(tmp_path_factory.mktemp("sound"), size=8, classifier=False)


@pytest.fixture
def model(sound, tmp_path) -> Path:
    return Path(shutil.copytree(sound.parent, tmp_path / "model")) / sound.name


# Several commands in one process, each with its own limit on the size of files: importing torch takes seconds.
LIMITED = """
import json, resource, sys
from edgegan import cli
for most_bytes, words in json.loads(sys.argv[1]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))
    try:
        cli.main(words)
    except SystemExit as done:
        print("exit", done.code, file=sys.stderr)
"""


@pytest.fixture(scope="module")
def one_run(tmp_path_factory) -> Run:
    """What is written is alike in all families."""
    return make_run(tmp_path_factory.mktemp("one") / "run")


def test_a_full_disk_leaves_nothing_and_is_said(one_run, tmp_path):
    out = str(tmp_path / "out")
    export = ["export", str(one_run.folder), "--out", out, "--pictures", "16"]
    commands = [
        (2_000, export),  # below the smallest model
        (46_000, export),  # above every model, below the golden pairs
        (4_000, ["publish", str(one_run.folder), "--out", out]),
    ]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, json.dumps(commands)], capture_output=True, text=True, timeout=250
    )
    said = done.stderr.split("exit 2")
    assert len(said) == len(commands) + 1 and not said[-1].strip(), done.stderr
    for words in said[:-1]:
        lines = words.strip().splitlines()
        assert len(lines) <= 3 and "cannot write" in lines[0] and "File too large" in lines[0], words
    assert list(tmp_path.iterdir()) == []


def test_an_openvino_model_on_a_full_disk_is_said(sound, tmp_path):
    program = """
import onnx, resource, sys
from edgegan.export.int8 import openvino as ir
from edgegan.runtime import EdgeganError, load
model = ir.to_ir(onnx.load(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
try:
    ir.save_ir(model, load(sys.argv[1]).card, __import__("pathlib").Path(sys.argv[2]))
except EdgeganError as error:
    print(error)
"""
    words = [sys.executable, "-c", program, str(sound), str(tmp_path / "model.xml")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert "cannot write" in done.stdout and "disk space" in done.stdout, done.stderr
    assert not sidecar(tmp_path / "model.xml").exists()


def test_ctrl_c_in_the_middle_of_a_build_leaves_nothing(one_run, tmp_path):
    command = [sys.executable, "-m", "edgegan", "export", str(one_run.folder), "--out", str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as child:
        assert child.stdout is not None and child.stderr is not None
        for line in child.stdout:
            if "fp16.onnx on" in line:
                os.killpg(child.pid, signal.SIGINT)  # as a terminal does, to all that it started
                break
        child.stdout.read()
        said = child.stderr.read()
        assert child.wait(60) == 130 and said.strip() == "stopped"
    assert list(tmp_path.iterdir()) == []
