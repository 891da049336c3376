"""Network streams that come faster than they are taken: real ones, on loopback."""

import time
from itertools import islice
from typing import NamedTuple

import av
import numpy as np
import pytest
from support.av_clips import draw_number, number_of
from support.servers.http import FileServer
from support.servers.live import LiveServer
from support.servers.mjpeg import MjpegServer

from edgegan.runtime.live.sources import _catch_up, open_source
from edgegan.runtime.live.sources._catch_up import CatchUp

SLOW_S = 0.2  # five pictures a second of 25: without an answer, the delay grows by 0.8 s a second


class Seen(NamedTuple):
    number: int
    skipped: int
    delay_s: float  # how far the sender was on already
    age_s: float  # as the frame has it


def watch(server, seconds, *, every_frame=False, pause_s=SLOW_S) -> list[Seen]:
    seen = []
    with open_source(server.url, every_frame=every_frame) as source:
        begin = time.monotonic()
        for frame in source:
            number = number_of(frame.image_bgr)
            delay_s = (server.number - number) % 256 / server.fps
            seen.append(Seen(number, frame.skipped, delay_s, time.monotonic() - frame.timestamp))
            if time.monotonic() - begin > seconds:
                return seen
            time.sleep(pause_s)
    raise AssertionError("it ended")


@pytest.mark.parametrize("kind", [LiveServer, MjpegServer])
def test_a_slow_reader_stays_within_two_seconds_of_the_stream(kind):
    with kind(fps=25) as server:
        seen = watch(server, 4.5)
    # Medians: a machine that stands still for a moment delays a picture or two, a reader that falls behind all.
    assert np.median([each.delay_s for each in seen[-5:]]) < 2.0
    gaps = [(b.number - a.number) % 256 - 1 for a, b in zip(seen, seen[1:], strict=False)]
    assert gaps == [each.skipped for each in seen[1:]]  # what is missing is counted, where it is missing
    assert sum(gaps) > 50


def test_the_age_of_a_frame_is_true_whether_or_not_some_are_left_out():
    for every_frame in (False, True):
        with LiveServer() as server:
            seen = watch(server, 2.5, every_frame=every_frame)
        errors = [each.age_s - each.delay_s for each in seen]
        assert np.median(np.abs(errors)) < 0.4
        assert (max(each.skipped for each in seen) == 0) is every_frame
    assert max(each.age_s for each in seen) > 1.5
    assert np.diff([each.number for each in seen]).tolist() == [1] * (len(seen) - 1)


@pytest.mark.parametrize(("kind", "fps"), [(LiveServer, 25), (MjpegServer, 12)])  # a rate that MJPEG does not tell
def test_a_reader_that_keeps_up_gets_every_frame(kind, fps):
    with kind(fps=fps) as server:
        seen = watch(server, 2.5, pause_s=0.02)  # half the time that a picture lasts
    assert not any(each.skipped for each in seen)
    assert set(np.diff([each.number for each in seen]).tolist()) == {1}
    assert np.median([each.age_s for each in seen[-10:]]) < 0.15  # what came while it was opened is made good


def test_a_stream_that_comes_in_segments_is_shown_at_its_own_speed(tmp_path):
    options = {"hls_time": "1", "hls_list_size": "0", "hls_flags": "omit_endlist"}  # more is to come
    with av.open(str(tmp_path / "live.m3u8"), "w", format="hls", options=options) as container:
        stream = container.add_stream("libx264", rate=25, options={"g": "25", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(75):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(draw_number(number), format="bgr24")))
        container.mux(stream.encode(None))
    with FileServer(tmp_path) as server, open_source(f"{server.url}/live.m3u8") as source:
        assert source.live
        begin = time.monotonic()
        frames = list(islice(source, 38))
    assert time.monotonic() - begin > 1.4  # it has all of them at once
    assert np.diff([number_of(f.image_bgr) for f in frames]).tolist() == [1] * 37


class Clock:
    """Stands in for the module `time`: hours pass in no time."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now


class Packet(NamedTuple):
    pts: float
    is_keyframe: bool
    time_base: int = 1


class Decoder:
    """Stands in for a stream, whose decoder is emptied after a gap."""

    def __init__(self):
        self.codec_context, self.flushed = self, 0

    def flush_buffers(self):
        self.flushed += 1


def through(monkeypatch, packets, *, decode_s=lambda now: 0.01, timed=True):
    """What is left of `packets`, (moment at which it arrives, packet), for a reader that takes `decode_s` for each."""
    clock = Clock()
    monkeypatch.setattr(_catch_up, "time", clock)
    begin = clock.now

    def arriving():
        for at, packet in packets:
            clock.now = max(clock.now + 1e-5, begin + at)
            yield packet

    stream = Decoder()
    catch_up = CatchUp(arriving(), stream, timed=timed)
    for packet in catch_up:
        yield (
            packet,
            clock.now - begin,
            clock.now - catch_up.arrival_s(packet.pts),
            catch_up.take_skipped(),
            stream.flushed,
        )
        clock.now += decode_s(clock.now - begin)


def test_a_clock_that_drifts_for_hours_loses_nothing(monkeypatch):
    packets = [(n / 25, Packet(n / 25 * 0.9992, n % 25 == 0)) for n in range(25 * 3600)]
    seen = list(through(monkeypatch, packets))
    assert len(seen) == len(packets)
    assert max(age for _, _, age, _, _ in seen) < 0.1


def test_a_stream_whose_clock_leaps_goes_on_at_a_key_frame(monkeypatch):
    for leap_s in (-20.0, 20.0):
        packets = [(n / 25, Packet(n / 25 + (leap_s if n > 250 else 0.0), n % 25 == 0)) for n in range(750)]
        seen = list(through(monkeypatch, packets))
        assert sum(skipped for *_, skipped, _ in seen) == len(packets) - len(seen) < 40
        assert all(age < 0.5 for _, at, age, _, _ in seen if at > 20)


def test_a_stall_of_the_network_is_no_backlog(monkeypatch):
    packets = [(n / 25 if n < 250 or n > 325 else 13.0, Packet(n / 25, n % 25 == 0)) for n in range(500)]
    seen = list(through(monkeypatch, packets))
    assert len(seen) >= 500 - 76  # those that the network held back come at once and may be left out, no others
    assert max(age for _, at, age, _, _ in seen if at > 14) < 0.5


def test_without_key_frames_it_goes_on_in_the_end(monkeypatch):
    packets = [(n / 25, Packet(n / 25, n == 0)) for n in range(25 * 30)]
    seen = list(through(monkeypatch, packets, decode_s=lambda now: 0.1 if now < 5 else 0.01))
    assert max(at for _, at, *_ in seen) > 29
    assert seen[-1][2] < 0.5
    assert seen[-1][-1] >= 1  # its decoder was emptied


@pytest.mark.parametrize("timed", [True, False])
def test_a_decoder_that_is_too_slow_gives_frames_that_are_never_much_older_than_a_second(monkeypatch, timed):
    packets = [(n / 25, Packet(n / 25, not timed or n % 25 == 0)) for n in range(25 * 60)]
    seen = list(through(monkeypatch, packets, decode_s=lambda now: 0.06, timed=timed))
    late = [at - packet.pts for packet, at, *_ in seen]
    assert max(late) < 2.0  # without an answer: 30
    assert len(seen) > 0.5 * len(packets)  # of the two thirds that it could decode
    assert 0 <= len(packets) - len(seen) - sum(skipped for *_, skipped, _ in seen) < 25  # no frame tells of the last
