"""GStreamer pipelines: the host's side with a stand-in for gst-launch-1.0, the rest with the real one where it is."""

import math
import os
import shutil
import stat
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support.frames import Kept

from edgegan.runtime.errors import InputError, SourceError
from edgegan.runtime.live.source import Wanted
from edgegan.runtime.live.sources import gst, open_source
from edgegan.runtime.live.stream import Stream

# Speaks as gst-launch-1.0 1.22 does with -v, and writes rows padded to four bytes, as GStreamer lays out BGR.
_STAND_IN = """#!{python}
import os, sys, time
words = sys.argv[1:]
if "nonsense" in words:
    sys.exit('WARNING: erroneous pipeline: no element "nonsense"')
open({log!r}, "w").write(str(os.getpid()))
caps = "caps = video/x-raw, format=(string)BGR, width=(int)6, height=(int)4, framerate=(fraction)30000/1001, x=(int)1"
out = int(words[-1].removeprefix("fd="))
if "mute" in words:
    time.sleep(600)
for number in range(3):
    rows = bytearray(b"\\xee" * 20 * 4)  # six pixels are 18 bytes: two are padding
    for row in range(4):
        rows[row * 20 : row * 20 + 18] = bytes([number]) * 18
    os.write(out, rows[:33])
    print(f"/GstPipeline:pipeline0/GstCapsFilter:edgegan-frames.GstPad:src: {{caps}}", flush=True)
    time.sleep(0.05 * ("slow" in words))
    os.write(out, rows[33:])
    time.sleep(0.2 * ("slow" in words))
if "stays" in words:
    time.sleep(600)
if "breaks" in words:
    sys.exit("ERROR: from element /GstPipeline:pipeline0/GstV4l2Src:v4l2src0: Could not read from resource.")
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch) -> Path:
    """Puts the stand-in on the path; returns the file where it leaves its process number."""
    program = tmp_path / "gst-launch-1.0"
    program.write_text(_STAND_IN.format(python=sys.executable, log=str(tmp_path / "pid")))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return tmp_path / "pid"


def alive(file: Path) -> bool:
    try:
        os.kill(int(file.read_text()), 0)
    except ProcessLookupError:
        return False
    return True


def test_frames_come_whole_and_without_padding_and_a_file_ends(stand_in):
    with open_source("gst:filesrc location=a.mp4 ! decodebin") as source:
        assert (source.size_hw, source.live, source.revivable) == ((4, 6), False, False)
        assert source.fps == pytest.approx(29.97, abs=0.01)
        frames = list(source)
    assert [np.unique(f.image_bgr).tolist() for f in frames] == [[0], [1], [2]]
    assert frames[0].image_bgr.flags["C_CONTIGUOUS"] and frames[0].image_bgr.shape == (4, 6, 3)
    assert not alive(stand_in)


def test_a_live_pipeline_that_ends_is_an_error_that_quotes_gstreamer(stand_in):
    with open_source("gst:v4l2src breaks") as source, pytest.raises(SourceError) as caught:
        list(source)
    assert "after 3 frames" in caught.value.seen
    assert "GStreamer says: ERROR: from element" in caught.value.expected


def test_the_process_ends_with_the_source_and_silence_is_an_error(stand_in, monkeypatch):
    monkeypatch.setattr(gst, "_NEXT_S", 0.3)
    descriptors = len(os.listdir("/proc/self/fd"))
    with open_source("gst:v4l2src stays") as source:
        assert alive(stand_in)
        begin = time.monotonic()
        with pytest.raises(SourceError, match=r"no picture for 0\.3 s"):
            list(source)
        assert time.monotonic() - begin < 3
    assert not alive(stand_in)
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_a_pipeline_that_is_opened_again_is_not_waited_for_as_long(stand_in):
    begin = time.monotonic()
    with pytest.raises(SourceError, match=r"no picture within 0\.3 s"):
        gst.open_frames("gst:v4l2src mute", Wanted(answer_s=0.3))
    assert time.monotonic() - begin < 3
    assert not alive(stand_in)


def test_what_cannot_be_started_is_said_in_three_lines_at_most(stand_in, monkeypatch):
    with pytest.raises(SourceError, match='no element "nonsense"'):
        open_source("gst:nonsense")
    for spec, options in (("gst:a 'b", {}), ("gst:v4l2src", {"size_hw": (48, 64)}), ("gst:v4l2src", {"loop": True})):
        with pytest.raises(InputError) as caught:
            open_source(spec, **options)
        assert len(str(caught.value).splitlines()) <= 3
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SourceError, match=r"not installed\n.*apt install gstreamer1\.0-tools"):
        open_source("gst:videotestsrc")


@pytest.mark.parametrize(
    ("pipeline", "live"),
    [
        ("filesrc location=a.mp4 ! decodebin", False),
        ("multifilesrc location=a%d.png ! pngdec", False),
        ("uridecodebin uri=file:///tmp/a.mp4", False),
        ("uridecodebin 'uri=FILE:///tmp/two words.mp4'", False),
        ("videotestsrc num-buffers=4", False),
        ("videotestsrc num-buffers=-1", True),
        ("uridecodebin uri=rtsp://camera/file:1", True),
        ("v4l2src", True),
    ],
)
def test_what_comes_to_an_end_is_a_recording(stand_in, pipeline, live):
    with open_source(f"gst:{pipeline}") as source:
        assert (source.live, source.revivable) == (live, live)


def test_the_time_to_take_a_picture_over_is_told_without_the_wait(stand_in):
    with open_source("gst:filesrc slow") as source:
        frames = list(source)
    assert all(0.04 < f.decode_s < 0.2 for f in frames)  # between the two halves of a picture, not before it


real = pytest.mark.skipif(not shutil.which("gst-launch-1.0"), reason="gst-launch-1.0 is not installed")


@real
def test_a_real_pipeline_that_ends_loses_no_frame_for_a_slow_reader():
    """With `open_source` as the program opens it: patient, and in a stream whose model is slow."""
    caps = "video/x-raw,width=64,height=48,framerate=200/1"
    with open_source(f"gst:videotestsrc num-buffers=30 ! {caps}", reconnect_s=math.inf) as source:
        sink = Kept()
        stats = Stream(source, lambda frame, record: time.sleep(0.01) or frame.image_bgr, sink).run(seconds=20)
    assert [f.index for f in sink.frames] == list(range(30))
    assert (stats.read, dict(stats.dropped)) == (30, {})


@real
def test_the_real_gstreamer_gives_the_colours_that_it_was_told():
    pipeline = "videotestsrc num-buffers=4 pattern=solid-color foreground-color=0xffc8640a"
    with open_source(f"gst:{pipeline} ! video/x-raw,width=30,height=20") as source:
        assert (source.size_hw, source.fps) == ((20, 30), 30.0)
        frames = [frame.image_bgr for frame in source]
    assert len(frames) == 4
    assert np.abs(np.array(frames).astype(int) - (10, 100, 200)).max() <= 2
    with pytest.raises(SourceError, match='no element "nosuchelement"'):
        open_source("gst:nosuchelement")
