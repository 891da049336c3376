"""Cameras, by fake drivers: what is asked, what is said."""

import os
import time

import cv2
import pytest
from support.fakes import camera as fake_camera

from edgegan.runtime.errors import SourceError
from edgegan.runtime.live.sources import camera as camera_module
from edgegan.runtime.live.sources import open_source
from edgegan.runtime.live.sources.synthetic import Synthetic


@pytest.fixture(scope="module")
def camera():
    with Synthetic((180, 320), fps=30, seed=3) as source:
        yield source


def test_a_camera_that_is_not_there_is_said_without_noise(capfd):
    with pytest.raises(SourceError, match="camera 97 is not there"):
        open_source("97")
    assert capfd.readouterr().err == ""


@pytest.fixture
def driver(monkeypatch, tmp_path):
    """The stand-in with its device file, which this process does not hold."""
    return fake_camera.install(monkeypatch, tmp_path)


def test_an_unplugged_camera_ends_in_an_error_that_counts_its_frames(driver):
    seen = []
    with open_source("0") as source:
        assert source.revivable
        with pytest.raises(SourceError, match="after 2 frames"):
            seen.extend(source)
    assert len(seen) == 2


def test_a_camera_is_asked_for_mjpg_first_and_says_what_it_gives(driver):
    with open_source("0", size_hw=(720, 1280), fps=60) as source:
        assert source.size_hw == (720, 1280)
        assert source.about == "camera 0: 1280x720 at 30 fps (asked for 60), MJPG"
    assert driver.asked[1][0] == cv2.CAP_PROP_FOURCC
    driver.formats = ("own",)
    with open_source("/dev/video0") as source:
        assert source.about == "camera /dev/video0: 1280x720 at 30 fps, YUYV"


def test_a_size_that_a_camera_lacks_is_refused_and_the_nearest_named(driver):
    driver.only_hw = (120, 160)
    with pytest.raises(SourceError, match=r"no size of 1280x720 pixels; the nearest that it gives is 160x120"):
        open_source("0", size_hw=(720, 1280))
    with open_source("0") as source:  # nothing was asked for
        assert source.size_hw == (120, 160)


def test_a_camera_that_does_not_open_says_why(driver, tmp_path, monkeypatch):
    driver.opens = False
    with pytest.raises(SourceError, match="gives no picture"):
        open_source("0")
    with open(tmp_path / "video0"), pytest.raises(SourceError, match=rf"busy: .+ \(process {os.getpid()}\) holds it"):
        open_source("0")
    monkeypatch.setattr(camera_module.os, "access", lambda *args: False)
    with pytest.raises(SourceError, match=r"may not open .*video0[\s\S]*usermod -aG"):
        open_source("0")
    (tmp_path / "sys" / "video3").mkdir(parents=True)
    (tmp_path / "sys" / "video3" / "name").write_text("Front camera\n")
    monkeypatch.setattr(camera_module, "DEVICES", tmp_path / "sys")
    with pytest.raises(SourceError, match=r"camera 7 is not there\ncameras on this machine: 3 \(Front camera\)"):
        open_source("7")


def test_a_camera_frame_was_taken_before_it_was_decoded(driver):
    driver.decode_s = 0.03
    with open_source("0") as source:
        frame = next(iter(source))
    assert 0.03 <= frame.decode_s < 0.2
    assert time.monotonic() - frame.timestamp >= 0.03
