"""Where verification runs: ONNX Runtime on CUDA has an entry of its own, and what was not run is no miss."""

from __future__ import annotations

import json
import sys

import msgspec
import numpy as np
import onnx
import pytest
from support import tiny_models
from support.fakes.ort import CPU, on_two_gpus

from edgegan import cli
from edgegan.export import verify_artefact
from edgegan.export.folder import ExportFolder, limits
from edgegan.export.verify import targets
from edgegan.export.verify.check import require
from edgegan.families import Tolerance
from edgegan.runtime import load, open_backend
from edgegan.runtime.backends import BACKENDS
from edgegan.runtime.backends.nvidia import libraries
from edgegan.runtime.errors import BackendError, InputError
from edgegan.runtime.model import fidelity, golden
from edgegan.runtime.model.artefact import Artefact
from edgegan.runtime.model.verification import Verification

CUDA = "onnxruntime:cuda"


def write_model(folder, size=8, error=0.0):
    """A model whose golden pairs are what the fake network makes of them: image + label[0]; `error` is added."""
    path = tiny_models.write_editor(folder, size=size, pairs=0, classifier=False)
    rng = np.random.default_rng(0)
    image = rng.uniform(-0.5, 0.5, (3, 3, size, size)).astype(np.float32)
    label = rng.integers(0, 2, (3, 3)).astype(np.float32)
    pairs = golden.Golden({"image": image, "label": label}, {"edited": image + label[:, :1, None, None] + error})
    np.savez(folder / "golden.npz", **golden.pack({"model": pairs}))
    return path


@pytest.fixture
def install(monkeypatch):
    """Puts a fake onnxruntime in place, on a machine with two GPUs and everything that it wants."""
    return on_two_gpus(monkeypatch)


def _verify(*words: object) -> int:
    with pytest.raises(SystemExit) as done:
        cli.main(["verify", *map(str, words)])
    return int(done.value.code or 0)


def test_cuda_is_tried_where_it_is(install, monkeypatch):
    install()
    assert set(map(str, targets.list_here())) == {*BACKENDS, CUDA}
    assert set(map(str, targets.list_for_export())) == {*BACKENDS, CUDA} - {"onnxruntime-tensorrt"}
    install(providers=(CPU,))
    assert set(map(str, targets.list_here())) == set(BACKENDS)
    install()
    monkeypatch.setattr(libraries, "gpu_count", lambda: 0)
    assert CUDA not in map(str, targets.list_for_export())


def test_cuda_has_an_entry_of_its_own(tmp_path, install):
    install()
    artefact = load(write_model(tmp_path / "right"))
    (found,) = verify_artefact(artefact, backends=(CUDA,)).items()
    assert found[0] == CUDA and found[1].status == "passed" and found[1].pictures == 3
    wrong = load(write_model(tmp_path / "wrong", error=0.5))
    assert verify_artefact(wrong, backends=(f"{CUDA}:1",))[CUDA].status == "failed"


def test_an_export_tries_cuda_with_the_tolerance_of_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(targets, "_has_cuda", lambda: True)
    artefact = load(tiny_models.write_editor(tmp_path, classifier=False))
    work = ExportFolder(tmp_path, lambda *step: None)
    work.corners["model"] = {}
    tolerance = Tolerance(max_abs=1e-4, others_max_abs=1e-3, min_psnr_db=60.0)
    pairs = golden.beside(artefact)
    card = msgspec.structs.replace(artefact.card, tolerances=limits(tolerance))
    found = work.write(onnx.load(artefact.path), card, "model.onnx", pairs).card.verification
    assert set(found) == {"onnxruntime", "openvino", CUDA}
    assert found["onnxruntime"].status == "passed" and found[CUDA].tolerance["max_abs"] == 1e-3
    assert found[CUDA].status == "not_run" or libraries.gpu_count()  # no CUDA is here: told, and no miss


def test_written_figures_are_believed_at_load(tmp_path, install, capsys):
    ort = install()
    path = write_model(tmp_path)
    with open_backend(load(path), device="cuda") as opened:
        assert ort.sessions[-1].runs == 3 and "just now" in opened.selection.why
    assert _verify(path, "--device", "cuda:1", "--write") == 0
    assert ort.sessions[-1].options["device_id"] == "1"
    assert CUDA in capsys.readouterr().out
    assert load(path).card.verification[CUDA].status == "passed"
    with open_backend(load(path), device="cuda") as opened:
        assert ort.sessions[-1].runs == 0 and "verified" in opened.selection.why


