"""Films of every make, in and out: what is seen, how long it lasts, and what is heard, whatever the file is like.

The films are made with PyAV: rotation and mirror image, pixel aspect, colour matrix and range, rate, sound, container.
"""

import struct
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.av_clips import clicks, packets_of

from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.media.pictures import square_size
from edgegan.runtime.live.sinks import open_sink
from edgegan.runtime.live.sources import open_source

CORNERS = np.array([[(200, 60, 40), (40, 180, 70)], [(50, 60, 210), (128, 128, 128)]], np.uint8)
FRAMES, CLICK_S = 12, 0.2
_MATRICES = {1: 1, 5: 5, 6: 5, 7: 7}  # of H.273, and as swscale numbers them
_SOUNDS = {
    "mp4": ["aac", "ac3", "eac3", "alac", "mp2", None],
    "mov": ["aac", "pcm_s16le", "alac", "ac3", None],
    "mkv": ["aac", "ac3", "flac", "wavpack", "pcm_s16le", "mp2", None],
    "ts": ["aac", "ac3", "mp2", None],
}


@st.composite
def makes(draw):
    """How a film is made."""
    container = draw(st.sampled_from(sorted(_SOUNDS)))
    turned = container in ("mp4", "mov")
    return {
        "container": container,
        "size_wh": draw(st.sampled_from([(64, 48), (48, 96), (128, 80)])),
        "matrix": draw(st.sampled_from(sorted(_MATRICES))),
        "full": draw(st.booleans()),
        "aspect": draw(st.sampled_from([Fraction(1), Fraction(2), Fraction(16, 15), Fraction(8, 9), Fraction(1, 2)])),
        "rate": draw(st.sampled_from([Fraction(10), Fraction(25), Fraction(30000, 1001), Fraction(60)])),
        "sound": draw(st.sampled_from(_SOUNDS[container])),
        "turn": draw(st.tuples(st.booleans(), st.booleans(), st.booleans())) if turned else (False, False, False),
        "out": draw(st.sampled_from(["mp4", "mov", "mkv"])),
    }


def film(path, make):
    """Writes the film: four coloured corners, and one tone at `CLICK_S`."""
    width, height = make["size_wh"]
    picture = np.repeat(np.repeat(CORNERS, height // 2, 0), width // 2, 1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=make["rate"], options={"qp": "4"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv444p"
        context = stream.codec_context
        context.colorspace, context.color_range = make["matrix"], 2 if make["full"] else 1
        context.sample_aspect_ratio = make["aspect"]
        sound = container.add_stream(make["sound"], rate=48_000, layout="stereo") if make["sound"] else None
        for number in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(
                format="yuv444p",
                dst_colorspace=_MATRICES[make["matrix"]],
                dst_color_range="JPEG" if make["full"] else "MPEG",
            )
            frame.pts, frame.time_base = number, 1 / make["rate"]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            wave = np.zeros((2, 48_000 * 12 // 10), np.float32)
            begin = round(CLICK_S * 48_000)
            wave[:, begin : begin + 2400] = 0.8 * np.sin(np.arange(2400) * 2 * np.pi / 48)
            for at in range(0, wave.shape[1], 1024):
                part = np.ascontiguousarray(wave[:, at : at + 1024])
                frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
                frame.sample_rate, frame.pts, frame.time_base = 48_000, at, Fraction(1, 48_000)
                container.mux(sound.encode(frame))
            container.mux(sound.encode(None))
    if any(make["turn"]):
        _lay(path, make["turn"])
    return path


def _lay(path, turn):
    transpose, rows, columns = turn
    down, right = -1 if rows else 1, -1 if columns else 1
    a, b, c, d = (0, down, right, 0) if transpose else (right, 0, 0, down)
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 36] = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


def corners_of(picture):
    height, width = picture.shape[:2]
    return picture[[height // 4, 3 * height // 4]][:, [width // 4, 3 * width // 4]].astype(int)


def check(make):
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / f"film.{make['container']}", Path(folder) / f"out.{make['out']}"
        transpose, rows, columns = make["turn"]
        expected = CORNERS.transpose(1, 0, 2) if transpose else CORNERS
        expected = expected[:: -1 if rows else 1, :: -1 if columns else 1].astype(int)
        width, height = square_size(*make["size_wh"], make["aspect"])
        with open_source(str(film(path, make))) as source:
            assert source.size_hw == ((width, height) if transpose else (height, width))
            assert source.notes == () and source.troubles() == ()
            with open_sink(str(out), FrameClock.of(source), label=False) as sink:
                frames = list(source)
                for frame in frames:
                    sink.write(frame)
        assert len(frames) == FRAMES
        assert np.abs(corners_of(frames[0].image_bgr) - expected).max() <= 6
        assert [frame.moment_s for frame in frames] == pytest.approx(
            [float(n / make["rate"]) for n in range(FRAMES)], abs=2e-3
        )
        times = [at for at, _ in sorted(packets_of(out, "video"))]
        assert times == pytest.approx([frame.moment_s for frame in frames], abs=2e-3)
        with av.open(str(out)) as container:
            assert [stream.type for stream in container.streams] == ["video", "audio"][: 2 if make["sound"] else 1]
        with open_source(str(out)) as again:
            assert np.abs(corners_of(next(iter(again)).image_bgr) - expected).max() <= 8
        if make["sound"] and FRAMES / make["rate"] > CLICK_S + 0.1:
            assert clicks(out) == pytest.approx([CLICK_S], abs=0.06)


_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=12, deadline=None, suppress_health_check=_SLOW)
@given(makes())
def test_a_film_comes_out_as_it_is_meant(make):
    check(make)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=400, deadline=None, suppress_health_check=_SLOW)
@given(makes())
def test_many_films_come_out_as_they_are_meant(make):
    check(make)
