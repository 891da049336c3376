"""Loading: a helper model goes where the model was asked to go."""

from __future__ import annotations

from typing import Any

import pytest
from support import tiny_models
from support.fakes.ort import on_two_gpus

from edgegan.runtime import Editor
from edgegan.runtime.edit import loading
from edgegan.runtime.edit.loading import Loading
from edgegan.runtime.model.artefact import load


def test_a_helper_opens_on_the_gpu_that_was_asked_for(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ort = on_two_gpus(monkeypatch)()
    helper = load(tiny_models.write_editor(tmp_path, size=8, pairs=0, classifier=False))
    with Loading(device="cuda:1").helper(helper) as opened:
        assert opened.device == "cuda:1" and [s.options["device_id"] for s in ort.sessions] == ["1"]


def test_an_editor_on_the_cpu_asks_no_other_device_for_its_classifier(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, real = [], loading.open_backend

    def note(model: Any, backend: str = "auto", device: str = "auto", **more: Any) -> Any:
        asked.append((model.path.name, device))
        return real(model, backend, device, **more)

    monkeypatch.setattr(loading, "open_backend", note)
    with Editor.open(tiny_models.write_editor(tmp_path), device="cpu"):
        assert asked == [("model.onnx", "cpu"), ("classifier.onnx", "cpu")]
