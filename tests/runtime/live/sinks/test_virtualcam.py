"""The virtual camera, with a stand-in for its package: no kernel module can be loaded here."""

import sys
import time

import pytest
from support.frames import FakeCameras, frame

from edgegan.runtime.errors import MissingExtraError, SinkError
from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.sinks import open_sink


def test_a_virtual_camera_gets_every_frame_at_its_own_speed(monkeypatch):
    cameras = FakeCameras()
    monkeypatch.setitem(sys.modules, "pyvirtualcam", cameras)
    begin = time.monotonic()
    with open_sink("virtualcam:/dev/video9", FrameClock(fps=50)) as sink:
        assert sink.about == "virtual camera /dev/video9"
        for number in range(11):
            sink.write(frame(number))
        with pytest.raises(SinkError, match="one size"):
            sink.write(frame(11, hw=(50, 64)))
        cameras.fails = True
        with pytest.raises(SinkError, match="takes no more frames: no such device"):
            sink.write(frame(12))
    assert time.monotonic() - begin > 0.19  # ten steps of 20 ms
    assert cameras.sent == list(range(11))
    assert cameras.opened[-1] == (64, 48, 50, "bgr")
    assert cameras.closed == len(cameras.opened)


def test_without_a_virtual_camera_the_way_to_one_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyvirtualcam", FakeCameras(None))
    with pytest.raises(SinkError, match=r"no virtual camera[\s\S]*modprobe v4l2loopback") as caught:
        open_sink("virtualcam")
    assert len(str(caught.value).splitlines()) <= 3
    monkeypatch.setitem(sys.modules, "pyvirtualcam", FakeCameras())
    with pytest.raises(SinkError, match="at /dev/video3"):
        open_sink("virtualcam:/dev/video3")
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(MissingExtraError, match=r"edgegan\[virtualcam\]"):
        open_sink("virtualcam")
