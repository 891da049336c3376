"""Sources: frames in order, nothing lost, true synthetic answers, and plain words for what cannot be opened."""

import http.server
import os
import sys
import threading
import time
from functools import partial
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from support.av_clips import clip, number_of
from support.fakes import camera as fake_camera

from edgegan.runtime.errors import EdgeganError, InputError, MissingExtraError, SourceError
from edgegan.runtime.kinds import modules
from edgegan.runtime.live.sources import camera as camera_module
from edgegan.runtime.live.sources import open_source, video
from edgegan.runtime.live.sources.synthetic import Synthetic
from edgegan.runtime.live.wrappers.paced import Paced


@pytest.fixture(scope="module")
def clip_120(tmp_path_factory):
    return clip(tmp_path_factory.mktemp("clip") / "clip.mp4", frames=120)


@pytest.fixture(scope="module")
def camera():
    with Synthetic((180, 320), fps=30, seed=3) as source:
        yield source


@pytest.mark.parametrize("opener", [video.AvVideo, video.CvVideo])
def test_every_frame_of_a_video_file_comes_once_and_in_order(clip_120, opener):
    with opener(str(clip_120)) as source:
        assert (source.length, source.size_hw, source.fps, source.live) == (120, (48, 64), 30.0, False)
        frames = list(source)
    assert [number_of(f.image_bgr) for f in frames] == list(range(120))
    assert [f.index for f in frames] == list(range(120))
    assert all(a.timestamp <= b.timestamp <= time.monotonic() for a, b in zip(frames, frames[1:], strict=False))


@pytest.mark.parametrize("opener", [video.AvVideo, video.CvVideo])
def test_a_looped_file_begins_again_and_its_indices_go_on(clip_120, opener):
    with opener(str(clip_120), loop=True) as source:
        assert source.length is None
        frames = list(islice(source, 123))
    assert [number_of(f.image_bgr) for f in frames[118:]] == [118, 119, 0, 1, 2]
    assert frames[-1].index == 122


