"""Core ML's backend before a stand-in for coremltools, since no Mac is here; what a real one answers is not tested."""

import platform
import sys
from types import SimpleNamespace as Names

import numpy as np
import pytest
from support import tiny_models

from edgegan.runtime.backends import backend_class, open_backend
from edgegan.runtime.errors import BackendError, CardError
from edgegan.runtime.model.artefact import load, payload_sha256


@pytest.fixture
def package(tmp_path):
    """A folder with the card of the tiny editor, beside its golden pairs."""
    onnx = load(tiny_models.write_editor(tmp_path, classifier=False))
    path = tmp_path / "model.mlpackage"
    (path / "Data").mkdir(parents=True)
    (path / "Manifest.json").write_text("{}")
    (path / "Data" / "model.mlmodel").write_bytes(b"network")
    tiny_models.msgspec.structs.replace(onnx.card, verification={}, payload_sha256=payload_sha256(path)).write(path)
    return path


def pretend(monkeypatch, compute):
    """A Mac whose Core ML answers with `compute(image, label)`."""

    def feature(name, *shape):
        return Names(name=name, type=Names(multiArrayType=Names(dataType=65568, shape=shape)))

    description = Names(
        input=[feature("image", 1, 3, 32, 32), feature("label", 1, 3)], output=[feature("edited", 1, 3, 32, 32)]
    )

    class MLModel:
        def __init__(self, path, compute_units):
            assert compute_units == "cpu only" and path.endswith("model.mlpackage")

        def get_spec(self):
            return Names(description=description)

        def predict(self, given):
            return {"edited": compute(given["image"], given["label"])}

    tools = Names(models=Names(MLModel=MLModel), ComputeUnit=Names(CPU_ONLY="cpu only"))
    monkeypatch.setitem(sys.modules, "coremltools", tools)
    monkeypatch.setattr(platform, "system", lambda: "Darwin")


def answer(image, label):
    return np.clip(image + (label @ tiny_models.COLOURS)[:, :, None, None], -1, 1)


def test_elsewhere_than_on_a_mac_it_is_refused_in_words(package, monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    with pytest.raises(BackendError, match="Core ML runs on macOS; this is Linux"):
        open_backend(load(package))


def test_the_golden_pairs_run_at_load_and_a_miss_refuses_it(package, monkeypatch):
    pretend(monkeypatch, answer)
    with open_backend(load(package), threads=2) as backend:
        assert (
            "reproduced the 4 golden pairs" in backend.selection.why and "own number of threads" in backend.notices[0]
        )
        image, label = np.zeros((1, 3, 32, 32), np.float32), np.ones((1, 3), np.float32)
        assert np.array_equal(backend.run({"image": image, "label": label})["edited"], answer(image, label))
    with pytest.raises(BackendError, match="closed"):
        backend.run({})
    pretend(monkeypatch, lambda image, label: -answer(image, label))
    with pytest.raises(BackendError, match="does not reproduce the model"):
        open_backend(load(package))


def test_the_device_of_a_gpu_is_not_asked_for(package, monkeypatch):
    pretend(monkeypatch, answer)
    with pytest.raises(BackendError, match="not asked for the device 'gpu'"):
        backend_class("coreml")(load(package), device="gpu")


@pytest.mark.parametrize("change", ["a part", "a part more", "a part less"])
def test_a_folder_whose_parts_changed_is_refused(package, change):
    if change == "a part":
        (package / "Data" / "model.mlmodel").write_bytes(b"another")
    elif change == "a part more":
        (package / "Data" / "weight.bin").write_bytes(b"weights")
    else:
        (package / "Data" / "model.mlmodel").unlink()
    with pytest.raises(CardError, match="SHA-256"):
        load(package)
