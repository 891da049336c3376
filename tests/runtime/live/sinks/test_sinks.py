"""Sinks: which word opens which, several at once, folders, and places that cannot be written."""

import sys

import cv2
import numpy as np
import pytest
from support.av_clips import draw_number
from support.frames import FakeCameras, Kept, frame

from edgegan.runtime.errors import SinkError
from edgegan.runtime.kinds import modules
from edgegan.runtime.live.sink import Callback, SinkClosed, Sinks
from edgegan.runtime.live.sinks import open_sink
from edgegan.runtime.live.sinks._even import even
from edgegan.runtime.live.sinks.window import Window
from edgegan.runtime.live.source import Frame


def test_nothing_is_made_before_the_first_frame(tmp_path):
    (tmp_path / "old.mp4").write_bytes(b"an older recording")
    for name in ("a.mp4", "old.mp4", "folder", "deep/er/b.mp4"):
        with open_sink(str(tmp_path / name)):
            pass
    assert [p.name for p in tmp_path.iterdir()] == ["old.mp4"]
    assert (tmp_path / "old.mp4").read_bytes() == b"an older recording"


def test_a_folder_gets_one_exact_png_per_frame(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    with open_sink(str(tmp_path / "frames"), label=False) as sink:
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


def test_several_sinks_all_get_the_frame_and_all_are_closed():
    members = [Kept(), Kept(fails=True), Kept()]
    with pytest.raises(SinkError), Sinks(members) as sinks:
        sinks.write(frame(7))
    assert [len(m.frames) for m in members] == [1, 1, 1]
    assert [m.closed for m in members] == [1, 1, 1]


def test_when_one_of_several_has_gone_the_others_have_the_frame_still():
    members = [Kept(), Kept(gone=True), Kept()]
    with Sinks(members) as sinks, pytest.raises(SinkClosed):
        sinks.write(frame(7))
    assert [len(m.frames) for m in members] == [1, 1, 1]


def test_a_callback_gets_the_frame_and_may_end_the_run():
    seen = []
    sink = Callback(lambda each: seen.append(each.index) or each.index == 2)
    for number in range(2):
        sink.write(frame(number))
    with pytest.raises(SinkClosed):
        sink.write(frame(2))
    assert seen == [0, 1, 2]


def test_the_kind_that_takes_almost_any_word_is_asked_last():
    names = [kind.__name__.rpartition(".")[2] for kind in modules("edgegan.runtime.live.sinks")]
    assert names[-1] == "folder"
    assert names[:-1] == sorted(names[:-1])


def test_sinks_say_what_their_time_counts_as(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyvirtualcam", FakeCameras())
    monkeypatch.setattr("os.isatty", lambda descriptor: False)
    stages = {}
    for spec in ("null", "-", "virtualcam", str(tmp_path / "frames"), str(tmp_path / "a.mp4")):
        with open_sink(spec, label=False) as sink:
            stages[type(sink).__name__] = sink.stage
    assert stages == {"Null": "", "Stdout": "encode", "VirtualCamera": "display", "Folder": "encode", "Video": "encode"}
    assert (Window.stage, Callback.stage) == ("display", "display")


def test_only_odd_sizes_are_copied():
    for hw, grown in (((48, 64), (48, 64)), ((47, 64), (48, 64)), ((47, 63), (48, 64))):
        picture = draw_number(5, *hw)
        whole = even(picture)
        assert whole.shape[:2] == grown
        assert (whole is picture) == (hw == grown)
        assert np.array_equal(whole[: hw[0], : hw[1]], picture)
        assert np.array_equal(whole[-1], whole[hw[0] - 1])


def test_words_with_a_meaning_of_their_own_are_no_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "pyvirtualcam", FakeCameras())
    monkeypatch.setattr("os.isatty", lambda descriptor: False)
    (tmp_path / "null").mkdir()
    kinds = {}
    for spec in ("null", "-", "stdout", "virtualcam", "virtualcam:/dev/video9", "frames", "a.mp4"):
        with open_sink(spec, label=False) as sink:
            kinds[spec] = type(sink).__name__
    assert kinds == {
        "null": "Null", "-": "Stdout", "stdout": "Stdout", "virtualcam": "VirtualCamera",
        "virtualcam:/dev/video9": "VirtualCamera", "frames": "Folder", "a.mp4": "Video",
    }  # fmt: skip
