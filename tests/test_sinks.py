"""Sinks: what was written comes back, survives a kill, and leaves nothing behind when it cannot be."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest
from av_clips import clip, number_of, numbered

from edgegan.runtime.errors import MissingExtraError, SinkError
from edgegan.runtime.panel import ESCAPE
from edgegan.runtime.sinks import Callback, Clock, Sink, Sinks, open_sink, open_sinks
from edgegan.runtime.sinks.stdout import Stdout
from edgegan.runtime.sinks.window import check_display
from edgegan.runtime.sources import Frame


def frame(number: int, timestamp: float = 0.0, hw: tuple[int, int] = (48, 64)) -> Frame:
    return Frame(numbered(number, *hw), number, timestamp, "test")


def read_back(path) -> tuple[list[int], list[float], av.VideoCodecContext]:
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        frames = [(number_of(f.to_ndarray(format="bgr24")), f.time) for f in container.decode(video=0)]
    return [n for n, _ in frames], [t for _, t in frames], context


def test_a_recording_is_h264_yuv420p_with_its_index_in_front_and_every_frame(tmp_path):
    path = tmp_path / "new" / "out.mp4"
    with open_sink(str(path), Clock(fps=30)) as sink:
        for number in range(120):
            sink.write(frame(number))
    numbers, times, context = read_back(path)
    assert numbers == list(range(120))
    assert times == pytest.approx([n / 30 for n in range(120)], abs=1e-3)
    assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert b"moof" not in data
    assert [p.name for p in path.parent.iterdir()] == ["out.mp4"]


def test_a_live_recording_takes_as_long_as_it_took(tmp_path):
    times = [100.0, 100.1, 100.7, 101.6]
    with open_sink(str(tmp_path / "a.mp4"), Clock(fps=30, by_timestamp=True)) as sink:
        for number, time in enumerate(times):
            sink.write(frame(number, time))
    assert read_back(tmp_path / "a.mp4")[1] == pytest.approx([t - 100.0 for t in times], abs=1e-3)


@pytest.mark.parametrize("hw", [(47, 65), (48, 65), (1, 1)])
def test_odd_sizes_are_padded_to_even_and_not_stretched(tmp_path, hw):
    stripes = np.zeros((*hw, 3), np.uint8)
    stripes[1::2] = 255
    with open_sink(str(tmp_path / "odd.mp4")) as sink:
        sink.write(Frame(stripes, 0, 0.0, "test"))
    with av.open(str(tmp_path / "odd.mp4")) as container:
        back = next(container.decode(video=0)).to_ndarray(format="gray").astype(int)
    assert back.shape == (hw[0] + hw[0] % 2, hw[1] + hw[1] % 2)
    assert (np.abs(np.diff(back[: hw[0]], axis=0)) > 180).all()


def test_colours_survive_a_recording(tmp_path):
    colours = [(200, 60, 40), (40, 180, 70), (50, 60, 210), (128, 128, 128)]
    picture = np.repeat(np.repeat(np.array([colours], np.uint8), 64, 0), 32, 1)
    with open_sink(str(tmp_path / "c.mp4")) as sink:
        sink.write(Frame(picture, 0, 0.0, "test"))
    with av.open(str(tmp_path / "c.mp4")) as container:
        back = next(container.decode(video=0)).to_ndarray(format="bgr24")
    assert np.abs(back[32, 16::32].astype(int) - np.array(colours)).max() <= 6


_KILLED = """
import os, sys
sys.path.insert(0, {tests!r})
from test_sinks import Frame, numbered
from edgegan.runtime.sinks import Clock, open_sink
sink = open_sink({path!r}, Clock(fps=10))
for number in range(36):
    sink.write(Frame(numbered(7), number, 0.0, "test"))  # all alike: no scene change asks for a key frame
