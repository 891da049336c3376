"""Sources: frames in order, nothing lost, true synthetic answers, and plain words for what cannot be opened."""

import http.server
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

from edgegan.runtime.errors import EdgeganError, InputError, MissingExtraError, SourceError
from edgegan.runtime.kinds import modules
from edgegan.runtime.live.sources import open_source, video
from edgegan.runtime.live.wrappers.paced import Paced


@pytest.fixture(scope="module")
def clip_120(tmp_path_factory):
    return clip(tmp_path_factory.mktemp("clip") / "clip.mp4", frames=120)


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
    (folder / "lost.mp4").symlink_to(folder / "nope.mp4")
    return {
        "nope.mp4": "no such file",
        "lost.mp4": "neither a file nor a folder",
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
