"""A Jetson's camera: the pipeline that is written, what is refused, and the way to GStreamer with a stand-in."""

import os
import stat
import sys

import pytest

from edgegan.runtime.errors import InputError, SourceError
from edgegan.runtime.live.source import Wanted
from edgegan.runtime.live.sources import csi, open_source

_LAUNCH = """#!{python}
import os, sys, time
open("{folder}/words", "w").write("\\n".join(sys.argv[1:]))
os.write(int(sys.argv[-1].removeprefix("fd=")), bytes(3 * 80))
caps = "caps = video/x-raw, format=(string)BGR, width=(int)6, height=(int)4, framerate=(fraction)30/1"
print("/GstPipeline:pipeline0/GstCapsFilter:edgegan-frames.GstPad:src: " + caps, flush=True)
time.sleep(600)
"""
_INSPECT = '#!/bin/sh\ncase " {absent} " in *" $2 "*) exit 1 ;; esac\n'


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """put(absent): GStreamer's two programs, of which the second does not know the elements in `absent`."""

    def put(absent=""):
        texts = {
            "gst-launch-1.0": _LAUNCH.format(python=sys.executable, folder=tmp_path),
            "gst-inspect-1.0": _INSPECT.format(absent=absent),
        }
        for name, text in texts.items():
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(stat.S_IRWXU)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        return tmp_path

    return put


@pytest.mark.parametrize(
    ("spec", "wanted", "pipeline"),
    [
        (
            "csi",
            Wanted(),
            "nvarguscamerasrc sensor-id=0 ! "
            "video/x-raw(memory:NVMM),width=1280,height=720,format=NV12,framerate=30/1 ! "
            "nvvidconv flip-method=0 ! video/x-raw,format=BGRx,width=1280,height=720",
        ),
        (
            "csi:1:1920x1080@29.97#90",
            Wanted(fps=60.0, size_hw=(480, 640)),
            "nvarguscamerasrc sensor-id=1 ! "
            "video/x-raw(memory:NVMM),width=1920,height=1080,format=NV12,framerate=2997/100 ! "
            "nvvidconv flip-method=3 ! video/x-raw,format=BGRx,width=1080,height=1920",
        ),
        (
            "csi#mirror",
            Wanted(fps=60.0, size_hw=(480, 640)),
            "nvarguscamerasrc sensor-id=0 ! video/x-raw(memory:NVMM),width=640,height=480,format=NV12,framerate=60/1 ! "
            "nvvidconv flip-method=4 ! video/x-raw,format=BGRx,width=640,height=480",
        ),
    ],
)
def test_the_pipeline_is_the_one_that_was_meant(spec, wanted, pipeline):
    assert csi.accepts(spec) and csi.write_pipeline(spec, wanted) == pipeline


@pytest.mark.parametrize("turn", ["180", "270"])
def test_a_turn_is_told_to_the_hardware(turn):
    flips = {
        "180": "flip-method=2 ! video/x-raw,format=BGRx,width=1280,height=720",
        "270": "flip-method=1 ! video/x-raw,format=BGRx,width=720,height=1280",
    }
    assert flips[turn] in csi.write_pipeline(f"csi:0#{turn}", Wanted())


@pytest.mark.parametrize(
    "spec", ["csi:left", "csi:0#45", "csi:0:1280", "csi@fast", "csi:0:8x8", "csi@0.5", "csi:0:20000x10"]
)
def test_what_cannot_be_is_refused_before_anything_starts(spec):
    with pytest.raises(InputError):
        csi.write_pipeline(spec, Wanted())
    with pytest.raises(InputError, match="loop"):
        csi.write_pipeline("csi", Wanted(loop=True))


def test_paths_and_other_words_are_not_taken_for_it():
    assert not any(map(csi.accepts, ("csi.mp4", "csi/0", "csilicon", "gst:csi", "0")))


def test_frames_come_through_gstreamer_under_the_camera_s_name(programs):
    folder = programs()
    with open_source("csi:1") as source:
        assert (source.name, source.size_hw, source.live, source.revivable) == ("csi:1", (4, 6), True, True)
        assert next(iter(source)).image_bgr.shape == (4, 6, 3)
    words = (folder / "words").read_text().splitlines()
    assert words[:3] == ["-v", "nvarguscamerasrc", "sensor-id=1"] and "nvvidconv" in words


@pytest.mark.parametrize("absent", ["nvarguscamerasrc", "nvvidconv"])
def test_elements_that_are_not_here_are_named(programs, absent):
    folder = programs(absent)
    with pytest.raises(SourceError, match=f"no element {absent}\n.*Jetson"):
        open_source("csi")
    assert not (folder / "words").exists(), "nothing was started"


def test_without_gstreamer_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="csi needs the program gst-launch-1.0"):
        open_source("csi")
