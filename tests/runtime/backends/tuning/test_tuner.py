"""What `auto` takes: the fastest pair on this machine, by a fake clock where the rule is tried, and by the real one."""

import msgspec
import numpy as np
import pytest
from support import tiny_models

from edgegan.runtime import Editor, backends
from edgegan.runtime.backends import open_backend, processor, tune
from edgegan.runtime.backends.places import places
from edgegan.runtime.backends.tuning import tuner as tuning
from edgegan.runtime.errors import InputError
from edgegan.runtime.model.artefact import load
from edgegan.runtime.model.verification import Verification

PASSED = {
    name: Verification(status="passed", psnr_worst_db=90.0, latency_ms=ms)
    for name, ms in (("onnxruntime", 1.0), ("openvino", 9.0))
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An export of a model in fp32 and in what calls itself fp16, proven on both backends; an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("EDGEGAN_AUTO")
    path = tiny_models.write_editor(tmp_path / "export", verification=PASSED)
    half = path.with_name("model.fp16.onnx")
    half.write_bytes(path.read_bytes())
    msgspec.structs.replace(load(path).card, precision="fp16").write(half)
    return path.parent


@pytest.fixture
def timed(monkeypatch):
    """Times from a table instead of a clock, by place in the order of candidates; and how often they were taken."""

    class Timed:
        ms = (4.0, 3.0, 2.0, 5.0)
        taken = 0

        def __call__(self, calls, seconds):
            self.taken += 1
            for call in calls:
                call()
            return list(self.ms[: len(calls)])

    found = Timed()
    monkeypatch.setattr(tuning, "time_in_turns", found)
    return found


def take(artefact, **kwargs):
    with open_backend(artefact, **kwargs) as opened:
        return opened.selection


def test_the_fastest_here_is_taken_whatever_the_card_says_of_another_machine(folder, timed):
    timed.ms = (4.0, 3.0)
    chosen = take(load(folder / "model.onnx"))
    assert (chosen.backend, chosen.file, chosen.artefact.path.name) == ("openvino", "", "model.onnx")
    assert "verified (90 dB), 3.0 ms measured on this machine" in chosen.why
    assert chosen.others["onnxruntime on cpu"] == "4.0 ms measured on this machine"


def test_a_folder_opens_its_fastest_file(folder, timed):
    told = []
    chosen = take(load(folder), on_progress=lambda *step: told.append(step))
    assert (chosen.backend, chosen.file) == ("onnxruntime", "model.fp16.onnx") and len(chosen.others) >= 3
    assert chosen.lines()[0].startswith("onnxruntime on cpu (model.fp16.onnx): verified (90 dB), 2.0 ms")
    assert told[0][0] == "measuring what is fastest here"
    with Editor.open(folder) as editor:
        assert editor.card.precision == "fp16" and timed.taken == 1
        flat = np.full((32, 32, 3), 90, np.uint8)
        assert editor.translate(flat, {}, label={}).shape == flat.shape


def test_what_was_measured_is_remembered_until_something_is_other(folder, timed, monkeypatch):
    take(load(folder))
    assert take(load(folder)).file == "model.fp16.onnx" and timed.taken == 1
    take(load(folder), threads=1)
    take(load(folder), threads=1)
    assert timed.taken == 2
    timed.ms = (1.0, 3.0, 2.0, 5.0)
    monkeypatch.setattr(processor, "name", lambda: "another processor")
    assert take(load(folder)).file == "model.onnx" and timed.taken == 3


def test_a_new_version_of_a_library_is_measured_again(folder, timed, monkeypatch):
    take(load(folder))
    real = backends.table.version
    monkeypatch.setattr(backends.table, "version", lambda name: "99.0" if name == "openvino" else real(name))
    take(load(folder))
    assert timed.taken == 2


def test_another_file_is_measured_again(folder, timed):
    take(load(folder))
    tiny_models.write_editor(folder, size=16, verification=PASSED)
    assert take(load(folder)).artefact.card.size.hw == (16, 16) and timed.taken == 2


@pytest.mark.parametrize("spoilt", [b"", b"{}", b'{"processor": "x", "threads": 1, "batch": 1, "timings": []}'])
def test_a_spoilt_memory_is_made_anew(folder, timed, spoilt):
    take(load(folder))
    (memory,) = (folder.parent / "cache").rglob("tuning/*.json")
    memory.write_bytes(spoilt)
    assert take(load(folder)).file == "model.fp16.onnx" and timed.taken == 2


def test_what_failed_verification_is_not_measured_and_never_taken(folder, timed):
    wrong = {"onnxruntime": PASSED["onnxruntime"], "openvino": Verification(status="failed", reason="12 dB")}
    for name in ("model.onnx", "model.fp16.onnx"):
        tiny_models.rewrite_card(folder / name, verification=wrong)
    timed.ms = (4.0, 3.0)
    chosen = take(load(folder))
    assert (chosen.backend, chosen.file) == ("onnxruntime", "model.fp16.onnx")
    assert "12 dB" in chosen.others["openvino on cpu (model.onnx)"]


def test_a_named_backend_is_not_measured_and_a_helper_is_not(folder, timed):
    assert take(load(folder), backend="openvino").artefact.path.name == "model.onnx"
    assert take(load(folder), measure=False).backend == "onnxruntime"  # the card's fastest
    assert timed.taken == 0
    with Editor.open(folder):  # with a classifier beside it
        assert timed.taken == 1


def test_where_only_one_pair_can_run_nothing_is_measured(folder, timed):
    tiny_models.rewrite_card(folder / "model.onnx", verification={"openvino": Verification(status="failed")})
    assert take(load(folder / "model.onnx")).backend == "onnxruntime" and timed.taken == 0


def test_the_card_decides_where_the_user_says_so(folder, timed, monkeypatch):
    monkeypatch.setenv("EDGEGAN_AUTO", "card")
    assert (take(load(folder)).backend, take(load(folder)).artefact.path.name) == ("onnxruntime", "model.onnx")
    assert timed.taken == 0
    monkeypatch.setenv("EDGEGAN_AUTO", "fast")
    with pytest.raises(InputError, match="EDGEGAN_AUTO=fast.*\nmeasure, or card"):
        open_backend(load(folder))


def test_without_a_cache_that_can_be_written_it_measures_and_goes_on(folder, timed, monkeypatch, tmp_path):
    def full(path, data):
        raise InputError("no space left")

    monkeypatch.setattr(tuning, "write_atomic", full)
    assert take(load(folder)).file == take(load(folder)).file == "model.fp16.onnx" and timed.taken == 2


def test_tuning_measures_again_and_what_opens_later_takes_what_it_found(folder, timed):
    assert tune(load(folder)).fastest.file == "model.fp16.onnx"
    timed.ms = (4.0, 1.0, 2.0, 5.0)
    found = tune(load(folder))
    assert (found.fastest.file, found.fastest.backend, timed.taken) == ("model.onnx", "openvino", 2)
    chosen = take(load(folder))
    assert (chosen.file, chosen.backend, timed.taken) == ("model.onnx", "openvino", 2)
    with pytest.raises(InputError, match="batch of 4.*\nthe model takes 1 to 1"):
        tune(load(folder), batch=4)


def test_info_s_places_know_what_was_measured(folder, timed):
    timed.ms = (4.0, 3.0)
    model = load(folder / "model.onnx")
    assert next(place for place in places(model) if place.status == "chosen").backend == "onnxruntime"
    tune(model)
    chosen = next(place for place in places(model) if place.status == "chosen")
    assert chosen.backend == "openvino" and "3.0 ms measured on this machine" in chosen.why


def test_on_the_real_clock_every_open_takes_the_fastest_pair_that_was_measured(folder):
    found = tune(load(folder), threads=1, seconds=0.05)
    ran = [each for each in found.timings if each.ms is not None]
    assert len(ran) == 4 and found.fastest.ms == min(each.ms for each in ran)
    for _ in range(20):
        chosen = take(load(folder), threads=1)
        assert (chosen.file, chosen.backend) == (found.fastest.file, found.fastest.backend)


def test_an_example_fits_open_axes_and_a_batch(tmp_path):
    model = load(tiny_models.write_whole_frame(tmp_path, hw=(32, 48), multiple=16))
    card = msgspec.structs.replace(
        model.card,
        batch=(1, 4),
        size=msgspec.structs.replace(model.card.size, min_hw=(16, 16), max_hw=(64, 64)),
    )
    model = type(model)(model.path, card)
    assert tuning.example(model, 3)["image"].shape == (3, 3, 32, 48)
