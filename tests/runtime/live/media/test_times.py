"""Frames whose file tells their times wrongly, or not at all, are where they belong."""

from fractions import Fraction

import av
import numpy as np
import pytest
from support.av_clips import clicks, draw_number, number_of, packets_of

from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.sinks import open_sink
from edgegan.runtime.live.sources import open_source

FRAMES, RATE, CLICK_S = 50, 25, 1.0


def film(path, container, *, early_s=0.0, codec="libx264", options=None):
    """Pictures coded out of order, and a tone that begins at `CLICK_S`; all of it `early_s` before its file's 0."""
    with av.open(str(path), "w", format=container, options=options or {}) as out:
        stream = out.add_stream(codec, rate=RATE, options={"bf": "2", "qp": "10"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        sound = out.add_stream("ac3", rate=48_000, layout="stereo")
        packets = []
        for number in range(FRAMES):
            picture = av.VideoFrame.from_ndarray(draw_number(number), format="bgr24").reformat(format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, RATE)
            packets += stream.encode(picture)
        packets += stream.encode(None)
        wave = np.zeros((2, 96_000), np.float32)
        wave[:, int(CLICK_S * 48_000) :][:, :4800] = 0.8 * np.sin(np.arange(4800) * 2 * np.pi / 48)
        for at in range(0, wave.shape[1], 1536):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave[:, at : at + 1536]), "fltp", "stereo")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, at, Fraction(1, 48_000)
            packets += sound.encode(frame)
        packets += sound.encode(None)
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            early = round(early_s / packet.time_base)
            packet.pts, packet.dts = packet.pts - early, packet.dts - early
            out.mux(packet)
    return path


@pytest.mark.parametrize(
    ("container", "codec", "early_s"),
    [("avi", "libx264", 0.0), ("avi", "mpeg4", 0.0), ("matroska", "libx264", 0.3), ("matroska", "libx264", 0.0)],
)
def test_pictures_are_in_their_order_at_their_times_and_the_sound_beside_them(container, codec, early_s, tmp_path):
    path = film(
        tmp_path / "in.film", container, early_s=early_s, codec=codec, options={"avoid_negative_ts": "disabled"}
    )
    with open_source(str(path)) as source, open_sink(str(tmp_path / "out.mp4"), FrameClock.of(source)) as sink:
        frames = list(source)
        for frame in frames:
            sink.write(frame)
    assert [number_of(frame.image_bgr) for frame in frames] == list(range(FRAMES))
    assert [frame.moment_s for frame in frames] == pytest.approx([n / RATE for n in range(FRAMES)], abs=2e-3)
    times = [at for at, _ in sorted(packets_of(tmp_path / "out.mp4", "video"))]
    assert times == pytest.approx([n / RATE for n in range(FRAMES)], abs=2e-3)
    # AVI does not tell by how much pictures are late for having been coded out of order: two of them at most.
    assert clicks(tmp_path / "out.mp4") == pytest.approx([CLICK_S], abs=0.1)