def test_a_written_miss_refuses_the_pair(tmp_path, install, capsys):
    install()
    path = write_model(tmp_path, error=0.5)
    assert _verify(path, "--device", "cuda", "--write", "--json") == 2
    assert json.loads(capsys.readouterr().out)[CUDA]["status"] == "failed"
    with pytest.raises(BackendError, match="failed verification"):
        open_backend(load(path), device="cuda")


def test_another_device_is_held_to_what_its_card_states_for_others(tmp_path):
    card = load(write_model(tmp_path)).card
    strict = Verification(status="passed", tolerance={"max_abs": 1e-4, "min_psnr_db": 80.0})
    loose = Verification(status="passed", tolerance={"max_abs": 1e-3, "min_psnr_db": 70.0})
    card = msgspec.structs.replace(card, verification={"onnxruntime": strict, "openvino": loose})
    assert fidelity.tolerance(card, "onnxruntime") == strict.tolerance
    assert fidelity.tolerance(card, CUDA) == loose.tolerance
    no_limit = msgspec.structs.replace(loose, tolerance={"min_psnr_db": 45.0})
    card = msgspec.structs.replace(card, verification={"onnxruntime": strict, "openvino": no_limit})
    assert fidelity.tolerance(card, CUDA) == {"min_psnr_db": 45.0}
    assert fidelity.tolerance(msgspec.structs.replace(card, verification={}), CUDA) == fidelity.DEFAULT_TOLERANCE


def test_a_gpu_without_memory_is_no_miss(tmp_path, install):
    install(size=68)  # the fake GPU has room for 64
    artefact = load(write_model(tmp_path, size=68))
    pairs = golden.beside(artefact)
    figures = verify_artefact(artefact, pairs, backends=(CUDA,))
    assert figures[CUDA].status == "not_run" and "no memory" in figures[CUDA].reason
    with pytest.raises(BackendError, match=r"cannot be verified: onnxruntime:cuda does not run here: .*no memory"):
        require(artefact, figures, pairs, CUDA)


@pytest.mark.parametrize("words", ["CUDA failure 719: unspecified launch failure", "driver shutting down"])
def test_a_backend_that_stops_is_no_miss_and_its_card_stays(tmp_path, install, monkeypatch, words):
    """What it would have answered is not known: a card that says "failed" would refuse it for ever."""
    ort = install()
    path = write_model(tmp_path)

    def stop(self, binding):
        raise RuntimeError(words)

    monkeypatch.setattr(ort.InferenceSession, "run_with_iobinding", stop)
    assert _verify(path, "--device", "cuda", "--write") == 2
    assert not load(path).card.verification
    figures = verify_artefact(load(path), backends=(CUDA,))
    assert figures[CUDA].status == "not_run" and words in figures[CUDA].reason


def test_an_absent_reference_is_no_miss(tmp_path, monkeypatch):
    artefact = load(write_model(tmp_path))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    figures = verify_artefact(artefact, backends=("onnxruntime",))
    assert figures["onnxruntime"].status == "not_run"
    with pytest.raises(BackendError, match="onnxruntime"):
        require(artefact, figures, golden.beside(artefact))


def test_what_cannot_load_the_file_is_refused_with_what_can(tmp_path, capsys):
    path = write_model(tmp_path)
    assert _verify(path, "--backend", "tensorrt") == 2
    said = capsys.readouterr().err
    assert "tensorrt cannot load model.onnx" in said and "onnxruntime, onnxruntime-tensorrt, openvino" in said
    engine = Artefact(path.with_name("model.engine"), load(path).card)
    with pytest.raises(InputError, match=r"openvino cannot load model\.engine\nwhat can load it: tensorrt$"):
        targets.choose(engine, ["openvino"])
    with pytest.raises(InputError, match="no backend 'abacus'"):
        targets.choose(engine, ["abacus"])


def test_a_device_is_one_of_the_backend_s(tmp_path):
    artefact = load(write_model(tmp_path))
    assert tuple(map(str, targets.choose(artefact, [], "cpu"))) == ("onnxruntime", "openvino")
    on_second = tuple(map(str, targets.choose(artefact, [], "cuda:1")))
    assert on_second == ("onnxruntime:cuda:1", "onnxruntime-tensorrt:cuda:1")
    for backends, device in (([], "tpu"), (["openvino"], "cuda"), (["onnxruntime", "openvino"], "cuda")):
        with pytest.raises(InputError, match=rf"--device {device}: not a device of"):
            targets.choose(artefact, backends, device)
    assert set(verify_artefact(artefact, backends=("openvino:cpu",))) == {"openvino"}  # its usual device
