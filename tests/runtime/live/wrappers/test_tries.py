"""When a source that is away is tried again, and when it is given up."""

import math
import threading
import time

import numpy as np
import pytest

from edgegan.runtime.errors import InputError, SourceError, SourceRefusedError
from edgegan.runtime.live.source import Source, frame_of
from edgegan.runtime.live.wrappers.reconnecting import Reconnecting, Retry


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 5
    while not set(threading.enumerate()) <= before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert set(threading.enumerate()) <= before


def fresh(frame):
    return not frame.held_s


class Flaky(Source):
    """Two frames, then gone."""

    name = about = "flaky"
    live = revivable = True
    fps, length = 100.0, None

    def __init__(self, size_hw=(4, 6), error=None):
        self.size_hw, self.error, self.closed = size_hw, error or SourceError("flaky is gone"), 0

    def __iter__(self):
        for index in range(2):
            yield frame_of(np.full((*self.size_hw, 3), 200), index, self.name)
        raise self.error

    def close(self):
        self.closed += 1


def opener(*answers):
    """Gives, or raises, one answer after the other; the last for ever."""
    left = list(answers)

    def reopen():
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return reopen


def test_waits_double_up_to_a_second():
    waits = []
    reconnecting = Reconnecting(Flaky(), opener(SourceError("not there")), give_up_s=math.inf)
    stopping = reconnecting._retry._stopping
    real = stopping.wait
    stopping.wait = lambda seconds: waits.append(seconds) or len(waits) > 5 or real(0)
    with reconnecting as source:
        list(source)
    assert waits == pytest.approx([0.25, 0.5, 1.0, 1.0, 1.0, 1.0], abs=0.05)  # from the beginning of the last try


def test_the_time_that_a_try_took_counts_as_waiting():
    retry, tries, begin = Retry(math.inf), [], time.monotonic()

    def reopen():
        tries.append(time.monotonic() - begin)
        time.sleep(0.4)
        raise SourceError("no answer")

    retry._stopping.wait = lambda seconds: len(tries) == 3 or time.sleep(seconds)
    assert retry.until_open(reopen, SourceError("gone\nand more")) is None
    assert tries == pytest.approx([0.25, 0.75, 1.75], abs=0.15)
    assert retry.why == "no answer"


def test_what_was_away_too_long_is_given_up_with_the_reason():
    first = Flaky()
    with (
        Reconnecting(first, opener(SourceError("no such device")), give_up_s=0.5) as source,
        pytest.raises(SourceError, match=r"flaky is gone; away for [01] s\nno such device"),
    ):
        list(source)
    assert first.closed == 1


@pytest.mark.parametrize("error", [SourceRefusedError("wrong password"), ValueError("a bug"), InputError("no")])
def test_what_cannot_be_mended_is_raised_at_once(error):
    begin = time.monotonic()
    for first, then in ((Flaky(), error), (Flaky(error=error), Flaky())):
        with Reconnecting(first, opener(then), give_up_s=math.inf) as source, pytest.raises(type(error)):
            list(source)
    assert time.monotonic() - begin < 2


def test_frames_keep_their_order_number_and_size_when_another_size_comes_back():
    second = Flaky((8, 6))
    reopened = opener(second, SourceError("gone"))
    with Reconnecting(Flaky(), reopened, give_up_s=0.3) as source:
        frames = []
        with pytest.raises(SourceError):
            for frame in source:
                frames.append(frame)
    assert [f.index for f in frames] == list(range(len(frames)))
    assert {f.image_bgr.shape for f in frames} == {(4, 6, 3)}
    assert len([f for f in frames if fresh(f)]) == 4
    assert second.closed == 1
