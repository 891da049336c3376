"""Loading: a helper model goes where the model was asked to go."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from support import tiny_models
from support.fakes.ort import on_two_gpus

from edgegan.runtime import Editor, EditorPool
from edgegan.runtime.edit import loading
from edgegan.runtime.edit.loading import Loading
from edgegan.runtime.model.artefact import load


def test_a_helper_opens_on_the_gpu_that_was_asked_for(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ort = on_two_gpus(monkeypatch)()
    helper = load(tiny_models.write_editor(tmp_path, size=8, pairs=0, classifier=False))
    network: Any = SimpleNamespace(selection=SimpleNamespace(backend="onnxruntime"), device="cuda:1")
    with Loading(device="cuda:1").helper(helper, network) as opened:
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


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_a_helper_on_a_cpu_opens_in_the_library_of_its_network(name: str, tmp_path: Any) -> None:
    model = load(tiny_models.write_editor(tmp_path))
    companion = model.companion("classifier")
    assert companion is not None
    with Loading(backend=name).network(model) as network, Loading().helper(companion, network) as helper:
        assert (network.name, helper.name, helper.device) == (name, name, "cpu")


def test_a_helper_whose_network_runs_in_a_library_that_cannot_take_it_opens_in_another(tmp_path: Any) -> None:
    helper = load(tiny_models.write_editor(tmp_path, pairs=0, classifier=False))
    for name in ("tensorrt", "mnn"):  # of the first no file is here, and for the second it is of the wrong kind
        network: Any = SimpleNamespace(selection=SimpleNamespace(backend=name), device="cpu")
        with Loading().helper(helper, network) as opened:
            assert opened.name in ("onnxruntime", "openvino")


def test_a_pool_has_its_helpers_in_the_library_of_its_networks(tmp_path: Any) -> None:
    folder = tiny_models.write_editor(tmp_path)
    for name in ("onnxruntime", "openvino"):
        with EditorPool.open(folder, size=2, backend=name) as pool:
            assert pool.selection.backend == name
    with EditorPool.open(folder, size=2) as pool:
        assert pool.selection.backend in ("onnxruntime", "openvino")
