"""The table for edge devices: every verified pair in a process of its own, its least times, and what tells energy."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from support import tiny_models

from edgegan.runtime.model.artefact import load
from edgegan.runtime.model.verification import Verification

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import edge
import msgspec


@pytest.fixture
def folder(tmp_path):
    found = load(tiny_models.write_editor(tmp_path / "model"))
    known = {"onnxruntime": Verification(status="passed"), "openvino": Verification(status="failed", reason="12 dB")}
    msgspec.structs.replace(found.card, verification=known).write(found.path)
    return found.path.parent


def test_what_passed_is_measured_and_said(folder, tmp_path, monkeypatch, capsys):
    given = ["--threads", "1", "--seconds", "0.02", "--turns", "2", "--sustained", "0.1", "--out", str(tmp_path / "e")]
    monkeypatch.setattr(sys, "argv", ["edge.py", str(folder), *given])
    edge.main()
    figures = json.loads((tmp_path / "e.json").read_text())
    (row,) = figures["rows"]
    assert (row["file"], row["backend"], row["threads"]) == ("model/model.onnx", "onnxruntime", 1)
    assert set(row["ms"]) == {"1"} and 0 < row["ms"]["1"] < 1000 * row["start_s"]  # its batch is fixed at one
    assert len(figures["sustained"]["per_second"]) == edge.SPANS
    assert (tmp_path / "e.md").read_text() in capsys.readouterr().out
    assert str(tmp_path) not in (tmp_path / "e.json").read_text()


def test_a_pair_that_fails_is_said_and_the_others_go_on(folder):
    done = edge.measure(folder / "model.onnx", "no such backend", 1, 0.02)
    assert "no such backend" in done["failed"]
    row: dict = {}
    edge.merge(row, done)
    edge.merge(row, {"ms": {"1": 2.0, "2": 1.5}, "start_s": 1.0, "memory_mb": None})
    edge.merge(row, {"ms": {"1": 3.0, "2": 1.0}, "start_s": 0.5, "memory_mb": 80.0})
    assert row["ms"] == {"1": 2.0, "2": 1.0} and (row["start_s"], row["memory_mb"]) == (0.5, 80.0)


def test_energy_is_what_rapl_or_a_battery_tells(tmp_path, monkeypatch):
    monkeypatch.setattr(edge, "RAPL", tmp_path / "powercap")
    monkeypatch.setattr(edge, "SUPPLIES", tmp_path / "power_supply")
    assert edge.joules() is None
    battery = tmp_path / "power_supply" / "BAT0"
    battery.mkdir(parents=True)
    (battery / "energy_now").write_text("50000000\n")
    full = edge.joules()
    (battery / "energy_now").write_text("49000000\n")
    assert edge.joules() - full == pytest.approx(3600)  # a watt hour
    for name, used in (("intel-rapl:0", 5_000_000), ("intel-rapl:0:0", 3_000_000), ("intel-rapl:1", 2_000_000)):
        (tmp_path / "powercap" / name).mkdir(parents=True)
        (tmp_path / "powercap" / name / "energy_uj").write_text(f"{used}\n")
    assert edge.joules() == 7.0  # of both packages; a package's parts are in it
