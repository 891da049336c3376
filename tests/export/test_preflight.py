"""What cannot be is refused before anything is traced, in words that name the option."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from support.models.exports import specs

from edgegan.export import Request, export_run
from edgegan.export.graph import trace
from edgegan.export.preflight import check_request, check_specs
from edgegan.export.trt.options import EngineOptions
from edgegan.runtime.errors import InputError, MissingExtraError

RUN = Path("run")


@pytest.mark.parametrize(
    ("option", "given"),
    [
        ("--min-psnr", {"min_psnr_db": 40.0}),
        ("--calib", {"calibration": "avatars", "precisions": ("fp16",)}),
        ("--workspace", {"engine": EngineOptions(workspace_mib=64)}),
    ],
)
def test_an_option_without_use_is_refused(option, given):
    with pytest.raises(InputError, match=f"leave {option} out"):
        check_request(Request(RUN, **given))


def test_options_of_int8_are_taken_with_int8():
    check_request(Request(RUN, precisions=("int8",), min_psnr_db=40.0, calibration="avatars"))


@pytest.mark.parametrize(
    ("module", "given"),
    [
        ("nncf", {"precisions": ("int8",), "formats": ("openvino",)}),
        ("openvino", {"precisions": ("fp32",), "formats": ("openvino",)}),
        ("onnxconverter_common", {}),
        ("onnxslim", {"precisions": ("fp32",)}),
    ],
)
def test_a_missing_package_is_said_before_the_work(module, given, monkeypatch):
    check_request(Request(RUN, **given))
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=module):
        check_request(Request(RUN, **given))


def test_a_form_that_needs_no_nncf_is_made_without_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "nncf", None)
    check_request(Request(RUN, precisions=("int8",), formats=("onnx",)))


@pytest.fixture
def no_tracing(monkeypatch):
    def fail(spec):
        raise AssertionError("the work has begun")

    monkeypatch.setattr(trace, "to_onnx", fail)


def test_calibration_pictures_are_opened_before_the_work(tiny_run, tmp_path, no_tracing):
    request = Request(tiny_run.folder, tmp_path / "out", precisions=("int8",), formats=("onnx",), pictures=1)
    latents = next(iter(specs(tiny_run).values())).card.task == "generate"
    with pytest.raises(InputError, match="drawn latents" if latents else "--calib .*typo"):
        export_run(replace(request, calibration=str(tmp_path / "typo")))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("tiny_run", ["stargan"], indirect=True)
def test_pictures_without_labels_are_refused_where_labels_are_needed(tiny_run, tmp_path, no_tracing):
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat" / "face.png").write_bytes(b"")
    request = Request(tiny_run.folder, tmp_path / "out", precisions=("int8",), formats=("onnx",), pictures=1)
    with pytest.raises(InputError, match="--calib .*flat"):
        export_run(replace(request, calibration=str(tmp_path / "flat")))


def test_a_precision_without_a_tolerance_is_refused_where_it_was_asked_for_and_told_elsewhere(tiny_run):
    whole = list(specs(tiny_run).values())
    found = [replace(s, tolerances={p: t for p, t in s.tolerances.items() if p != "fp16"}) for s in whole]
    for asked in ({"trt": True}, {"precisions": ("int8",), "formats": ("engine",)}, {"precisions": ("fp16",)}):
        check_specs(whole, Request(RUN, **asked))
        with pytest.raises(InputError, match="it has no tolerance for fp16"):
            check_specs(found, Request(RUN, **asked))
    notes = check_specs(found, Request(RUN))
    assert notes and all("model.fp16.onnx" in note for note in notes)
    assert check_specs(whole, Request(RUN)) == []
