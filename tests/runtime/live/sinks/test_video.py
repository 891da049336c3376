"""Recordings: what was written comes back, and survives a kill."""

import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from support.av_clips import read_back
from support.frames import frame

from edgegan.runtime.errors import MissingExtraError, SinkError
from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.sinks import open_sink
from edgegan.runtime.live.source import Frame


def test_a_recording_is_h264_yuv420p_with_its_index_in_front_and_every_frame(tmp_path):
    path = tmp_path / "new" / "out.mp4"
    with open_sink(str(path), FrameClock(fps=30)) as sink:
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
    with open_sink(str(tmp_path / "a.mp4"), FrameClock(fps=30, by_timestamp=True)) as sink:
        for number, time in enumerate(times):
            sink.write(frame(number, time))
    assert read_back(tmp_path / "a.mp4")[1] == pytest.approx([t - 100.0 for t in times], abs=1e-3)


@pytest.mark.parametrize("hw", [(47, 65), (48, 65), (1, 1)])
def test_odd_sizes_are_padded_to_even_and_not_stretched(tmp_path, hw):
    stripes = np.zeros((*hw, 3), np.uint8)
    stripes[1::2] = 255
    with open_sink(str(tmp_path / "odd.mp4"), label=False) as sink:
        sink.write(Frame(stripes, 0, 0.0, "test"))
    with av.open(str(tmp_path / "odd.mp4")) as container:
        back = next(container.decode(video=0)).to_ndarray(format="gray").astype(int)
    assert back.shape == (hw[0] + hw[0] % 2, hw[1] + hw[1] % 2)
    assert (np.abs(np.diff(back[: hw[0]], axis=0)) > 180).all()


def test_colours_survive_a_recording(tmp_path):
    colours = [(200, 60, 40), (40, 180, 70), (50, 60, 210), (128, 128, 128)]
    picture = np.repeat(np.repeat(np.array([colours], np.uint8), 64, 0), 32, 1)
    with open_sink(str(tmp_path / "c.mp4"), label=False) as sink:
        sink.write(Frame(picture, 0, 0.0, "test"))
    with av.open(str(tmp_path / "c.mp4")) as container:
        back = next(container.decode(video=0)).to_ndarray(format="bgr24")
    assert np.abs(back[32, 16::32].astype(int) - np.array(colours)).max() <= 6


_KILLED = """
import os, sys
sys.path.insert(0, {tests!r})
from support.av_clips import draw_number
from edgegan.runtime.live.source import Frame
from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.sinks import open_sink
sink = open_sink({path!r}, FrameClock(fps=10))
for number in range(36):
    sink.write(Frame(draw_number(7), number, 0.0, "test"))  # all alike: no scene change asks for a key frame
os.kill(os.getpid(), 9)
"""


def test_a_killed_recording_plays_to_its_last_full_second(tmp_path):
    path = tmp_path / "killed.mp4"
    code = _KILLED.format(path=str(path), tests=str(Path(__file__).parents[3]))
    assert subprocess.run([sys.executable, "-c", code]).returncode == -9
    numbers, times, _ = read_back(path)
    assert set(numbers) == {7}
    assert times == pytest.approx([n / 10 for n in range(len(times))], abs=1e-3)
    assert len(numbers) >= 30


def test_a_recording_that_fails_midway_keeps_what_it_has(tmp_path):
    path = tmp_path / "a.mp4"
    with (
        pytest.raises(SinkError, match="a frame of 50x64 after one of 48x64"),
        open_sink(str(path), label=False) as sink,
    ):
        sink.write(frame(1))
        sink.write(frame(2, hw=(50, 64)))
    assert read_back(path)[0] == [1]


def test_a_first_frame_that_cannot_be_encoded_leaves_everything_as_it_was(tmp_path):
    (tmp_path / "old.mp4").write_bytes(b"an older recording")
    for name in ("new.mp4", "old.mp4"):
        with pytest.raises(SinkError), open_sink(str(tmp_path / name)) as sink:
            sink.write(Frame(np.zeros((2, 40_000, 3), np.uint8), 0, 0.0, "test"))
    assert [p.name for p in tmp_path.iterdir()] == ["old.mp4"]
    assert (tmp_path / "old.mp4").read_bytes() == b"an older recording"


def test_without_pyav_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"edgegan\[video\]"):
        open_sink(str(tmp_path / "a.mp4"))
