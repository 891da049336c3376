"""Layer profiles: real ones of ONNX Runtime and OpenVINO on the CPU, and TensorRT's on a fake."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from support.needed import needed
from support.tiny_models import write_editor

from edgegan import cli
from edgegan.bench.profile.session import profile_layers
from edgegan.bench.session import Request
from edgegan.runtime.backends.layer_times import LayerTime, average
from edgegan.runtime.backends.onnxruntime import profile as ort_profile
from edgegan.runtime.errors import BackendError
from edgegan.runtime.model.artefact import load

needed("matplotlib", "bench")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_editor(tmp_path_factory.mktemp("model"), classifier=False)


def test_the_median_of_each_layer_counts_and_one_that_runs_twice_a_call_with_both() -> None:
    calls = [
        [LayerTime("a", "Conv", ms), LayerTime("b", "Relu", 1.0), LayerTime("b", "Relu", 2.0)]
        for ms in (5.0, 900.0, 4.0)
    ]
    assert average(calls) == [LayerTime("a", "Conv", 5.0), LayerTime("b", "Relu", 3.0)]


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_every_layer_that_ran_has_a_time(model: Path, backend: str) -> None:
    needed(backend, "cpu")
    ((found,), absent) = profile_layers(Request(path=model, backends=(backend,), device="cpu", iterations=5, threads=1))
    assert found.calls == 5 and found.file == model.name and not absent
    assert len(found.layers) > 1 and all(layer.ms >= 0 and layer.name for layer in found.layers)
    assert found.total_ms > 0 and abs(sum(found.kinds().values()) - found.total_ms) < 1e-9
    slowest = found.slowest(3)
    assert slowest == sorted(slowest, key=lambda layer: -layer.ms) and slowest[0].ms == max(x.ms for x in found.layers)


def test_onnxruntime_names_the_nodes_of_the_file(model: Path) -> None:
    import onnx

    kinds = {node.op_type for node in onnx.load(model).graph.node}
    loaded = load(model)
    inputs = {s.name: np.zeros([n if isinstance(n, int) else 1 for n in s.shape], s.dtype) for s in loaded.card.inputs}
    found = {t.name: t.kind for t in ort_profile.time_layers(loaded, inputs, 2, device="cpu", threads=1)}
    assert {"Conv", "MatMul", "Add", "Clip"} <= kinds & set(found.values())
    with pytest.raises(BackendError, match="times the launches"):
        ort_profile.time_layers(loaded, inputs, 2, device="cuda")


def test_the_command_prints_tables_and_writes_picture_and_figures(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, figures = tmp_path / "layers.png", tmp_path / "layers.json"
    words = ["bench", str(model), "--backend", "onnxruntime", "--profile", str(picture), "--json", str(figures)]
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, "--device", "cpu", "--iterations", "3"])
    said = capsys.readouterr().out
    assert ended.value.code == 0 and "all layers" in said and "share" in said
    assert picture.read_bytes().startswith(b"\x89PNG")
    (profile,) = json.loads(figures.read_text())
    assert profile["calls"] == 3 and {"name", "kind", "ms"} <= set(profile["layers"][0])
    with pytest.raises(SystemExit) as ended:
        cli.main(["bench", str(model), "--profile", str(picture), "--markdown", str(tmp_path / "a.md")])
    assert ended.value.code == 2


def test_tensorrt_s_profiler_tells_every_layer_without_a_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import msgspec
    from support.fakes.gpu import FakeCuda
    from support.fakes.tensorrt import fake_tensorrt
    from support.models.engine_cards import engine_facts

    from edgegan.runtime.backends.nvidia import bindings
    from edgegan.runtime.backends.tensorrt import backend
    from edgegan.runtime.backends.tensorrt.profile import time_layers
    from edgegan.runtime.model.artefact import Artefact, payload_sha256

    fake = FakeCuda()
    module = fake_tensorrt(fake)
    monkeypatch.setattr(bindings, "import_runtime", lambda: fake)
    monkeypatch.setattr(backend, "system", lambda: "Linux x86_64")
    monkeypatch.setitem(sys.modules, "tensorrt", module)
    path = tmp_path / "model.fp16.engine"
    path.write_bytes(b"plan")
    card = load(write_editor(tmp_path / "parent", pairs=0, classifier=False)).card
    facts = engine_facts("tensorrt", "10.13.0", "8.9", system="Linux x86_64", gpu="Fake GPU")
    found = Artefact(path, msgspec.structs.replace(card, built_with=facts, payload_sha256=payload_sha256(path)))
    inputs = {"image": np.ones((1, 3, 8, 8), np.float32), "label": np.zeros((1, 2), np.float32)}
    assert time_layers(found, inputs, 4, device="cuda") == [LayerTime("conv", "", 0.5), LayerTime("add", "", 1.5)]
    assert fake.captures == 0 and not fake.memory and not fake.open and module.alive == [] and module.wrong == []
