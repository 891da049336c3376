"""Damaged films go on, and say what was lost; a picture that changes its size is fitted into the first one's."""

from fractions import Fraction

import av
import numpy as np
import pytest
from support.av_clips import clip, draw_number, number_of

from edgegan.runtime.errors import SourceError
from edgegan.runtime.live.sources import open_source


def damage(path, out, lost, how):
    """Copies the film, with the packets `lost` zeroed, cut short or filled with noise."""
    noise = np.random.default_rng(0)
    with av.open(str(path)) as given, av.open(str(out), "w") as container:
        stream = given.streams.video[0]
        copy = container.add_stream_from_template(stream)
        for number, packet in enumerate(p for p in given.demux(stream) if p.dts is not None):
            if number in lost:
                data = bytes(packet)
                data = {
                    "zeroed": bytes(len(data)),
                    "short": data[: len(data) // 3],
                    "noise": noise.integers(0, 256, len(data), np.uint8).tobytes(),
                }[how]
                bad = av.Packet(data)
                bad.pts, bad.dts, bad.time_base, bad.duration = packet.pts, packet.dts, packet.time_base, 512
                packet = bad
            packet.stream = copy
            container.mux(packet)
    return out


@pytest.mark.parametrize("how", ["zeroed", "noise"])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_one_bad_packet_costs_what_it_held_and_is_said(tmp_path, how, suffix):
    path = damage(clip(tmp_path / "a.mp4", frames=60), tmp_path / f"b.{suffix}", {18}, how)
    with open_source(str(path)) as source:
        frames = list(source)
        assert len(frames) >= 59
        assert {number_of(frame.image_bgr) for frame in frames} >= set(range(40, 60))
        assert source.troubles() or len(frames) == 60
        assert [frame.index for frame in frames] == list(range(len(frames)))
    with open_source(str(tmp_path / "a.mp4")) as source:
        assert len(list(source)) == 60 and source.troubles() == ()


def test_a_hole_in_the_middle_is_passed_over_and_a_lost_end_is_an_error(tmp_path):
    whole = clip(tmp_path / "a.mp4", frames=60)
    with open_source(str(damage(whole, tmp_path / "hole.mp4", set(range(10, 30)), "zeroed"))) as source:
        assert len(list(source)) >= 30
        assert "20 packets could not be decoded" in source.troubles()[0]
    path = damage(whole, tmp_path / "end.mp4", set(range(40, 60)), "zeroed")
    with open_source(str(path)) as source, pytest.raises(SourceError, match=r"its last \d+ packets"):
        list(source)


def test_a_film_of_which_nothing_can_be_decoded_says_so(tmp_path):
    path = damage(clip(tmp_path / "a.mp4", frames=8), tmp_path / "b.mp4", set(range(8)), "zeroed")
    with pytest.raises(SourceError, match="none of its pictures can be decoded"):
        open_source(str(path))


@pytest.mark.parametrize("sizes", [[(64, 48), (128, 96)], [(128, 96), (64, 48), (64, 96)]])
def test_a_film_whose_pictures_change_their_size_goes_on(tmp_path, sizes):
    path, number = tmp_path / "a.ts", 0
    with open(path, "wb") as joined:
        for width, height in sizes:
            part = tmp_path / "part.ts"
            with av.open(str(part), "w") as container:
                stream = container.add_stream("libx264", rate=25, options={"tune": "zerolatency"})
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
                for _ in range(10):
                    frame = av.VideoFrame.from_ndarray(draw_number(number, height, width), format="bgr24")
                    frame.pts, frame.time_base = number, Fraction(1, 25)
                    container.mux(stream.encode(frame))
                    number += 1
                container.mux(stream.encode(None))
            joined.write(part.read_bytes())
    with open_source(str(path)) as source:
        frames = list(source)
        assert {frame.image_bgr.shape[:2] for frame in frames} == {source.size_hw} == {sizes[0][::-1]}
        assert len(frames) == number
        assert any("of another size" in trouble for trouble in source.troubles())
