"""`edgegan live`: plain words with exit code 2 for every bad input."""

from contextlib import nullcontext

import pytest
from support.fakes import camera as fake_camera
from support.fakes.gpu import FakeCuda

from edgegan.runtime.backends.nvidia import bindings

BAD = {
    "no model": (["{f}/nope.onnx", "--sink", "null"], "there is no model"),
    "a model cut short": (["{f}/cut/model.onnx", "--sink", "null"], "cut"),
    "no model file": (["{f}/clip.mp4", "--sink", "null"], "not a model"),
    "no source": (["{f}/faces", "--source", "nope.mp4", "--sink", "null"], "no such file"),
    "no video": (["{f}/faces", "--source", "{f}/text.mp4", "--sink", "null"], "not a video"),
    "empty folder": (["{f}/faces", "--source", "{f}/empty", "--sink", "null"], "holds no pictures"),
    "no camera": (["{f}/faces", "--source", "97", "--sink", "null"], "camera 97 is not there"),
    "dead address": (["{f}/faces", "--source", "http://127.0.0.1:9/x", "--sink", "null"], "gives no video"),
    "no pipeline": (["{f}/faces", "--source", "gst:nosuchelement", "--sink", "null"], "gst"),
    "size of a pipeline": (["{f}/faces", "--source", "gst:x", "--size", "64x48", "--sink", "null"], "pipeline"),
    "no virtual camera": (["{f}/faces", "--sink", "virtualcam:/dev/video97"], "virtual"),
    "no patience": (["{f}/faces", "--source", "synthetic", "--sink", "null", "--patience", "-1"], "--patience"),
    "unknown attribute": (["{f}/faces", "--set", "Beard=1", "--sink", "out.mp4"], "no attribute 'Beard'"),
    "rivals": (["{f}/faces", "--set", "Blond_Hair=1", "--set", "Brown_Hair=1", "--sink", "null"], "exclude each other"),
    "no value": (["{f}/faces", "--set", "Smiling", "--sink", "null"], "--set Smiling"),
    "no number": (["{f}/faces", "--set", "Smiling=nan", "--sink", "null"], "0 (off) to 1 (on)"),
    "below zero": (["{f}/faces", "--set", "Smiling=-1", "--sink", "null"], "0 (off) to 1 (on)"),
    "above one": (["{f}/faces", "--set", "Smiling=1.5", "--sink", "null"], "0 (off) to 1 (on)"),
    "unknown sink": (["{f}/faces", "--sink", "out.gif"], "no known kind"),
    "sink is the source": (["{f}/faces", "--source", "{f}/clip.mp4", "--sink", "{f}/clip.mp4"], "is the source"),
    "no place": (["{f}/faces", "--sink", "{f}/clip.mp4/out.mp4"], "cannot write"),
    "stats nowhere": (["{f}/faces", "--sink", "null", "--stats-json", "{f}/clip.mp4/s.json"], "cannot write"),
    "unknown backend": (["{f}/faces", "--backend", "abacus", "--sink", "null"], "abacus"),
    "absent device": (["{f}/faces", "--device", "cuda:7", "--sink", "null"], "CUDA"),
    "bad size": (["{f}/faces", "--size", "big", "--sink", "null"], "WIDTHxHEIGHT"),
    "size of a file": (["{f}/faces", "--source", "{f}/clip.mp4", "--size", "64x48", "--sink", "null"], "recorded"),
    "bad rate": (["{f}/faces", "--fps", "0", "--sink", "null"], "frames per second"),
    "no frames": (["{f}/faces", "--frames", "0", "--sink", "null"], "--frames"),
    "no such faces": (["{f}/faces", "--faces", "0", "--sink", "null"], "--faces 0"),
    "unknown option": (["{f}/faces", "--colour"], "--colour"),
}


BAD_CAMERAS = {
    "busy": ({"opens": False}, [], "camera 0 is busy: "),
    "no such size": ({"only_hw": (120, 160)}, ["--size", "640x480"], "no size of 640x480 pixels; the nearest"),
    "no pictures": ({"pictures": 0}, [], "gives no picture"),
    "unplugged": ({"pictures": 9}, ["--patience", "0"], "stopped giving pictures"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_to_three_lines_and_code_2_and_leaves_nothing(live, tmp_path, case):
    arguments, words = BAD[case]
    code, out, err = live(*arguments)
    assert out == ""
    assert_said_plainly(code, err, words)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("case", BAD_CAMERAS)
def test_a_bad_camera_is_said_as_plainly(live, tmp_path, tmp_path_factory, monkeypatch, case):
    is_so, options, words = BAD_CAMERAS[case]
    devices = tmp_path_factory.mktemp("dev")
    driver = fake_camera.install(monkeypatch, devices)
    for name, value in is_so.items():
        setattr(driver, name, value)
    with open(devices / "video0") if case == "busy" else nullcontext():  # as another program has it
        code, _, err = live("{f}/faces", "--source", "0", "--sink", "null", "--seconds", "5", *options)
    assert_said_plainly(code, err, words)
    assert not list(tmp_path.iterdir())


def test_a_model_that_needs_a_gpu_is_said_as_plainly_where_there_is_none(live, tmp_path, monkeypatch):
    pytest.importorskip("tensorrt_rtx", reason="tensorrt_rtx is not installed (extra: rtx)")
    monkeypatch.setattr(bindings, "import_runtime", lambda: FakeCuda(devices=0))
    code, _, err = live("{f}/gpu/model.fp16.engine", "--sink", "null")
    assert_said_plainly(code, err, "no NVIDIA GPU can be used here")
    assert not list(tmp_path.iterdir())


def assert_said_plainly(code, err, words):
    assert code == 2
    assert words in err
    assert 1 <= len(err.strip().splitlines()) <= 3
    assert "Traceback" not in err


def test_without_a_display_and_a_sink_the_way_out_is_named(live, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    code, _, err = live("{f}/faces", "--source", "synthetic")
    assert code == 2
    assert "--sink out.mp4" in err
    assert len(err.strip().splitlines()) <= 3
