"""The processor's INT8 arithmetic: read from what systems tell, and what passed on another one is proven here first."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from support import tiny_models

from edgegan.runtime.backends import open_backend, processor
from edgegan.runtime.backends.processor import int8_arithmetic
from edgegan.runtime.errors import BackendError
from edgegan.runtime.model.artefact import Artefact, load
from edgegan.runtime.model.verification import Verification

X86 = "processor\t: 0\nflags\t\t: fpu sse2 avx2{}\nbugs\t\t: avx_vnni_bug\n\nprocessor\t: 1\nflags\t\t: fpu\n"
ARM = "processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd{}\n"


@pytest.fixture(autouse=True)
def afresh():
    int8_arithmetic.cache_clear()
    yield
    int8_arithmetic.cache_clear()


@pytest.mark.parametrize(
    ("machine", "text", "said"),
    [
        ("x86_64", X86.format(""), "x86_64"),
        ("x86_64", X86.format(" avx_vnni"), "x86_64 vnni"),
        ("x86_64", X86.format(" avx512_vnni avx_vnni amx_tile amx_int8"), "x86_64 amx vnni"),
        ("aarch64", ARM.format(" asimddp"), "aarch64 dotprod"),
        ("aarch64", ARM.format(" asimddp i8mm"), "aarch64 dotprod i8mm"),
        ("riscv64", "processor\t: 0\nisa\t: rv64imafdc\n", "riscv64 unknown"),
        ("x86_64", None, "x86_64 unknown"),
    ],
)
def test_linux_tells_what_multiplies_bytes(monkeypatch, tmp_path, machine, text, said):
    monkeypatch.setattr(processor, "_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(platform, "machine", lambda: machine)
    if text is not None:
        (tmp_path / "cpuinfo").write_text(text)
    assert int8_arithmetic() == said


@pytest.mark.parametrize(
    ("machine", "answer", "said"),
    [
        ("arm64", "1\n1\n", "aarch64 dotprod i8mm"),
        ("arm64", "1\n0\n", "aarch64 dotprod"),
        ("arm64", "", "aarch64 unknown"),
        ("x86_64", "", "x86_64 unknown"),
    ],
)
def test_a_mac_is_asked_for_it(monkeypatch, tmp_path, machine, answer, said):
    (tmp_path / "sysctl").write_text(f"#!/bin/sh\nprintf '{answer}'\n")
    (tmp_path / "sysctl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert int8_arithmetic() == said


def test_one_architecture_has_one_name_on_every_system(monkeypatch):
    assert processor.architecture("AMD64") == "x86_64" == processor.architecture("x86_64")
    assert processor.architecture("arm64") == "aarch64"
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    assert processor.system() == "Windows x86_64"


def write_verified(folder: Path, there: str, *, precision: str = "int8", wrong: float = 0.0) -> Artefact:
    """A model whose card says that it passed where INT8 is computed as `there`; its pairs are off by `wrong`."""
    found = load(tiny_models.write_editor(folder, classifier=False))
    with np.load(folder / "golden.npz") as file:
        stored = dict(file)
    stored["model.out.edited"] = stored["model.out.edited"] + np.float32(wrong)
    np.savez(folder / "golden.npz", **stored)
    passed = {name: Verification(status="passed", latency_ms=1.0) for name in ("onnxruntime", "openvino")}
    card = msgspec.structs.replace(found.card, precision=precision, int8_arithmetic=there, verification=passed)
    return Artefact(found.path, card)


@pytest.mark.parametrize("there", ["", "x86_64", "aarch64 dotprod", "x86_64 unknown"])
@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_int8_that_passed_on_another_processor_runs_the_golden_pairs_here(tmp_path, monkeypatch, backend, there):
    monkeypatch.setattr(processor, "int8_arithmetic", lambda: there if "unknown" in there else "x86_64 vnni")
    with open_backend(write_verified(tmp_path / "right", there), backend, "cpu") as opened:
        assert "golden pairs just now" in opened.selection.why
    with pytest.raises(BackendError, match="does not reproduce the model"):
        open_backend(write_verified(tmp_path / "wrong", there, wrong=0.5), backend, "cpu")


def test_what_passed_on_a_processor_like_this_one_is_believed(tmp_path, monkeypatch):
    monkeypatch.setattr(processor, "int8_arithmetic", lambda: "x86_64 vnni")
    with open_backend(write_verified(tmp_path, "x86_64 vnni", wrong=0.5)) as opened:
        assert "verified" in opened.selection.why
    with open_backend(write_verified(tmp_path / "fp32", "x86_64", precision="fp32", wrong=0.5)) as opened:
        assert "verified" in opened.selection.why


ELSEWHERE = "aarch64" if processor.architecture() != "aarch64" else "x86_64"


def on_architectures(folder: Path, built: str, measured: str, wrong: float = 0.0) -> Artefact:
    """A float32 model that passed on the architecture `measured`, or, if that is empty, where it was built."""
    found = write_verified(folder, "", precision="fp32", wrong=wrong)
    figures = {
        name: msgspec.structs.replace(each, architecture=measured) for name, each in found.card.verification.items()
    }
    system = msgspec.structs.replace(found.card.built_with, system=f"Linux {built}" if built else "")
    return Artefact(found.path, msgspec.structs.replace(found.card, built_with=system, verification=figures))


@pytest.mark.parametrize(("built", "measured"), [(ELSEWHERE, ""), (platform.machine(), ELSEWHERE)])
@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_floats_that_passed_on_another_architecture_run_the_golden_pairs_here(tmp_path, backend, built, measured):
    """A library runs other code there."""
    with open_backend(on_architectures(tmp_path / "right", built, measured), backend, "cpu") as opened:
        assert "golden pairs just now" in opened.selection.why
    with pytest.raises(BackendError, match="does not reproduce the model"):
        open_backend(on_architectures(tmp_path / "wrong", built, measured, wrong=0.5), backend, "cpu")


@pytest.mark.parametrize(("built", "measured"), [(platform.machine(), ""), (ELSEWHERE, platform.machine()), ("", "")])
def test_floats_that_passed_on_this_architecture_are_believed(tmp_path, built, measured):
    with open_backend(on_architectures(tmp_path, built, measured, wrong=0.5)) as opened:
        assert "just now" not in opened.selection.why


def test_what_failed_on_another_architecture_is_tried_here(tmp_path):
    found = on_architectures(tmp_path, ELSEWHERE, ELSEWHERE)
    failed = {name: Verification(status="failed", architecture=ELSEWHERE) for name in found.card.verification}
    with open_backend(Artefact(found.path, msgspec.structs.replace(found.card, verification=failed))) as opened:
        assert "golden pairs just now" in opened.selection.why


def test_this_machine_is_known():
    if sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64"):
        assert "unknown" not in int8_arithmetic()
