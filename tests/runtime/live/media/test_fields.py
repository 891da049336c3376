"""Interlaced films are shown whole: no combs, no picture lost, none moved in time, progressive films untouched."""

import numpy as np
import pytest
from support import ffmpeg

from edgegan.runtime.live.media import fields
from edgegan.runtime.live.sources import open_source

pytest.importorskip("av")
MOVING = "testsrc2=s=320x240:r=50:d=0.8"  # twice the rate: two moments a picture
WOVEN = ("-vf", "tinterlace=interleave_top,fieldorder=tff", "-flags", "+ildct+ilme")


def film(path, *more, codec="libx264", moving=MOVING):
    return ffmpeg.make(path, "-f", "lavfi", "-i", moving, *more, "-c:v", codec, "-pix_fmt", "yuv420p", "-q:v", "2")


def read(path, **options):
    with open_source(str(path), **options) as source:
        return source.notes, list(source)


def combing(image):
    """How much neighbouring lines differ more than lines of one field do: 0 or below for a whole picture."""
    grey = image.astype(float).mean(2)
    return np.abs(np.diff(grey, axis=0)).mean() - np.abs(grey[2:] - grey[:-2]).mean()


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
def test_what_moves_is_not_combed_and_every_picture_keeps_its_time(tmp_path, codec, monkeypatch):
    path = film(tmp_path / "woven.mkv", *WOVEN, codec=codec)
    (note,), whole = read(path)
    assert note == "woven.mkv: interlaced: deinterlaced, one picture for each pair of fields"
    monkeypatch.setattr(fields, "can_deinterlace", lambda: False)
    (note,), woven = read(path)
    assert "combed" in note and "bwdif" in note
    assert [f.moment_s for f in whole] == pytest.approx([f.moment_s for f in woven]) and len(whole) == 20
    assert max(combing(f.image_bgr) for f in whole) < min(combing(f.image_bgr) for f in woven) - 0.5
    assert [f.lasts_s for f in whole] == pytest.approx([f.lasts_s for f in woven])


def test_whole_pictures_are_nearer_to_what_was_recorded(tmp_path, monkeypatch):
    """The field that leads shows the first of each two moments: there the picture should be that moment's."""
    _, moments = read(film(tmp_path / "all.mkv"))
    path = film(tmp_path / "woven.mkv", *WOVEN)

    def error():
        return np.mean([np.abs(f.image_bgr.astype(int) - moments[2 * f.index].image_bgr).mean() for f in read(path)[1]])

    deinterlaced = error()
    monkeypatch.setattr(fields, "can_deinterlace", lambda: False)
    assert deinterlaced < 0.7 * error()


def test_a_progressive_film_is_left_as_it_is(tmp_path, monkeypatch):
    path = film(tmp_path / "plain.mkv")
    notes, one = read(path)
    monkeypatch.setattr(fields, "can_deinterlace", lambda: False)
    _, two = read(path)
    assert notes == () and len(one) == 40
    assert all(np.array_equal(a.image_bgr, b.image_bgr) for a, b in zip(one, two, strict=True))


def test_a_looped_film_loses_none_of_its_ends(tmp_path):
    path = film(tmp_path / "woven.mkv", *WOVEN)
    _, once = read(path)
    with open_source(str(path), loop=True) as source:
        frames = [frame for frame, _ in zip(source, range(40), strict=False)]
    for again, first in zip(frames[20:], once, strict=True):
        assert np.abs(again.image_bgr.astype(int) - first.image_bgr).mean() < 0.5
    assert [f.moment_s for f in frames] == sorted(f.moment_s for f in frames)


def test_a_film_that_changes_its_size_midway_loses_nothing(tmp_path):
    parts = [
        film(tmp_path / f"{n}.ts", *WOVEN, moving=MOVING.replace("320x240", s))
        for n, s in enumerate(("320x240", "160x120"))
    ]
    (tmp_path / "both.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    assert len(read(tmp_path / "both.ts")[1]) == sum(len(read(part)[1]) for part in parts)
