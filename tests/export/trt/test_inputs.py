"""What an engine is built from, and with how much effort it is built again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest
from support.fakes.engines import engine
from support.models.tiny_half import write_half
from support.needed import needed

from edgegan.export import EngineOptions
from edgegan.export.trt import rebuild
from edgegan.export.trt.build import Job, build_engine
from edgegan.export.trt.gpu import Gpu

rtx: Any = needed("tensorrt_rtx", "rtx")


def test_weights_in_a_file_beside_the_model_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = EngineOptions(compute_capabilities=("8.9",))
    whole = write_half(tmp_path).path
    path = tmp_path / "model" / whole.name
    path.parent.mkdir()
    onnx.save(onnx.load(whole), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    monkeypatch.chdir(tmp_path)
    proofs = [build_engine(rtx, Job(file, options=options)).proof for file in (path, whole)]
    assert proofs[0] == proofs[1] and proofs[0].half_layers


def test_an_engine_is_built_again_with_as_much_effort(tmp_path: Path) -> None:
    built, found = engine(tmp_path, optimization_level=5), Gpu("Fake GPU", "8.9", "580.1")
    levels = [rebuild.options_for(built, name, found).optimization_level for name in ("tensorrt", "tensorrt_rtx")]
    assert levels == [5, None]  # that for RTX times no kernels
