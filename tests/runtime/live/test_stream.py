"""The live loop: its drop rule, its counts, its errors and its end. Host logic only, so the parts are plain Python."""

import _thread
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from edgegan.runtime.channel import Channel, ChannelClosed
from edgegan.runtime.errors import SinkError, SourceError
from edgegan.runtime.live.controls.attributes import Controls
from edgegan.runtime.live.sink import Callback, Sink, SinkClosed
from edgegan.runtime.live.source import Source, frame_of
from edgegan.runtime.live.stream import Stream


class Numbers(Source):
    """Frames whose pixels are their number, as fast as they are wanted or at a rate."""

    name = about = "numbers"
    size_hw = (2, 2)

    def __init__(self, count=None, *, live=False, fps=None, fails_at=None):
        self.length, self.live, self.fps, self._fails_at = count, live, fps, fails_at
        self.ended = False

    def __iter__(self):
        index = 0
        while self.length is None or index < self.length:
            if index == self._fails_at:
                raise SourceError(f"gone after {index} frames")
            if self.fps:
                time.sleep(1 / self.fps)
            yield frame_of(np.full((2, 2, 3), index % 256), index, self.name)
            index += 1
        self.ended = True


class Kept(Sink):
    """Remembers the numbers of its frames."""

    def __init__(self, *, seconds=0.0, panel=None, keys=None, fails_at=None, gone_at=None):
        self.indices, self.values, self.pairs, self.threads = [], [], [], set()
        self._seconds, self._panel, self._keys = seconds, panel, keys or {}
        self._fails_at, self._gone_at = fails_at, gone_at

    def write(self, frame, before=None):
        if len(self.indices) == self._fails_at:
            raise SinkError("the disk is full")
        if len(self.indices) == self._gone_at:
            raise SinkClosed
        time.sleep(self._seconds)
        self.indices.append(frame.index)
        self.values.append(int(frame.image_bgr[0, 0, 0]))
        self.pairs.append((int(before[0, 0, 0]), int(frame.image_bgr[0, 0, 0])))
        self.threads.add(threading.current_thread())
        if self._panel is not None:
            self._panel.press(self._keys.get(len(self.indices), ""))


def slow(seconds):
    def process(frame, record):
        time.sleep(seconds)
        record("edit", seconds)
        return 255 - frame.image_bgr

    return process


def same(frame, record):
    return frame.image_bgr


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


def adds_up(stats):
    return stats.read == stats.shown + sum(stats.dropped.values())


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


def test_between_frames_the_thread_that_shows_polls():
    polled = []
    sink = Kept()
    Stream(Numbers(5), same, sink, poll=lambda: polled.append((len(sink.indices), threading.current_thread()))).run()
    assert polled == [(count, threading.main_thread()) for count in range(1, 6)]


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


def test_a_full_channel_gives_up_its_oldest_or_waits():
    newest = Channel(2, newest_wins=True)
    assert [newest.put(i) for i in (1, 2, 3, 4)] == [0, 0, 1, 1]
    assert (newest.get(), newest.get()) == (3, 4)
    waiting = Channel(1, newest_wins=False)
    waiting.put(1)
    writer = threading.Thread(target=waiting.put, args=(2,))
    writer.start()
    assert (waiting.get(), waiting.get()) == (1, 2)
    writer.join()
    with pytest.raises(TimeoutError):
        waiting.get(0.01)


def test_a_channel_serves_what_waits_before_it_ends_and_nothing_after_an_abort():
    channel = Channel(3, newest_wins=False)
    channel.put(1)
    channel.finish(ValueError("the end"))
    assert channel.get() == 1
    with pytest.raises(ValueError, match="the end"):
        channel.get()
    channel = Channel(3, newest_wins=False)
    channel.put(1)
    channel.put(2)
    assert channel.abort() == 2
    for use in (channel.get, lambda: channel.put(3)):
        with pytest.raises(ChannelClosed):
            use()


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
