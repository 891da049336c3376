"""A model, and ONNX Runtime on two GPUs of host memory."""

import pytest
from support import tiny_models
from support.fakes.ort import on_two_gpus

from edgegan.runtime.model.artefact import Artefact, load


@pytest.fixture
def model(tmp_path) -> Artefact:
    return load(tiny_models.write_editor(tmp_path, pairs=0, classifier=False))


@pytest.fixture
def install(monkeypatch, tmp_path):
    """Puts a fake onnxruntime in place, on a machine with two GPUs and everything that it wants."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return on_two_gpus(monkeypatch)
