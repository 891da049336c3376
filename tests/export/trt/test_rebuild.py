"""An engine of another machine is built again for this one: the build is real, the GPU that runs it is a fake."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from support.fakes.gpu import FakeCuda
from support.fakes.tensorrt import fake_tensorrt
from support.models.engine_cards import engine_facts
from support.models.tiny_half import SHAPE, write_half
from support.needed import needed

from edgegan import cli
from edgegan.export.trt import artefact, child, gpu, rebuild
from edgegan.runtime.backends import open_backend
from edgegan.runtime.backends.nvidia import bindings, libraries
from edgegan.runtime.errors import BackendError, CardError, MisfitError
from edgegan.runtime.model import golden
from edgegan.runtime.model.artefact import load, payload_sha256

rtx: Any = needed("tensorrt_rtx", "rtx")


@dataclass
class Here:
    """A folder with an engine that was built elsewhere, and the cache of this machine."""

    folder: Path
    engine: Path
    cache: Path
    cuda: FakeCuda
    monkeypatch: pytest.MonkeyPatch

    def open(self, **options: Any) -> Any:
        return open_backend(load(self.engine), **options)

    def list_cached(self) -> list[Path]:
        return sorted(self.cache.rglob("*.engine"))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    folder = tmp_path / "export"
    folder.mkdir()
    parent = write_half(folder)
    rng = np.random.default_rng(1)
    image = rng.uniform(-0.5, 0.5, (3, *SHAPE[1:])).astype(np.float32)
    label = rng.uniform(-0.4, 0.4, (3, 2)).astype(np.float32)
    pairs = golden.Golden({"image": image, "label": label}, {"edited": image + label[:, :1, None, None]})
    np.savez(folder / "golden.npz", **golden.pack({"model": pairs}))
    engine = folder / "model.fp16.engine"
    engine.write_bytes(b"a plan for another version")
    card = msgspec.structs.replace(
        parent.card,
        payload_sha256=payload_sha256(engine),
        parent_sha256=parent.card.payload_sha256,
        built_with=engine_facts("tensorrt_rtx", "1.0.0.1", "8.6"),
    )
    card.write(engine)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    device = FakeCuda(devices=2)
    monkeypatch.setattr(bindings, "import_runtime", lambda: device)
    fake = fake_tensorrt(device, version=rtx.__version__, name="tensorrt_rtx")
    fake.ComputeCapability, fake.HardwareCompatibilityLevel = rtx.ComputeCapability, rtx.HardwareCompatibilityLevel
    monkeypatch.setitem(sys.modules, "tensorrt_rtx", fake)  # here; the process that builds has the true one
    monkeypatch.setattr(libraries, "driver_cuda", lambda: None)  # so that the fake is asked in this process
    monkeypatch.setattr(gpu, "_driver", lambda: "580.1")
    for module in (rebuild, artefact):
        monkeypatch.setattr(module, "choose_library", lambda gpu: "tensorrt_rtx")
    return Here(folder, engine, tmp_path / "cache", device, monkeypatch)


def test_by_default_an_engine_of_another_machine_is_refused(here: Here) -> None:
    with pytest.raises(MisfitError, match=r"1\.0\.0\.1; here is tensorrt_rtx .*\n.*\n.*--rebuild auto"):
        here.open()
    assert not here.list_cached()


def test_it_is_built_again_into_the_cache_verified_and_told(here: Here) -> None:
    before = {path.name: path.read_bytes() for path in here.folder.iterdir()}
    told: list[str] = []
    with here.open(rebuild="auto", on_progress=lambda what, done, total: told.append(what)) as backend:
        image = np.full(SHAPE, 0.25, np.float32)
        edited = backend.run({"image": image, "label": np.array([[0.5, 0.0]], np.float32)})["edited"]
        assert (edited == 0.75).all()
        (notice,) = backend.selection.notices
        assert "1.0.0.1" in notice and str(here.list_cached()[0]) in notice
    assert "golden pairs" in told and len(set(told)) > 1
    made = load(here.list_cached()[0])
    assert made.card.verification["tensorrt"].status == "passed" and made.card.verification["tensorrt"].pictures == 3
    facts = made.card.built_with.engine
    assert facts.compute_capabilities == ("8.9",) and facts.gpu == "Fake GPU" and facts.cuda == "13.2"
    assert (facts.library, facts.version) == ("tensorrt_rtx", rtx.__version__) and facts.driver == "580.1"
    assert made.card.parent_sha256 == payload_sha256(here.folder / "model.fp16.onnx")
    assert {path.name: path.read_bytes() for path in here.folder.iterdir()} == before


def test_it_is_built_for_the_gpu_that_was_asked_for(here: Here) -> None:
    """Of another kind than the first: found, built, verified and run there, and nothing touches the first."""
    seen: list[str] = []
    popen = child.subprocess.Popen

    def note(*words: Any, env: dict[str, str], **options: Any) -> Any:
        seen.append(env["CUDA_VISIBLE_DEVICES"])
        return popen(*words, env=env, **options)

    here.monkeypatch.setattr(child.subprocess, "Popen", note)
    here.monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4, GPU-8932f937")
    here.open(rebuild="auto", device="cuda:1").close()
    assert seen == ["GPU-8932f937"] and here.cuda.chosen == {1}
    made = load(here.list_cached()[0]).card
    assert made.built_with.engine.compute_capabilities == ("7.5",) and made.built_with.engine.gpu == "Fake GPU 1"
    assert made.verification["tensorrt"].status == "passed"
    here.monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    here.open(rebuild="auto", device="cuda").close()
    assert seen[1:] == ["0"] and len(here.list_cached()) == 2
    here.open(rebuild="auto", device="cuda:1").close()
    assert len(seen) == 2
    with pytest.raises(BackendError, match="no GPU number 2 here"):
        here.open(rebuild="auto", device="cuda:2")


def test_an_engine_that_tensorrt_cannot_read_is_built_again_though_its_card_fits(here: Here) -> None:
    """As an engine of another processor under a card of the first versions, or of another release of one version."""
    fake = sys.modules["tensorrt_rtx"]
    card = load(here.engine).card
    facts = engine_facts("tensorrt_rtx", rtx.__version__, "8.9")
    msgspec.structs.replace(card, built_with=facts).write(here.engine)
    true = fake.Runtime.deserialize_cuda_engine

    def strict(self: Any, data: bytes) -> Any:
        return None if data == here.engine.read_bytes() else true(self, data)

    here.monkeypatch.setattr(fake.Runtime, "deserialize_cuda_engine", strict)
    with pytest.raises(MisfitError, match=r"TensorRT cannot load .*\n.*--rebuild auto"):
        here.open()
    with here.open(rebuild="auto") as backend:
        assert "cannot load" in backend.selection.notices[0]


def test_the_second_time_it_comes_from_the_cache(here: Here) -> None:
    here.open(rebuild="auto").close()
    (first,) = here.list_cached()
    written = first.stat().st_mtime_ns
    here.open(rebuild="auto", on_progress=lambda *step: pytest.fail("built again")).close()
    assert here.list_cached() == [first] and first.stat().st_mtime_ns == written


def test_a_damaged_engine_in_the_cache_is_built_anew(here: Here) -> None:
    here.open(rebuild="auto").close()
    here.list_cached()[0].write_bytes(b"half a plan")
    here.open(rebuild="auto").close()
    assert load(here.list_cached()[0]).card.verification["tensorrt"].status == "passed"


def test_a_changed_engine_is_refused_and_never_built_again(here: Here) -> None:
    here.engine.write_bytes(b"something else to run")
    with pytest.raises(CardError, match="SHA-256"):
        here.open(rebuild="auto")
    assert not here.list_cached()


def test_only_the_onnx_file_it_was_built_from_will_do(here: Here) -> None:
    onnx_file = here.folder / "model.fp16.onnx"
    model = onnx.load(onnx_file)
    model.doc_string = "other weights"
    onnx.save(model, onnx_file)
    with pytest.raises(BackendError, match=r"1\.0\.0\.1.*\nit cannot be built again here: .*another file"):
        here.open(rebuild="auto")
    onnx_file.unlink()
    with pytest.raises(BackendError, match=r"there is no .*model\.fp16\.onnx\ncopy the whole export folder"):
        here.open(rebuild="auto")
    assert not here.list_cached()


def test_the_onnx_file_may_have_another_name(here: Here) -> None:
    for suffix in ("", ".card.json"):
        shutil.move(here.folder / f"model.fp16.onnx{suffix}", here.folder / f"renamed.onnx{suffix}")
    here.open(rebuild="auto").close()
    assert here.list_cached()


def test_an_engine_that_misses_is_not_kept(here: Here) -> None:
    with np.load(here.folder / "golden.npz") as file:
        arrays = {name: -file[name] if ".out." in name else file[name] for name in file.files}
    np.savez(here.folder / "golden.npz", **arrays)
    with pytest.raises(BackendError, match="does not reproduce the model on tensorrt"):
        here.open(rebuild="auto")
    assert not here.list_cached() and not list(here.cache.rglob("*.card.json"))


def test_without_golden_pairs_it_runs_with_a_notice(here: Here) -> None:
    (here.folder / "golden.npz").unlink()
    with here.open(rebuild="auto") as backend:
        assert any("never verified" in notice for notice in backend.selection.notices)


def test_ctrl_c_leaves_nothing_in_the_cache(here: Here) -> None:
    def interrupt(*step: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        here.open(rebuild="auto", on_progress=interrupt)
    assert not here.list_cached()


def test_what_tensorrt_timed_for_one_engine_serves_the_next(here: Here, tmp_path: Path) -> None:
    found = gpu.Gpu("Fake GPU", "8.9", "580.1")
    options = rebuild.options_for(load(here.engine), "tensorrt", found)
    library = SimpleNamespace(__name__="tensorrt", __version__="10.16.1")
    assert options.timing_cache_file(library, found.name) == tmp_path / "cache/edgegan/tensorrt-10.16.1-Fake_GPU.timing"
    options.require(library)
    rebuild.options_for(load(here.engine), "tensorrt_rtx", found).require(rtx)  # which takes no timing cache


def test_a_gpu_that_the_library_cannot_build_for_is_named(here: Here) -> None:
    here.cuda.capabilities = ((9, 0),)
    with pytest.raises(BackendError, match=r"--compute-capability 9\.0"):
        here.open(rebuild="auto")


def test_verify_checks_the_engine_that_was_built_again(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["verify", str(here.engine)])
    assert ended.value.code == 2 and "1.0.0.1" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        cli.main(["verify", str(here.engine), "--rebuild", "auto"])
    said = capsys.readouterr()
    assert ended.value.code == 0 and "passed" in said.out and "golden pairs" in said.err
    with pytest.raises(SystemExit) as ended:
        cli.main(["verify", str(here.engine), "--rebuild", "perhaps"])
    assert ended.value.code == 2 and "auto, never" in capsys.readouterr().err
