"""How a stream ends: limits, errors, keys, a sink that goes, Ctrl-C."""

import _thread
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest
from support.streams import Kept, Numbers, adds_up, same, slow

from edgegan.runtime.errors import SinkError, SourceError
from edgegan.runtime.live.controls.attributes import Controls
from edgegan.runtime.live.sink import Callback
from edgegan.runtime.live.source import frame_of
from edgegan.runtime.live.stream import Stream


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@pytest.fixture
def default_ctrl_c():
    """A shell starts its background jobs deaf to Ctrl-C, and tests may be such a job."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_max_frames_of_a_file_reads_no_further():
    source = Numbers(120)
    stats = Stream(source, same, Kept()).run(max_frames=7)
    assert (stats.read, stats.shown) == (7, 7)
    assert not source.ended


def test_the_time_limit_holds_even_when_nothing_comes():
    class Silent(Numbers):
        over = threading.Event()

        def __iter__(self):
            assert self.over.wait(20), "it was not stopped"
            yield frame_of(np.zeros((2, 2, 3)), 0, "late")

        def stop(self):
            self.over.set()

    stats = Stream(Silent(live=True), same, Kept()).run(seconds=0.2)
    assert stats.shown == 0


@pytest.mark.parametrize("live", [False, True])
def test_an_error_in_processing_surfaces_after_the_frames_before_it(live):
    def process(frame, record):
        if frame.image_bgr[0, 0, 0] >= 5:
            raise ValueError("number five")
        return frame.image_bgr

    sink = Kept()
    stream = Stream(Numbers(live=live, fps=100), process, sink)
    with pytest.raises(ValueError, match="number five"):
        stream.run()
    assert sink.indices == ([i for i in sink.indices if i < 5] if live else [0, 1, 2, 3, 4])
    assert stream.stats.dropped["failed"] == 1
    assert adds_up(stream.stats)


def test_an_error_of_the_source_surfaces_after_its_frames():
    sink = Kept()
    with pytest.raises(SourceError, match="gone after 9"):
        Stream(Numbers(fails_at=9), slow(0.002), sink).run()
    assert sink.indices == list(range(9))


def test_an_error_of_the_sink_surfaces_and_stops_everything():
    stream = Stream(Numbers(), same, Kept(fails_at=4))
    with pytest.raises(SinkError, match="disk is full"):
        stream.run()
    assert stream.stats.shown == 4
    assert adds_up(stream.stats)


def test_a_key_ends_the_run():
    panel = Controls(("Smiling",))
    sink = Kept(panel=panel, keys={3: "1", 6: "q"})
    stats = Stream(Numbers(), same, sink, stop=panel.stopping).run()
    assert panel.changes == {"Smiling": 1.0}
    assert stats.shown == 6
    assert adds_up(stats)


def test_a_sink_that_has_gone_ends_the_run_without_an_error():
    sink = Kept(gone_at=4)
    stats = Stream(Numbers(), same, sink).run()
    assert sink.indices == [0, 1, 2, 3]
    assert stats.shown == 4 and adds_up(stats)


def test_a_stop_from_another_thread_ends_the_run_even_when_nothing_comes():
    stopping = threading.Event()

    class Silent(Numbers):
        def __iter__(self):
            yield frame_of(np.zeros((2, 2, 3)), 0, "once")
            assert stopping.wait(20), "nobody stopped"

    def stop_after_the_first(frame):
        threading.Timer(0.05, stopping.set).start()

    stats = Stream(Silent(live=True), same, Callback(stop_after_the_first), stop=stopping).run()
    assert stats.shown == 1


def test_the_seconds_of_a_recording_are_its_own():
    """A file that is read faster, or slower, than it plays ends where its own time does."""
    for moments, seconds, count in (([n / 30 for n in range(90)], 1.0, 30), ([0.0, 0.1, 2.5, 2.6], 2.0, 2)):

        class Film(Numbers):
            def __iter__(self, moments=moments):
                for frame in super().__iter__():
                    yield replace(frame, moment_s=moments[frame.index])

        sink = Kept(seconds=0.001)
        stats = Stream(Film(len(moments)), same, sink).run(seconds=seconds)
        assert sink.indices == list(range(count))
        assert adds_up(stats)


def test_ctrl_c_ends_the_run_and_joins(default_ctrl_c):
    presses = threading.Thread(target=_thread.interrupt_main)

    def press_at_the_third(frame):
        if stream.stats.shown == 2:
            presses.start()

    stream = Stream(Numbers(live=True, fps=100), same, Callback(press_at_the_third))
    with pytest.raises(KeyboardInterrupt):
        stream.run()
    presses.join()
    assert stream.stats.shown >= 2
    assert adds_up(stream.stats)
