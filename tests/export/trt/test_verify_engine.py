"""An engine that cannot be run now is kept and says so; one that misses is not. The GPU is a fake."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.fakes.gpu import FakeCuda
from support.fakes.tensorrt import fake_tensorrt
from support.models.tiny_half import SHAPE, write_half
from support.needed import needed

from edgegan.export import EngineOptions
from edgegan.export.artefacts import make_engine
from edgegan.export.folder import ExportFolder
from edgegan.export.matrix import Wanted
from edgegan.export.trt import artefact
from edgegan.runtime import load, open_backend
from edgegan.runtime.backends.nvidia import bindings
from edgegan.runtime.errors import BackendError, VerifyError
from edgegan.runtime.model.golden import Golden

rtx: Any = needed("tensorrt_rtx", "rtx")
WANTED = Wanted("fp16", "engine")


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call it to export an engine on a GPU with so much memory; golden pairs are what it answers, plus an error."""
    parent = write_half(tmp_path)
    device = FakeCuda()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(bindings, "import_runtime", lambda: device)
    fake = fake_tensorrt(device, version=rtx.__version__, name="tensorrt_rtx")
    fake.ComputeCapability, fake.HardwareCompatibilityLevel = rtx.ComputeCapability, rtx.HardwareCompatibilityLevel
    monkeypatch.setitem(sys.modules, "tensorrt_rtx", fake)  # here; the process that builds has the true one
    monkeypatch.setattr(artefact, "choose_library", lambda gpu: "tensorrt_rtx")

    def make(room: int = 1 << 30, error: float = 0.0) -> ExportFolder:
        device.room = room
        rng = np.random.default_rng(1)
        image = rng.uniform(-0.5, 0.5, (2, *SHAPE[1:])).astype(np.float32)
        label = rng.uniform(-0.4, 0.4, (2, 2)).astype(np.float32)
        pairs = Golden({"image": image, "label": label}, {"edited": image + label[:, :1, None, None] + error})
        work = ExportFolder(tmp_path, lambda *step: None)
        work.corners["model"] = {}
        make_engine(work, parent, WANTED, pairs, EngineOptions())
        return work

    return make


def test_a_full_gpu_leaves_the_engine_unverified_and_says_so(build: Any, tmp_path: Path) -> None:
    work = build(room=100)
    engine = load(tmp_path / WANTED.file("model"))
    found = engine.card.verification["tensorrt"]
    assert found.status == "not_run" and "no memory left" in found.reason and found.tolerance == {"min_psnr_db": 40.0}
    assert any("not run (the GPU has no memory left" in note for note in work.notes)
    assert [row.verification.status for row in work.rows] == ["not_run"]


def test_an_engine_that_runs_has_its_figures(build: Any, tmp_path: Path) -> None:
    build()
    engine = load(tmp_path / WANTED.file("model"))
    assert engine.card.verification["tensorrt"].status == "passed"
    with open_backend(engine) as opened:
        assert "verified" in opened.selection.why


def test_an_engine_that_misses_is_refused(build: Any, tmp_path: Path) -> None:
    with pytest.raises(VerifyError, match="does not reproduce the model on tensorrt") as caught:
        build(error=0.5)
    assert "tensorrt does not show the values of single layers" in caught.value.expected
    with pytest.raises(BackendError, match="failed verification"):
        open_backend(load(tmp_path / WANTED.file("model")))
