"""The live loop: its drop rule, its counts, its errors and its end. Host logic only, so the parts are plain Python."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from support.streams import Kept, Numbers, adds_up, same, slow

from edgegan.runtime.live.sink import Callback
from edgegan.runtime.live.source import frame_of
from edgegan.runtime.live.stream import Stream


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize(("process", "sink_s"), [(same, 0.0), (slow(0.002), 0.0), (same, 0.002)])
def test_no_frame_of_a_file_is_lost_and_they_come_in_order(process, sink_s):
    sink = Kept(seconds=sink_s)
    stats = Stream(Numbers(120), process, sink).run()
    assert sink.indices == list(range(120))
    assert (stats.read, stats.shown, dict(stats.dropped)) == (120, 120, {})
    assert sink.threads == {threading.main_thread()}


def test_before_and_after_belong_to_the_same_frame():
    sink = Kept()
    Stream(Numbers(30), slow(0.0), sink).run()
    assert sink.pairs == [(i, 255 - i) for i in range(30)]


class Stepped(Numbers):
    """A camera that gives so many frames each time a step is asked for."""

    def __init__(self):
        super().__init__(live=True)
        self.wanted, self.given = threading.Semaphore(0), threading.Semaphore(0)
        self._ended = False

    def step(self, frames):
        for _ in range(frames):
            self.wanted.release()
        for _ in range(frames):
            assert self.given.acquire(timeout=20)

    def __iter__(self):
        index = 0
        while self.wanted.acquire(timeout=20) and not self._ended:
            yield frame_of(np.full((2, 2, 3), index % 256), index, self.name)
            self.given.release()  # it was taken over
            index += 1

    def stop(self):
        self._ended = True
        self.wanted.release()
        self.given.release(1000)  # whoever still waits for a step


def test_the_newest_frame_wins_for_a_live_source():
    """While the model works on a frame, ten come: it goes on with the last of them."""
    source, sink, worked_on = Stepped(), Kept(), []

    def process(frame, record):
        worked_on.append(frame.index)
        source.step(10)
        return frame.image_bgr

    source.wanted.release()
    stats = Stream(source, process, sink).run(max_frames=6)
    assert worked_on[:6] == [0, 10, 20, 30, 40, 50]
    assert sink.indices == sorted(set(sink.indices)) and set(sink.indices) <= set(worked_on)
    assert stats.dropped["model_busy"] >= 9 * 5
    assert adds_up(stats)


def test_a_slow_sink_is_a_cause_of_its_own():
    """While the sink writes a frame, ten go through the model, one after the other: all but the last are its loss."""
    source, edited = Stepped(), threading.Semaphore(0)

    def process(frame, record):
        edited.release()
        return frame.image_bgr

    def write(frame):
        assert edited.acquire(timeout=20)  # the one that is written
        for _ in range(10):
            source.step(1)
            assert edited.acquire(timeout=20)
        edited.release()  # the last of them is the next to be written

    source.wanted.release()
    stats = Stream(source, process, Callback(write)).run(max_frames=8)
    assert stats.shown == 8
    assert stats.dropped["sink_busy"] >= 8 * 8
    assert stats.dropped["model_busy"] == 0
    assert adds_up(stats)


def test_a_live_source_loses_nothing_when_told_so():
    sink = Kept()
    stats = Stream(Numbers(40, live=True), slow(0.002), sink, newest_wins=False).run()
    assert sink.indices == list(range(40))
    assert not stats.dropped


def test_between_frames_the_thread_that_shows_polls():
    polled = []
    sink = Kept()
    Stream(Numbers(5), same, sink, poll=lambda: polled.append((len(sink.indices), threading.current_thread()))).run()
    assert polled == [(count, threading.main_thread()) for count in range(1, 6)]


def test_the_process_gets_the_frame_with_the_time_of_its_capture():
    """A frame that waited for the model is older than the moment at which it is processed."""
    given, read, moments = [], threading.Semaphore(0), []

    class Counted(Numbers):
        def __iter__(self):
            for frame in super().__iter__():
                yield frame
                read.release()  # it was taken over

    def process(frame, record):
        if not given:
            assert all(read.acquire(timeout=20) for _ in range(3))
            moments.append(time.monotonic())
        given.append((frame.index, frame.source))
        moments.append(frame.timestamp)
        return frame.image_bgr

    Stream(Counted(12), process, Kept()).run()
    assert given == [(i, "numbers") for i in range(12)]
    begun, *taken = moments
    assert max(taken[:3]) <= begun and taken == sorted(taken)  # two waited while the model had not begun


def test_what_a_frame_costs_besides_the_network_is_its_processing_without_it():
    def process(frame, record):
        time.sleep(0.004)
        record("network", 0.001)
        record("network", 0.002)  # a second pass
        return frame.image_bgr

    times = Stream(Numbers(1), process, Kept()).run().statistics().stages_ms
    assert times["besides"]["p50"] == pytest.approx(times["process"]["p50"] - 3.0, abs=2e-3)
    assert "besides" not in Stream(Numbers(1), slow(0.0), Kept()).run().statistics().stages_ms


def test_decoding_is_timed_apart_and_what_the_source_left_out_counts_as_dropped():
    class Late(Numbers):
        def __iter__(self):
            for frame in super().__iter__():
                yield replace(frame, decode_s=0.002 * frame.index, skipped=5 * (frame.index == 2))

    stats = Stream(Late(3), same, Kept()).run()
    assert stats.statistics().stages_ms["decode"]["p50"] == 3.0  # of 2 and 4 ms: the first took none
    assert (stats.read, stats.shown, dict(stats.dropped)) == (8, 3, {"behind": 5})


def test_frames_that_a_source_left_out_do_not_count_as_those_asked_for():
    class Behind(Numbers):
        def __iter__(self):
            for frame in super().__iter__():
                yield replace(frame, skipped=40 * (frame.index == 1))

    sink = Kept()
    stats = Stream(Behind(), same, sink, newest_wins=False).run(max_frames=5)
    assert sink.indices == [0, 1, 2, 3, 4] and stats.read == 45 and stats.dropped["behind"] == 40