def test_without_pyav_files_open_through_opencv_and_urls_name_the_extra(clip_120, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with open_source(str(clip_120)) as source:
        assert isinstance(source, video.CvVideo)
    with pytest.raises(MissingExtraError, match=r"edgegan\[video\]"):
        open_source("rtsp://127.0.0.1:9/x")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def test_a_file_behind_a_url_gives_every_frame(clip_120):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(clip_120.parent)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with open_source(f"http://someone:secret@127.0.0.1:{server.server_port}/clip.mp4") as source:
            assert not source.live
            assert "secret" not in source.name + source.about
            assert [number_of(f.image_bgr) for f in source] == list(range(120))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_folder_gives_its_pictures_in_natural_order_and_upright(tmp_path):
    for number in (10, 2, 1):
        cv2.imwrite(str(tmp_path / f"img{number}.png"), np.full((6, 8, 3), number, np.uint8))
    (tmp_path / "notes.txt").write_text("no picture")
    turned = Image.new("RGB", (8, 6), (11, 11, 11))
    exif = turned.getexif()
    exif[0x0112] = 6  # lies on its side
    turned.save(tmp_path / "img11.png", exif=exif)
    with open_source(str(tmp_path)) as source:
        frames = list(source)
        assert source.length == 4
    assert [int(f.image_bgr[0, 0, 0]) for f in frames] == [1, 2, 10, 11]
    assert [f.image_bgr.shape for f in frames] == [(6, 8, 3)] * 3 + [(8, 6, 3)]


def test_one_picture_is_one_frame_in_bgr(tmp_path):
    Image.new("RGB", (5, 4), (250, 100, 10)).save(tmp_path / "a.png")
    with open_source(str(tmp_path / "a.png")) as source:
        (frame,) = source
    assert frame.image_bgr[0, 0].tolist() == [10, 100, 250]
    assert frame.image_bgr.flags["C_CONTIGUOUS"]


def test_synthetic_frames_depend_on_seed_and_index_alone(camera):
    with Synthetic((180, 320), fps=30, seed=3) as again, Synthetic((180, 320), fps=30, seed=4) as other:
        assert np.array_equal(camera.frame_at(41), again.frame_at(41))
        assert camera.face(41).seed != other.face(41).seed
        assert camera.eyes(41) != other.eyes(41)


def test_synthetic_faces_move_smoothly_and_change_every_few_seconds(camera):
    eyes = np.array([camera.eyes(i) for i in range(240)]).reshape(240, 4)
    steps = np.abs(np.diff(eyes, axis=0)).max(axis=1)
    assert 0 < steps.max() < 2.5  # pixels, at 320 x 180
    roll = np.degrees(np.arctan2(eyes[:, 3] - eyes[:, 1], eyes[:, 2] - eyes[:, 0]))
    distance = np.hypot(eyes[:, 2] - eyes[:, 0], eyes[:, 3] - eyes[:, 1])
    assert np.ptp(roll) > 8
    assert distance.max() / distance.min() > 1.15
    assert len({camera.face(i).seed for i in range(0, 360)}) == 3


def test_synthetic_eyes_lie_where_the_drawing_has_them(camera):
    """Dark pupils: the darkest spot near each stated eye is within a tenth of the eyes' distance."""
    for index in (0, 130, 250):
        grey = cv2.GaussianBlur(cv2.cvtColor(camera.frame_at(index), cv2.COLOR_BGR2GRAY), (5, 5), 0)
        (lx, ly), (rx, ry) = camera.eyes(index)
        reach = (rx - lx) / 4
        for x, y in ((lx, ly), (rx, ry)):
            top, left = round(y - reach / 2), round(x - reach)
            patch = grey[top : round(y + reach / 2), left : round(x + reach)]
            row, column = np.unravel_index(patch.argmin(), patch.shape)
            assert abs(left + column - x) < 0.35 * (rx - lx)
            assert patch.min() < grey[round(y + reach * 1.2), round(x)]


def test_a_synthetic_truth_differs_only_where_the_edit_shows(camera):
    index = next(i for i in range(0, 2000, 130) if not camera.face(i).label["Eyeglasses"])
    before, after = camera.frame_at(index), camera.truth(index, {"Eyeglasses": 1.0})
    rows = np.flatnonzero((before != after).any(axis=(1, 2)))
    (_, left), (_, right) = camera.eyes(index)
    assert rows.min() < min(left, right) < max(left, right) < rows.max()
    assert np.ptp(rows) < 60
    assert np.array_equal(camera.truth(index, {"Eyeglasses": 0.0}), before)
    with pytest.raises(InputError, match="Beard"):
        camera.truth(index, {"Beard": 1.0})


def test_the_synthetic_camera_keeps_its_pace():
    with open_source("synthetic:160x120@60#5") as source:
        assert (source.size_hw, source.fps, source.live) == ((120, 160), 60.0, True)
        frames = list(islice(source, 31))
    assert 0.49 < frames[-1].timestamp - frames[0].timestamp < 3
    assert [f.index for f in frames] == list(range(31))


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


def test_a_file_keeps_its_own_speed_when_told_to(clip_120):
    with open_source(str(clip_120), realtime=True) as source:
        assert (source.length, source.live) == (120, False)
        begin = time.monotonic()
        frames = list(islice(source, 16))
    assert [f.index for f in frames] == list(range(16))
    assert 0.49 < time.monotonic() - begin < 2
    assert all(a.timestamp < b.timestamp for a, b in zip(frames, frames[1:], strict=False))


@pytest.mark.parametrize("opener", [video.AvVideo, video.CvVideo])
def test_the_time_to_decode_a_frame_is_told_without_the_wait_for_its_moment(clip_120, opener):
    with Paced(opener(str(clip_120))) as source:
        begin = time.monotonic()
        frames = list(islice(source, 16))
        took_s = time.monotonic() - begin
    assert all(f.decode_s > 0 for f in frames)
    assert sum(f.decode_s for f in frames) < 0.5 * took_s


def test_pictures_tell_how_long_they_took_to_decode(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (600, 800, 3), np.uint8)
    for name, picture in (("a.png", noise[:2, :2]), ("b.png", noise)):
        cv2.imwrite(str(tmp_path / name), picture)
    with open_source(str(tmp_path)) as source:
        small, large = source
    assert large.decode_s > small.decode_s > 0


def test_a_camera_frame_was_taken_before_it_was_decoded(driver):
    driver.decode_s = 0.03
    with open_source("0") as source:
        frame = next(iter(source))
    assert 0.03 <= frame.decode_s < 0.2
    assert time.monotonic() - frame.timestamp >= 0.03


def test_pictures_without_a_rate_stay_so_at_their_own_speed(tmp_path):
    """Whoever edits them must see that each stands alone."""
    for name in ("a.png", "b.png", "c.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((4, 4, 3), np.uint8))
    with open_source(str(tmp_path), realtime=True) as source:
        assert (source.fps, source.length, source.live) == (None, 3, False)
        begin = time.monotonic()
        assert len(list(source)) == 3
        assert 0.07 < time.monotonic() - begin < 1


def test_every_kind_is_found_and_the_one_that_takes_any_file_is_asked_last():
    kinds = modules("edgegan.runtime.live.sources")
    assert kinds[-1] is video
    names = [kind.__name__.rpartition(".")[2] for kind in kinds]
    assert names[:-1] == sorted(names[:-1]) and not any(name.startswith("_") for name in names)
    assert all(callable(kind.accepts) and callable(kind.open_frames) for kind in kinds)


def _bad_sources(folder: Path) -> dict[str, str]:
    (folder / "empty").mkdir()
    (folder / "text.mp4").write_text("this is no video " * 100)
    (folder / "nothing.mp4").touch()
    whole = clip(folder / "whole.mp4", frames=30).read_bytes()
    (folder / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    (folder / "text.png").write_text("no picture")
    Image.effect_noise((64, 64), 50).save(folder / "whole.png")
    (folder / "cut.png").write_bytes((folder / "whole.png").read_bytes()[:1500])
    return {
        "nope.mp4": "no such file",
        "nope.png": "no such file",
        "empty": "holds no pictures",
        "text.mp4": "not a video",
        "nothing.mp4": "not a video",
        "cut.mp4": "not a video",
        "text.png": "not a picture",
        "cut.png": "cannot be read",
    }


def test_what_cannot_be_opened_is_said_in_three_lines_at_most(tmp_path):
    for name, words in _bad_sources(tmp_path).items():
        with pytest.raises(SourceError, match=words) as caught:
            open_source(str(tmp_path / name))
        assert name in str(caught.value)
        assert len(str(caught.value).splitlines()) <= 3


@pytest.mark.parametrize("spec", ["synthetic:axb", "synthetic:8x8", "synthetic@0", "http://127.0.0.1:9/x", "cam", ""])
def test_specs_that_mean_nothing_are_refused(spec):
    with pytest.raises(EdgeganError) as caught:
        open_source(spec)
    assert len(str(caught.value).splitlines()) <= 3


def test_a_size_cannot_be_asked_of_a_recording(clip_120):
    with pytest.raises(InputError, match="already recorded"):
        open_source(str(clip_120), size_hw=(10, 10))
