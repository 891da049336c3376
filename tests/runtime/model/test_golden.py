"""Golden pairs at other sizes: stored beside those of the usual size, unseen by who does not know them, and run."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from support import tiny_models

from edgegan import cli
from edgegan.export.verify.check import verify_artefact
from edgegan.runtime import load, open_backend
from edgegan.runtime.errors import BackendError, CardError
from edgegan.runtime.model import golden
from edgegan.runtime.model.artefact import Artefact
from edgegan.runtime.model.golden import Golden
from edgegan.runtime.model.npz import read_arrays

SMALL, LARGE = "1x16x16", "1x64x48"


def negatives(hw, count=2, error=0.0):
    """Pictures and what the model makes of them; `error` is added."""
    image = np.random.default_rng(hw[0]).uniform(-1, 1, (count, 3, *hw)).astype(np.float32)
    return Golden({"image": image}, {"edited": error - image})


@pytest.fixture
def write(tmp_path):
    """A model for all multiples of 4, with golden pairs at its usual size and two others; the largest has the error."""
    path = tiny_models.write_whole_frame(tmp_path, multiple=4)

    def make(error=0.0, **others):
        pairs = {"model": negatives((32, 48))}
        pairs[golden.call_key("model", SMALL)] = negatives((16, 16), 1)
        pairs[golden.call_key("model", LARGE)] = negatives((64, 48), 1, error)
        np.savez(tmp_path / "golden.npz", **golden.pack(pairs | others))
        return load(path)

    return make


def test_calls_are_read_by_their_size_and_old_readers_pass_over_them(write):
    artefact = write()
    assert set(golden.calls_beside(artefact)) == {SMALL, LARGE}
    found = golden.calls_beside(artefact)[LARGE]
    assert found.inputs["image"].shape == (1, 3, 64, 48) and found.batch == 1
    assert len(golden.beside(artefact)) == 2
    before = read_arrays(artefact.golden, "model.")  # all that was asked for before there were such calls
    assert {array.shape for array in before.values()} == {(2, 3, 32, 48)}


def test_every_size_is_verified_without_torch(write):
    for name in ("onnxruntime", "openvino"):
        found = verify_artefact(write(), backends=(name,))[name]
        assert found.status == "passed" and set(found.corners_db) == {SMALL, LARGE}
        found = verify_artefact(write(error=0.5), backends=(name,))[name]
        assert found.status == "failed" and found.reason.startswith(f"at {LARGE}: ")
        assert found.psnr_worst_db > 100.0 > 40.0 > found.corners_db[LARGE]


def test_the_command_fails_where_only_another_size_misses(write, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        cli.main(["verify", str(write(error=0.5).path), "--backend", "openvino"])
    said = capsys.readouterr().out
    assert f"openvino: at {LARGE}: worst picture 12.0 dB" in said
    assert "model.onnx has 12.0 dB in ONNX Runtime on the CPU as well: the file itself is wrong" in said


def test_a_miss_at_another_size_refuses_the_model_at_load(write):
    open_backend(write(), "onnxruntime").close()
    with pytest.raises(BackendError, match=f"does not reproduce the model: at {LARGE}: "):
        open_backend(write(error=0.5), "onnxruntime")


def test_a_fixed_size_has_no_calls_at_others(write):
    artefact = write(error=0.5)
    fixed = msgspec.structs.replace(artefact.card, size=msgspec.structs.replace(artefact.card.size, kind="fixed"))
    assert golden.calls_beside(Artefact(artefact.path, fixed)) == {}


def test_calls_that_are_not_the_card_s_are_refused(write):
    other = Golden({"image": np.zeros((1, 1, 16, 16), np.float32)}, {"edited": np.zeros((1, 1, 16, 16), np.float32)})
    with pytest.raises(CardError, match="what the card of model.onnx says"):
        golden.calls_beside(write(**{golden.call_key("model", "1x8x8"): other}))
    uneven = Golden({"image": np.zeros((1, 3, 8, 8))}, {"edited": np.zeros((2, 3, 8, 8))})
    with pytest.raises(CardError, match="differ in number"):
        golden.calls_beside(write(**{golden.call_key("model", "1x8x8"): uneven}))
