"""What runs on an emulated aarch64, and how it is told; the emulation itself is not run here."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from support import tiny_models

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "arm.py"


@pytest.fixture
def arm(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    return runpy.run_path(str(SCRIPT))


def write_program(folder: Path, words: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "qemu-aarch64").write_text(f"#!{sys.executable}\nimport sys\n{words}\n")
    (folder / "qemu-aarch64").chmod(0o755)


def test_without_an_emulator_it_says_what_to_install(tmp_path):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "avatars"],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": str(tmp_path)},
        timeout=120,
    )
    assert done.returncode == 1 and "apt-get install qemu-user mmdebstrap" in done.stderr


def test_every_file_goes_to_the_libraries_that_read_it(arm, tmp_path):
    for name in ("model.onnx", "model.mnn", "classifier.mnn", "model.ncnn.param", "model.tflite", "golden.npz"):
        (tmp_path / name).touch()
    found = {file.name: arm["backends"](file) for file in arm["files"](str(tmp_path))}
    assert found == {
        "model.onnx": ["onnxruntime", "openvino"],
        "model.mnn": ["mnn"],
        "model.ncnn.param": ["ncnn"],
        "model.tflite": ["litert"],
    }
    assert arm["files"]("avatars")[0].parent.name == "avatars"


def test_the_figures_are_those_that_verify_prints(arm, tmp_path, monkeypatch):
    """Whatever a library prints before them; what ends without any has failed, with its last words."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    model = tiny_models.write_editor(tmp_path / "model", classifier=False)
    figures = {"status": "failed", "reason": "13 dB", "pictures": 8, "psnr_worst_db": 13.0, "max_abs": 1.8}
    told = json.dumps({"openvino": {**figures, "architecture": "aarch64"}})
    write_program(tmp_path / "bin", f"print('a warning\\n' + {told!r}); sys.exit(2)")
    row = arm["row"](tmp_path, model, "openvino", "cortex-a76")
    assert row["file"] == "model/model.onnx" and row["psnr_worst_db"] == 13.0 and row["architecture"] == "aarch64"
    write_program(tmp_path / "bin", "print('Segmentation fault', file=sys.stderr); sys.exit(139)")
    assert arm["row"](tmp_path, model, "onnxruntime", "max")["reason"] == "Segmentation fault"
    lines = arm["table"](
        {"rows": [{**row, "version": "2026.4", "x86_64_db": 140.0}], "emulator": "qemu 7"}
    ).splitlines()
    assert lines[2] == "| model/model.onnx | openvino 2026.4 | cortex-a76 | 13.0 | 140.0 | failed: 13 dB |"