os.kill(os.getpid(), 9)
"""


def test_a_killed_recording_plays_to_its_last_full_second(tmp_path, request):
    path = tmp_path / "killed.mp4"
    code = _KILLED.format(path=str(path), tests=str(request.path.parent))
    assert subprocess.run([sys.executable, "-c", code]).returncode == -9
    numbers, times, _ = read_back(path)
    assert set(numbers) == {7}
    assert times == pytest.approx([n / 10 for n in range(len(times))], abs=1e-3)
    assert len(numbers) >= 30


def test_a_recording_that_fails_midway_keeps_what_it_has(tmp_path):
    path = tmp_path / "a.mp4"
    with pytest.raises(SinkError, match="a frame of 50x64 in a recording of 48x64"), open_sink(str(path)) as sink:
        sink.write(frame(1))
        sink.write(frame(2, hw=(50, 64)))
    assert read_back(path)[0] == [1]


def test_nothing_is_made_before_the_first_frame(tmp_path):
    (tmp_path / "old.mp4").write_bytes(b"an older recording")
    for name in ("a.mp4", "old.mp4", "folder", "deep/er/b.mp4"):
        with open_sink(str(tmp_path / name)):
            pass
    assert [p.name for p in tmp_path.iterdir()] == ["old.mp4"]
    assert (tmp_path / "old.mp4").read_bytes() == b"an older recording"


def test_a_first_frame_that_cannot_be_encoded_leaves_everything_as_it_was(tmp_path):
    (tmp_path / "old.mp4").write_bytes(b"an older recording")
    for name in ("new.mp4", "old.mp4"):
        with pytest.raises(SinkError), open_sink(str(tmp_path / name)) as sink:
            sink.write(Frame(np.zeros((2, 40_000, 3), np.uint8), 0, 0.0, "test"))
    assert [p.name for p in tmp_path.iterdir()] == ["old.mp4"]
    assert (tmp_path / "old.mp4").read_bytes() == b"an older recording"


def test_a_folder_gets_one_exact_png_per_frame(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    with open_sink(str(tmp_path / "frames")) as sink:
        sink.write(Frame(noise, 3, 0.0, "test"))
        sink.write(frame(4))
    assert sorted(p.name for p in (tmp_path / "frames").iterdir()) == ["frame_000003.png", "frame_000004.png"]
    assert np.array_equal(cv2.imread(str(tmp_path / "frames" / "frame_000003.png")), noise)
    with pytest.raises(SinkError, match="holds frames already"):
        open_sink(str(tmp_path / "frames"))


def test_places_that_cannot_be_written_are_refused_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    for name in ("file/a.mp4", "file/folder", "out.avi", "out.exe"):
        with pytest.raises(SinkError) as caught:
            open_sink(str(tmp_path / name))
        assert len(str(caught.value).splitlines()) <= 3


def test_without_pyav_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"edgegan\[video\]"):
        open_sink(str(tmp_path / "a.mp4"))


def test_without_a_display_a_window_is_an_error_and_not_an_abort(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(SinkError, match=r"no display[\s\S]*--sink out.mp4"):
        open_sink("window")


_WINDOW_AFTER_VIDEO = """
from itertools import islice
from edgegan.runtime.sinks import Clock, open_sinks
from edgegan.runtime.sources import open_source
with open_source({clip!r}) as source, open_sinks(["{sink}", {out!r}], Clock(30)) as sinks:
    for frame in islice(source, 3):
        sinks.write(frame)
