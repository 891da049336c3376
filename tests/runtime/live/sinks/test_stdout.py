"""Frames on stdout, as a program that knows YUV4MPEG2 reads them."""

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import av
import numpy as np
import pytest
from support.av_clips import number_of
from support.frames import frame

from edgegan.runtime.errors import SinkError
from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.sink import SinkClosed
from edgegan.runtime.live.sinks import open_sink
from edgegan.runtime.live.sinks.stdout import Stdout
from edgegan.runtime.live.source import Frame


def read_stream(descriptor: int, frames: int | None = None) -> list[np.ndarray]:
    """What a program that knows YUV4MPEG2 sees."""
    with open(descriptor, "rb") as file, av.open(file, format="yuv4mpegpipe") as container:
        decoded = container.decode(video=0)
        return [f.to_ndarray(format="bgr24") for f in (decoded if frames is None else islice(decoded, frames))]


def test_frames_on_stdout_tell_their_size_and_rate_and_every_one_comes_back():
    ours, theirs = os.pipe()
    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(read_stream, ours)
        with Stdout(theirs, FrameClock(fps=30)) as sink:
            for number in range(20):
                sink.write(frame(number, hw=(47, 63)))
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
        with Stdout(theirs, FrameClock(fps=10, by_timestamp=True)) as sink:
            for number, timestamp in enumerate((5.0, 5.1, 5.11, 5.4, 5.5)):
                sink.write(frame(number, timestamp))
        numbers = [number_of(p) for p in seen.result(timeout=20)]
    assert numbers == [0, 1, 1, 1, 3, 4]  # 5.11 is left out; the gap to 5.4 is filled


def test_a_reader_that_goes_away_ends_the_run_like_a_closed_window():
    ours, theirs = os.pipe()
    with Stdout(theirs) as sink:
        os.close(ours)
        with pytest.raises(SinkClosed):
            sink.write(frame(0))


def test_a_terminal_is_no_place_for_frames(monkeypatch):
    monkeypatch.setattr("os.isatty", lambda descriptor: True)
    for spec in ("-", "stdout"):
        with pytest.raises(SinkError, match=r"a terminal[\s\S]*ffplay -"):
            open_sink(spec)
