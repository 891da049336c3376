"""A source that goes away: its last frame is held and marked, and it is back within three seconds of its return."""

import math
import threading
import time
from dataclasses import replace
from itertools import combinations, islice

import cv2
import numpy as np
import pytest
from support.av_clips import number_of
from support.servers.http import DeafPort
from support.servers.mjpeg import MjpegServer

from edgegan.runtime.errors import InputError, SourceError, SourceRefusedError
from edgegan.runtime.live.controls.attributes import Controls
from edgegan.runtime.live.media.fitting import fit
from edgegan.runtime.live.screen.compositor import Compositor
from edgegan.runtime.live.sink import Callback
from edgegan.runtime.live.source import frame_of
from edgegan.runtime.live.sources import camera, open_source
from edgegan.runtime.live.stream import Stream
from edgegan.runtime.live.wrappers import reconnecting as wrapper
from edgegan.runtime.live.wrappers.reconnecting import Reconnecting
from edgegan.runtime.metrics.live import LiveTally


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 5
    while not set(threading.enumerate()) <= before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert set(threading.enumerate()) <= before


def until(frames, wanted, seconds=8.0):
    """The frames up to the first that is `wanted`."""
    deadline, seen = time.monotonic() + seconds, []
    for frame in frames:
        seen.append(frame)
        if wanted(frame):
            return seen
        assert time.monotonic() < deadline, "it never came"
    raise AssertionError("the source ended")


def is_held(frame):
    return frame.held_s > 0


def fresh(frame):
    return not frame.held_s


def test_a_stream_that_is_cut_is_held_and_back_within_three_seconds_of_its_return():
    with MjpegServer() as server, open_source(server.url, reconnect_s=math.inf) as source:
        assert source.live and "secret" not in source.name + source.about
        frames = iter(source)
        seen = until(frames, lambda f: f.index == 10)
        assert not any(map(is_held, seen))
        last = number_of(seen[-1].image_bgr)
        server.stop()
        seen = until(frames, lambda f: f.held_s > 2.5)
        kept = [f for f in seen if is_held(f)]
        assert 5 < len(kept) < 20  # five a second
        assert {number_of(f.image_bgr) for f in kept} == {number_of(kept[0].image_bgr)}
        assert number_of(kept[0].image_bgr) >= last
        steps = np.diff([f.held_s for f in kept])
        assert (steps > 0.1).all()
        server.start()
        returned = time.monotonic()
        until(frames, fresh)
        assert time.monotonic() - returned < 3.0
        assert not any(map(is_held, islice(frames, 10)))


def test_a_host_that_takes_connections_and_never_answers_does_not_hold_its_return_up():
    """The stream comes back just after a try began that will never be answered."""
    with MjpegServer() as server, open_source(server.url, reconnect_s=math.inf) as source:
        frames = iter(source)
        until(frames, lambda f: f.index == 5)
        server.stop()
        deaf = DeafPort(server.port)
        until(frames, lambda f: len(deaf.taken) > 1)
        deaf.leave()
        server.start()
        returned = time.monotonic()
        until(frames, fresh, seconds=12)
        assert 0.5 < time.monotonic() - returned < 3.0
        deaf.close()


def test_held_frames_say_why_the_source_is_away():
    with MjpegServer() as server, open_source(server.url, reconnect_s=math.inf) as source:
        frames = iter(source)
        assert until(frames, lambda f: f.index == 5)[-1].held_why == ""
        server.stop()
        (*_, last) = until(frames, lambda f: f.held_s > 2.0)
        assert "gives no video: Connection refused" in last.held_why
        assert "secret" not in last.held_why and "\n" not in last.held_why
        server.start()
        (*_, last) = until(frames, fresh)
        assert last.held_why == ""


def test_a_stream_that_falls_silent_is_opened_again():
    with MjpegServer() as server, open_source(server.url, reconnect_s=math.inf) as source:
        frames = iter(source)
        until(frames, lambda f: f.index == 3)
        server.freeze()
        until(frames, is_held)
        until(frames, fresh)


