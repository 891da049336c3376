"""Which tracks of a file are its film and sound, and what is said of the others."""

from fractions import Fraction

import av
import numpy as np
import pytest
from support import ffmpeg
from support.av_clips import add_sound, clip, draw_number, number_of

from edgegan.runtime.errors import SourceError
from edgegan.runtime.live.sources import open_source


def film(path, *tracks, metadata=None):
    """A file with a video track for each (width, height, is_default), whose pictures tell the track's number + 1."""
    with av.open(str(path), "w") as container:
        container.metadata.update(metadata or {})
        streams = []
        for width, height, default in tracks:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.disposition = 1 if default else 0
            streams.append(stream)
        for number, stream in enumerate(streams, 1):
            for at in range(5):
                frame = av.VideoFrame.from_ndarray(draw_number(number, stream.height, stream.width), format="bgr24")
                frame.pts, frame.time_base = at, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def with_cover(tracks, out):
    """`tracks` copied behind, and a JPEG as cover in front."""
    with av.open(str(tracks)) as given, av.open(str(out), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width = cover.height = 320
        cover.pix_fmt, cover.disposition = "yuvj420p", av.stream.Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(np.full((320, 320, 3), 90, np.uint8), format="bgr24")
        picture.pts = 0
        copies = {stream.index: container.add_stream_from_template(stream) for stream in given.streams}
        container.mux(cover.encode(picture))
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream_index]
                container.mux(packet)
    return out


@pytest.mark.parametrize(
    ("tracks", "chosen"),
    [
        ([(64, 48, False), (128, 96, True)], 2),
        ([(128, 96, False), (64, 48, True)], 2),
        ([(64, 48, True), (128, 96, True)], 2),
        ([(64, 48, True), (64, 48, True)], 1),
    ],
)
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_the_default_track_is_the_film_and_of_several_the_largest(tmp_path, tracks, chosen, suffix):
    with open_source(str(film(tmp_path / f"a.{suffix}", *tracks))) as source:
        assert [number_of(frame.image_bgr) for frame in source] == 5 * [chosen]
        assert any("1 more video track" in note for note in source.notes)


def test_cover_art_is_no_film(tmp_path):
    path = with_cover(clip(tmp_path / "clip.mp4", frames=6), tmp_path / "cover.mp4")
    with open_source(str(path)) as source:
        assert [number_of(frame.image_bgr) for frame in source] == list(range(6))
        assert any("1 cover picture" in note for note in source.notes)


def test_a_song_with_a_cover_is_refused_as_what_it_is(tmp_path):
    add_sound(clip(tmp_path / "clip.mp4", frames=6), tmp_path / "film.mp4", seconds=1.0, click_s=0.2)
    with av.open(str(tmp_path / "film.mp4")) as given, av.open(str(tmp_path / "only.m4a"), "w", format="mp4") as song:
        copy = song.add_stream_from_template(given.streams.audio[0])
        for packet in given.demux(audio=0):
            if packet.dts is not None:
                packet.stream = copy
                song.mux(packet)
    with pytest.raises(SourceError, match="only sound and its cover"):
        open_source(str(with_cover(tmp_path / "only.m4a", tmp_path / "song.mp4")))


def test_what_is_left_out_is_said_once(tmp_path):
    path = film(tmp_path / "a.mkv", (64, 48, True), (64, 48, False), metadata={"title": "Holiday"})
    with open_source(str(path)) as source:
        (note,) = [note for note in source.notes if "left out" in note]
    assert "1 more video track" in note and "its title" in note
    with open_source(str(clip(tmp_path / "plain.mp4", frames=3))) as source:
        assert source.notes == ()


def test_chapters_subtitles_further_sound_and_titles_are_said(tmp_path):
    (tmp_path / "words.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    chapters = "".join(f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={500 * n}\nEND={500 * n + 500}\n" for n in range(2))
    (tmp_path / "about.txt").write_text(f";FFMETADATA1\ntitle=My film\nartist=Me\n{chapters}")
    made = ffmpeg.make(
        tmp_path / "film.mkv", "-f", "lavfi", "-i", "testsrc=s=160x120:r=25:d=1", "-i", tmp_path / "about.txt",
        "-i", tmp_path / "words.srt", "-f", "lavfi", "-i", "sine=d=1", "-f", "lavfi", "-i", "sine=d=1:f=200",
        "-map", "0:v", "-map", "2:s", "-map", "3:a", "-map", "4:a", "-map_metadata", "1", "-c:v", "libx264",
    )  # fmt: skip
    with open_source(str(made)) as source:
        (note,) = source.notes
    for part in ("1 more audio track", "1 subtitle track", "2 chapters", "its title and artist"):
        assert part in note
