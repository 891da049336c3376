"""A verification in a process of its own says what one in this process says."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
from support import tiny_models
from support.models.engine_cards import engine_facts

from edgegan.export.trt import rebuild, verify_apart
from edgegan.runtime.backends.nvidia import libraries
from edgegan.runtime.errors import BackendError, CardError, InputError, VerifyError
from edgegan.runtime.model.artefact import Artefact, load, payload_sha256

TARGET = "onnxruntime:cpu"


@pytest.fixture
def model(tmp_path: Path) -> Artefact:
    return load(tiny_models.write_editor(tmp_path, classifier=False))


def test_the_figures_are_those_of_a_verification_here(model: Artefact) -> None:
    told: list[tuple[str, int, int]] = []
    apart = verify_apart.verify_apart(model, model, TARGET, "onnxruntime", on_pair=lambda *pair: told.append(pair))
    here = verify_apart.verify_here(model, model, TARGET, "onnxruntime")
    without_times = [
        {name: msgspec.structs.replace(found, latency_ms=None) for name, found in each.items()}
        for each in (apart, here)
    ]
    assert without_times[0] == without_times[1] and apart["onnxruntime"].status == "passed"
    assert told and told[-1][0] == "onnxruntime" and told[-1][1] == told[-1][2]


def test_a_miss_and_what_is_not_there_are_the_errors_that_they_are_here(model: Artefact) -> None:
    golden = model.path.with_name("golden.npz")
    with np.load(golden) as file:
        arrays = {name: -file[name] if ".out." in name else file[name] for name in file.files}
    np.savez(golden, **arrays)
    with pytest.raises(VerifyError, match="does not reproduce the model on onnxruntime"):
        verify_apart.verify_apart(model, model, TARGET, "onnxruntime")
    golden.unlink()
    with pytest.raises(CardError, match="no golden pairs lie beside it"):
        verify_apart.verify_apart(model, model, TARGET, "onnxruntime")
    model.path.unlink()
    with pytest.raises(InputError):
        verify_apart.verify_apart(model, model, TARGET, "onnxruntime")


def test_a_process_that_dies_is_an_error_with_its_last_words(
    model: Artefact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import os; os.write(2, b'the cause\\n'); os._exit(3)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(BackendError, match=r"verifies model\.onnx ended with 3: the cause"):
        verify_apart.verify_apart(model, model, TARGET, "onnxruntime")


def test_what_is_built_again_is_verified_apart_where_there_is_a_driver(
    model: Artefact, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This process asks nothing of a GPU: it could not give the context back."""
    engine = model.path.with_name("model.engine")
    shutil.copy(model.path, engine)
    card = msgspec.structs.replace(
        model.card, payload_sha256=payload_sha256(engine), built_with=engine_facts("tensorrt", "10.13.0", "8.9")
    )
    card.write(engine)
    monkeypatch.setattr(libraries, "driver_cuda", lambda: (13, 0))
    monkeypatch.setattr(rebuild, "verify_here", lambda *_, **__: pytest.fail("verified in this process"))
    made = rebuild._verify(load(engine), load(engine), "cuda", None)
    assert load(engine).card.verification["tensorrt"].status == "not_run" == made.card.verification["tensorrt"].status
