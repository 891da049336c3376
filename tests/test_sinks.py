"""Sinks: what was written comes back, survives a kill, and leaves nothing behind when it cannot be."""

import subprocess
import sys
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest
from av_clips import clip, number_of, numbered

from edgegan.runtime.controls import ESCAPE, Controls, Slider
from edgegan.runtime.errors import MissingExtraError, SinkError
from edgegan.runtime.hud import Dressed
from edgegan.runtime.sinks import Clock, Sink, Sinks, open_sink, open_sinks
from edgegan.runtime.sinks.window import Window, check_display
from edgegan.runtime.sources import Frame
from edgegan.runtime.stats import Stats


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


def _flat(value=90):
    return Frame(np.full((240, 320, 3), value, np.uint8), 0, 0.0, "test")


def test_the_mark_is_on_every_output_unless_switched_off():
    marked, bare = Memory(), Memory()
    given = _flat()
    Dressed(marked, Controls(), Stats()).write(given)
    Dressed(bare, Controls(), Stats(), mark="").write(given)
    assert (given.image_bgr == 90).all()
    assert (bare.frames[0].image_bgr == 90).all()
    changed = (marked.frames[0].image_bgr != 90).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert rows.min() > 200
    assert columns.min() > 200
    assert 0.002 < changed.mean() < 0.05


def test_the_line_is_for_screens_and_shows_what_is_on():
    names = ("Blond_Hair", "Smiling")
    screen, file = Memory(screen=True), Memory()
    controls = Controls(names)
    for sink in (screen, file):
        Dressed(sink, controls, Stats(), mark="").write(_flat())
    assert (file.frames[0].image_bgr == 90).all()
    controls.press("1")
    Dressed(screen, controls, Stats(), mark="").write(_flat())
    off, on = (f.image_bgr[:30].astype(int) for f in screen.frames)
    green = [int((p[..., 1] - p[..., 2]).max()) for p in (off, on)]
    assert green[0] < 20 < 60 < green[1]


def test_before_and_after_stand_side_by_side_and_a_recording_keeps_its_size():
    screen, file = Memory(screen=True), Memory()
    controls = Controls(side_by_side=True)
    dressed = [Dressed(s, controls, Stats(), hud=False, mark="") for s in (screen, file)]
    before = np.full((240, 320, 3), 10, np.uint8)
    for keys in ("", "b"):
        controls.press(keys)
        for each in dressed:
            each.write(_flat(), before)
    assert [f.image_bgr.shape[1] for f in screen.frames] == [640, 320]
    assert [f.image_bgr.shape[1] for f in file.frames] == [640, 640]
    assert (file.frames[0].image_bgr[:, :320] == 10).all()
    assert (file.frames[0].image_bgr[:, 320:] == 90).all()


def test_keys_go_round_and_rivals_give_way():
    controls = Controls(("Black_Hair", "Blond_Hair", "Smiling"), [("Black_Hair", "Blond_Hair")], {"Black_Hair": 1.0})
    first = controls.changes
    assert controls.press("2")
    assert controls.changes == {"Blond_Hair": 1.0}
    assert first == {"Black_Hair": 1.0}  # replaced, not changed under the reader
    second = controls.changes
    assert controls.press("2")
    assert controls.changes == {}
    assert second == {"Blond_Hair": 1.0}
    seen = []
    for _ in range(3):
        controls.press("3")
        seen.append(dict(controls.changes))
    assert seen == [{"Smiling": 1.0}, {"Smiling": 0.0}, {}]
    assert controls.press("h?!")
    assert controls.help
    assert not controls.press("q")
    assert not controls.press(ESCAPE)


def test_forty_attributes_have_forty_keys_that_clash_with_no_command():
    keys = Controls([f"name{i}" for i in range(40)]).keys
    assert len(keys) == 40
    assert not set("bBhHqQ") & set(keys)


class Trackbars:
    """Stands in for OpenCV's trackbars, which need a display: places by name."""

    def __init__(self):
        self.places = {}

    def install(self, monkeypatch):
        monkeypatch.setattr("cv2.createTrackbar", lambda name, title, place, top, on: self.places.update({name: place}))
        monkeypatch.setattr("cv2.getTrackbarPos", lambda name, title: self.places[name])
        monkeypatch.setattr("cv2.setTrackbarPos", lambda name, title, place: self.places.update({name: place}))
        for name, answer in {"namedWindow": None, "resizeWindow": None, "imshow": None, "waitKey": -1,
                             "getWindowProperty": 1.0, "destroyWindow": None}.items():  # fmt: skip
            monkeypatch.setattr(f"cv2.{name}", lambda *_, answer=answer: answer)
        monkeypatch.setattr("edgegan.runtime.sinks.window.check_display", lambda: None)
        monkeypatch.setattr("edgegan.runtime.sinks.window.sys", SimpleNamespace(modules=(), platform=sys.platform))


def test_mouse_and_keys_push_the_same_sliders(monkeypatch):
    bars = Trackbars()
    bars.install(monkeypatch)
    sliders = [Slider("d1", -2.0, 2.0), Slider("d2", -2.0, 2.0, 1.0)]
    with Dressed(Window(Clock(by_timestamp=True)), Controls(), Stats()) as sink:
        sink.offer(sliders)
        sink.write(_flat())
        assert bars.places == {"d1": 20, "d2": 30}
        bars.places["d1"] = 35  # the mouse
        sliders[1].move(-4)  # keys
        sink.write(_flat())
        assert sliders[0].value == 1.5 and bars.places == {"d1": 35, "d2": 26}
        sink.write(_flat())
        assert [s.place for s in sliders] == [35, 26]