import sys
print([name for name in sys.modules if name in ("av", "cv2")])
"""


def test_opencv_is_loaded_before_pyav(tmp_path):
    """The other way round the first window hangs for ever."""
    path = clip(tmp_path / "clip.mp4", frames=4)
    code = _WINDOW_AFTER_VIDEO.format(clip=str(path), sink="null", out=str(tmp_path / "out.mp4"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "['cv2', 'av']", done.stderr


def test_a_window_that_would_hang_is_refused():
    code = (
        "import av, cv2; from edgegan.runtime.sinks import window; window.check_display = lambda: None; window.Window()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "SinkError: PyAV was loaded before OpenCV" in done.stderr


@pytest.mark.display
def test_a_window_opens_while_a_video_is_read_and_written(tmp_path):
    try:
        check_display()
    except SinkError as error:
        pytest.skip(error.seen)
    path = clip(tmp_path / "clip.mp4", frames=4)
    code = _WINDOW_AFTER_VIDEO.format(clip=str(path), sink="window", out=str(tmp_path / "out.mp4"))
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
    assert read_back(tmp_path / "out.mp4")[0] == [0, 1, 2]


class Memory(Sink):
    """Keeps what it gets, and can be told to fail."""

    def __init__(self, *, screen=False, keys="", fails=False):
        self.screen, self.keys, self.fails, self.frames, self.closed = screen, keys, fails, [], 0

    def write(self, frame, before=None):
        self.frames.append(frame)
        return self.keys

    def close(self):
        self.closed += 1
        if self.fails:
            raise SinkError("cannot close")


def test_several_sinks_all_get_the_frame_and_all_are_closed():
    members = [Memory(keys="a"), Memory(fails=True), Memory(keys="b")]
    with pytest.raises(SinkError), Sinks(members) as sinks:
        assert sinks.write(frame(7)) == "ab"
    assert [len(m.frames) for m in members] == [1, 1, 1]
    assert [m.closed for m in members] == [1, 1, 1]


def test_open_sinks_refuses_all_when_one_is_wrong(tmp_path):
    with pytest.raises(SinkError, match="no known kind"):
        open_sinks(["null", str(tmp_path / "x.gif")])
    with open_sinks(["null", str(tmp_path / "x.mp4")]) as sinks:
        assert sinks.write(frame(1)) == ""
    assert (tmp_path / "x.mp4").is_file()


def read_stream(descriptor: int, frames: int | None = None) -> list[np.ndarray]:
    """What a program that knows YUV4MPEG2 sees."""
    with open(descriptor, "rb") as file, av.open(file, format="yuv4mpegpipe") as container:
        decoded = container.decode(video=0)
        return [f.to_ndarray(format="bgr24") for f in (decoded if frames is None else islice(decoded, frames))]


def test_frames_on_stdout_tell_their_size_and_rate_and_every_one_comes_back():
    ours, theirs = os.pipe()
    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(read_stream, ours)
        with Stdout(theirs, Clock(fps=30)) as sink:
            for number in range(20):
                assert sink.write(frame(number, hw=(47, 63))) == ""
        pictures = seen.result(timeout=20)
    assert [number_of(p) for p in pictures] == list(range(20))
    assert {p.shape for p in pictures} == {(48, 64, 3)}


def test_colours_survive_stdout():
    colours = np.array([(200, 60, 40), (40, 180, 70), (50, 60, 210), (128, 128, 128)])
    ours, theirs = os.pipe()
    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(read_stream, ours)
        with Stdout(theirs) as sink:
            sink.write(Frame(np.repeat(np.repeat(colours[None].astype(np.uint8), 64, 0), 32, 1), 0, 0.0, "test"))
        (picture,) = seen.result(timeout=20)
    assert np.abs(picture[32, 16::32].astype(int) - colours).max() <= 6


def test_a_live_source_on_stdout_takes_as_long_as_it_took():
    ours, theirs = os.pipe()
    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(read_stream, ours)
        with Stdout(theirs, Clock(fps=10, by_timestamp=True)) as sink:
            for number, timestamp in enumerate((5.0, 5.1, 5.11, 5.4, 5.5)):
                sink.write(frame(number, timestamp))
        numbers = [number_of(p) for p in seen.result(timeout=20)]
    assert numbers == [0, 1, 1, 1, 3, 4]  # 5.11 is left out; the gap to 5.4 is filled


def test_a_reader_that_goes_away_ends_the_run_like_a_closed_window():
    ours, theirs = os.pipe()
    with Stdout(theirs) as sink:
        os.close(ours)
        assert sink.write(frame(0)) == ESCAPE


def test_a_terminal_is_no_place_for_frames(monkeypatch):
    monkeypatch.setattr("os.isatty", lambda descriptor: True)
    for spec in ("-", "stdout"):
        with pytest.raises(SinkError, match=r"a terminal[\s\S]*ffplay -"):
            open_sink(spec)


class FakeCameras:
    """Stands in for the package pyvirtualcam: no kernel module can be loaded here. One device, or none."""

    PixelFormat = SimpleNamespace(BGR="bgr")

    def __init__(self, device="/dev/video9"):
        self.device, self.sent, self.opened, self.closed, self.fails = device, [], [], 0, False

    def Camera(self, *, width, height, fps, fmt, device):
        if self.device is None or device not in (None, self.device):
            raise RuntimeError("'v4l2loopback' backend: No v4l2 loopback device found at /dev/video[0-99].")
        self.opened.append((width, height, fps, fmt))
        return SimpleNamespace(device=self.device, send=self._send, close=self._close)

    def _send(self, picture):
        if self.fails:
            raise RuntimeError("no such device")
        self.sent.append(number_of(picture))

    def _close(self):
        self.closed += 1


def test_a_virtual_camera_gets_every_frame_at_its_own_speed(monkeypatch):
    cameras = FakeCameras()
    monkeypatch.setitem(sys.modules, "pyvirtualcam", cameras)
    begin = time.monotonic()
    with open_sink("virtualcam:/dev/video9", Clock(fps=50)) as sink:
        assert sink.about == "virtual camera /dev/video9"
        for number in range(11):
            sink.write(frame(number))
        with pytest.raises(SinkError, match="one size"):
            sink.write(frame(11, hw=(50, 64)))
        cameras.fails = True
        with pytest.raises(SinkError, match="takes no more frames: no such device"):
            sink.write(frame(12))
    assert 0.19 < time.monotonic() - begin < 2
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


def test_a_callback_gets_the_frame_and_may_end_the_run():
    seen = []
    sink = Callback(lambda each: seen.append(each.index) or each.index == 2)
    assert [sink.write(frame(number)) for number in range(3)] == ["", "", ESCAPE]
    assert seen == [0, 1, 2]


def test_words_with_a_meaning_of_their_own_are_no_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "pyvirtualcam", FakeCameras())
    monkeypatch.setattr("os.isatty", lambda descriptor: False)
    (tmp_path / "null").mkdir()
    kinds = {}
    for spec in ("null", "-", "stdout", "virtualcam", "virtualcam:/dev/video9", "frames", "a.mp4"):
        with open_sink(spec) as sink:
            kinds[spec] = type(sink).__name__
    assert kinds == {
        "null": "Null", "-": "Stdout", "stdout": "Stdout", "virtualcam": "VirtualCamera",
        "virtualcam:/dev/video9": "VirtualCamera", "frames": "Folder", "a.mp4": "Video",
    }  # fmt: skip
