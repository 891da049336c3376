"""Files whose clock begins anew or leaps: pictures and sound go on where they were, together."""

import os
from concurrent.futures import ThreadPoolExecutor

import av
import pytest
from support.av_clips import add_sound, clip, number_of, packets_of, read_back

from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.sinks import open_sink
from edgegan.runtime.live.sinks.stdout import Stdout
from edgegan.runtime.live.sources import open_source
from edgegan.runtime.live.stream import Stream

HOUR_S = 3600.0


def shift(path, out, second):
    """The packets of `path` as a transport stream that begins at that second."""
    with av.open(str(path)) as given, av.open(str(out), "w") as made:
        streams = {s.index: made.add_stream_from_template(s) for s in given.streams}
        for packet in given.demux():
            if packet.dts is not None:
                ticks = round(second / packet.time_base)
                packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
                packet.stream = streams[packet.stream_index]
                made.mux(packet)
    return out


def join(out, *parts):
    """The files as one, as `cat` joins them."""
    out.write_bytes(b"".join(part.read_bytes() for part in parts))
    return out


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Two seconds with a tone at one second, as a transport stream that begins at 0, and one that begins at an hour."""
    folder = tmp_path_factory.mktemp("films")
    silent = clip(folder / "silent.mp4", frames=60)
    loud = add_sound(silent, folder / "loud.mp4", seconds=2.0)
    parts = {name: shift(loud, folder / f"{name}.ts", at) for name, at in (("0", 0), ("hour", HOUR_S))}
    return folder, parts


def tones(path):
    """The seconds at which the sound becomes loud after it was silent."""
    loud, before = [], False
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            now = bool(abs(frame.to_ndarray()).max() > 0.2)
            if now and not before:
                loud.append(frame.time)
            before = now
    return loud


@pytest.mark.parametrize(
    "order", [("0", "0"), ("0", "hour"), ("hour", "0"), ("0", "0", "hour", "hour", "0")], ids="-".join
)
def test_a_joined_stream_lasts_as_long_as_its_parts_and_its_sound_stays_with_its_pictures(films, tmp_path, order):
    folder, parts = films
    film = join(tmp_path / "film.ts", *(parts[name] for name in order))
    with open_source(str(film)) as source:
        clock = FrameClock.of(source)
        with open_sink(str(tmp_path / "out.mp4"), clock, label=False) as sink:
            stats = Stream(source, lambda frame, record: frame.image_bgr, sink).run()
    count = len(order)
    numbers, times, _ = read_back(tmp_path / "out.mp4")
    assert stats.shown == 60 * count and numbers == list(range(60)) * count
    assert times == pytest.approx([n / 30 for n in range(60 * count)], abs=0.04 * count)  # a joint may be a frame off
    sound = [second for second, _ in packets_of(tmp_path / "out.mp4")]
    assert max(b - a for a, b in zip(sound, sound[1:], strict=False)) < 0.15
    for number, second in enumerate(tones(tmp_path / "out.mp4")):
        assert second - times[60 * number + 30] == pytest.approx(0.0, abs=0.06)
    assert len(tones(tmp_path / "out.mp4")) == count


def test_a_pause_that_a_film_tells_of_is_kept(tmp_path):
    """Formats that tell each frame's time in a table cannot leap: a still scene of a minute lasts a minute."""
    starts = [0.0, 0.1, 60.0, 60.1]
    with open_source(str(clip(tmp_path / "slides.mp4", frames=4, starts=starts))) as source:
        assert [frame.moment_s for frame in source] == pytest.approx(starts, abs=1e-3)


def test_a_film_of_variable_rate_lasts_as_long_at_a_constant_one_and_loses_no_frame(tmp_path):
    starts = [n / 60 for n in range(60)] + [1 + n / 5 for n in range(10)]
    ours, theirs = os.pipe()

    def read():
        with open(ours, "rb") as file, av.open(file, format="yuv4mpegpipe") as container:
            rate = container.streams.video[0].average_rate
            return float(rate), [number_of(f.to_ndarray(format="bgr24")) for f in container.decode(video=0)]

    film = clip(tmp_path / "film.mp4", frames=70, fps=60, starts=starts)
    with open_source(str(film)) as source, ThreadPoolExecutor(1) as pool:
        seen = pool.submit(read)
        with Stdout(theirs, FrameClock.of(source)) as sink:
            Stream(source, lambda frame, record: frame.image_bgr, sink).run()
        rate, numbers = seen.result(timeout=30)
    assert list(dict.fromkeys(numbers)) == list(range(70))
    first = {number: numbers.index(number) / rate for number in range(70)}
    assert [first[n] for n in range(70)] == pytest.approx(starts, abs=1 / rate)


def test_a_film_whose_sound_comes_first_gives_its_last_frames_too(films, tmp_path):
    folder, _ = films
    with av.open(str(folder / "loud.mp4")) as given, av.open(str(tmp_path / "film.mkv"), "w") as made:
        order = (*given.streams.audio, *given.streams.video)
        streams = {s.index: made.add_stream_from_template(s) for s in order}
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                made.mux(packet)
    with open_source(str(tmp_path / "film.mkv")) as source:
        assert [number_of(frame.image_bgr) for frame in source] == list(range(60))