def test_the_run_goes_on_and_counts_what_it_lost():
    stats, ages = LiveTally(), []
    with MjpegServer() as server, open_source(server.url, reconnect_s=math.inf) as source:
        states = []

        def see(frame):
            states.append(frame.held_s)
            if len(states) == 5:
                server.stop()
            if frame.held_s > 2 and not server.up:
                server.start()
            ages.append(time.monotonic() - frame.timestamp)
            return bool(any(states) and not frame.held_s)

        Stream(source, lambda frame, record: frame.image_bgr, Callback(see), stats=stats).run(seconds=15)
    about = stats.statistics()
    assert about.away.reconnects == 1
    assert about.away.held == sum(1 for s in states if s)
    assert max(states) - 0.01 <= about.away.seconds <= max(states) + 0.3
    assert stats.read == stats.shown + sum(stats.dropped.values())
    assert "came back once" in stats.summary()
    assert about.stages_ms["age"]["p99"] > 1500  # a held frame is as old as it is


def test_a_picture_is_fitted_without_being_stretched():
    square = np.full((10, 10, 3), 255, np.uint8)
    wide = fit(square, (20, 60))
    assert (wide[:, 20:40] == 255).all() and not wide[:, :20].any() and not wide[:, 40:].any()
    assert fit(square, (10, 10)) is square


def test_a_held_frame_is_marked_on_every_output():
    fresh_frame = frame_of(np.full((240, 320, 3), 90), 0, "test")
    seen = []
    with Compositor(Callback(lambda frame: seen.append(frame.image_bgr)), Controls(), LiveTally()) as dressed:
        for held_s, why in ((0.0, ""), (3.2, ""), (4.2, ""), (4.2, "wrong address")):
            dressed.write(replace(fresh_frame, held_s=held_s, held_why=why))
    assert all((a != b).any() for a, b in combinations(seen, 2))  # the seconds and the reason are on it
    assert (fresh_frame.image_bgr == 90).all()


def test_files_and_drawn_cameras_are_not_wrapped(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((4, 4, 3), np.uint8))
    for spec in (str(tmp_path / "a.png"), "synthetic:160x120"):
        with open_source(spec, reconnect_s=math.inf) as source:
            assert not isinstance(source, Reconnecting)
    with pytest.raises(InputError):
        open_source("synthetic", reconnect_s=math.nan)


def test_a_dead_address_and_a_wrong_password_are_said_at_once():
    server = MjpegServer()
    with pytest.raises(SourceError, match="gives no video"):
        open_source(server.url, reconnect_s=math.inf)
    for status in (401, 403):
        with server:
            server.status = status
            with pytest.raises(SourceRefusedError, match="refuses") as caught:
                open_source(server.url, reconnect_s=math.inf)
            assert "secret" not in str(caught.value)


class Plug:
    """A camera that is pulled out after some pictures, and put back after some tries: none is here to pull."""

    pictures, tries = 5, 3

    def __init__(self, *args):
        type(self).tries -= 1
        self.there = self.tries == 2 or self.tries < 0
        self.left = self.pictures if self.tries == 2 else 1000

    def isOpened(self):
        return self.there

    def set(self, *args):
        return True

    def get(self, prop):
        return 30.0

    def grab(self):
        self.left -= 1
        time.sleep(0.005)
        return self.left >= 0

    def retrieve(self):
        return True, np.full((720, 1280, 3), self.tries + 100, np.uint8)

    def read(self):
        return self.grab(), self.retrieve()[1]

    def release(self):
        self.there = False


def test_a_camera_pulled_out_and_put_back_goes_on(monkeypatch):
    monkeypatch.setattr(cv2, "VideoCapture", Plug)
    monkeypatch.setattr(Plug, "tries", 3)
    monkeypatch.setattr(camera, "_PATIENCE_S", 0.1)
    monkeypatch.setattr(wrapper, "_SILENCE_S", 0.2)
    with open_source("0", reconnect_s=math.inf) as source:
        frames = iter(source)
        before = until(frames, is_held)
        after = until(frames, fresh)
    assert int(before[0].image_bgr[0, 0, 0]) == 102 and int(after[-1].image_bgr[0, 0, 0]) < 100
