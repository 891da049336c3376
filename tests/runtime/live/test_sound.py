"""The sound of a file beside its edited pictures: the same packets, in sync, and no longer than the pictures."""

import subprocess
import sys
from itertools import islice

import pytest
from support.av_clips import add_sound, clicks, clip, loud_at, number_of, packets_of
from support.servers.http import FileServer

from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.sinks import open_sink
from edgegan.runtime.live.sources import open_source


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Two seconds of pictures at a changing rate, as phones record, with a tone at one second, in two containers."""
    folder = tmp_path_factory.mktemp("films")
    starts = [n / 30 for n in range(20)] + [20 / 30 + n / 15 for n in range(20)]
    silent = clip(folder / "silent.mp4", frames=40, starts=starts)
    add_sound(silent, folder / "aac.mp4", seconds=3.0)
    add_sound(silent, folder / "late.mkv", seconds=3.0, late_s=7.0)
    add_sound(silent, folder / "broadcast.ts", seconds=3.0)
    add_sound(silent, folder / "short.mp4", seconds=0.4, click_s=0.1)
    add_sound(silent, folder / "wavpack.mkv", seconds=2.0, codec="wavpack")
    return folder, starts


def record(film, out, frames=None):
    with open_source(str(film)) as source:
        clock = FrameClock(fps=source.fps or 25.0, sound=source.sound)
        with open_sink(str(out), clock) as sink:
            for frame in source:
                if frame.index == frames:
                    break
                sink.write(frame)
        return sink.about


@pytest.mark.parametrize("film", ["aac.mp4", "late.mkv"])
def test_packets_are_copied_unchanged_and_in_sync_with_pictures_of_any_rate(films, tmp_path, film):
    folder, starts = films
    record(folder / film, tmp_path / "out.mp4")
    pictures = [at for at, _ in sorted(packets_of(tmp_path / "out.mp4", "video"))]
    assert pictures == pytest.approx(starts, abs=2e-3)
    given = [data for _, data in packets_of(folder / film)]
    copied = [data for _, data in packets_of(tmp_path / "out.mp4")]
    first = given.index(copied[0])
    assert len(copied) > 80 and first <= 1
    assert given[first : first + len(copied)] == copied
    assert loud_at(tmp_path / "out.mp4") == pytest.approx(1.0, abs=0.02)


def test_the_sound_of_a_broadcast_is_heard_too(films, tmp_path):
    """Its packets carry headers of their own, which an MP4 file keeps elsewhere."""
    folder, _ = films
    record(folder / "broadcast.ts", tmp_path / "out.mp4")
    assert loud_at(tmp_path / "out.mp4") == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("frames", [None, 10])
def test_it_ends_with_the_pictures(films, tmp_path, frames):
    folder, starts = films
    record(folder / "aac.mp4", tmp_path / "out.mp4", frames)
    end = starts[-1] if frames is None else starts[frames - 1]
    last = packets_of(tmp_path / "out.mp4")[-1][0]
    assert end - 0.03 < last < end + 1 / 15 + 0.001


def test_a_sound_that_the_file_cannot_hold_is_encoded_again_and_said(films, tmp_path):
    folder, _ = films
    assert record(folder / "wavpack.mkv", tmp_path / "out.mkv") == str(tmp_path / "out.mkv")
    assert packets_of(tmp_path / "out.mkv")
    told = record(folder / "wavpack.mkv", tmp_path / "out.mov")
    assert "sound encoded again as AAC: .mov cannot hold wavpack" in told
    assert loud_at(tmp_path / "out.mov") == pytest.approx(1.0, abs=0.03)


def test_a_silent_film_has_no_sound_and_another_rate_says_that_it_has_none(films):
    folder, _ = films
    with open_source(str(folder / "silent.mp4")) as source:
        assert source.sound is not None
        assert source.sound.open() is None
        assert source.notes == ()
    with open_source(str(folder / "aac.mp4"), fps=12.0) as source:
        assert source.sound is None
        assert any("without its sound" in note for note in source.notes)


def test_the_rate_of_the_file_itself_keeps_its_sound(films, tmp_path):
    folder, _ = films
    add_sound(clip(tmp_path / "even.mp4", frames=60), tmp_path / "film.mp4", seconds=2.0)
    with open_source(str(tmp_path / "film.mp4"), fps=30.0) as source:
        assert source.sound is not None
        assert [frame.moment_s for frame in source] == pytest.approx([n / 30 for n in range(60)], abs=1e-3)


def test_a_loop_repeats_its_sound_with_its_pictures(films, tmp_path):
    add_sound(clip(tmp_path / "even.mp4", frames=60), tmp_path / "film.mp4", seconds=2.0, click_s=0.5)
    with (
        open_source(str(tmp_path / "film.mp4"), loop=True) as source,
        open_sink(str(tmp_path / "out.mp4"), FrameClock(fps=30, sound=source.sound)) as sink,
    ):
        for frame in islice(source, 150):
            sink.write(frame)
    assert clicks(tmp_path / "out.mp4") == pytest.approx([0.5, 2.5, 4.5], abs=0.03)
    assert [at for at, _ in sorted(packets_of(tmp_path / "out.mp4", "video"))] == pytest.approx(
        [n / 30 for n in range(150)], abs=2e-3
    )


def test_addresses_of_files_and_servers_have_sound(films, tmp_path):
    folder, _ = films
    record((folder / "aac.mp4").as_uri(), tmp_path / "file.mp4")
    with FileServer(folder) as server:
        record(f"{server.url}/aac.mp4", tmp_path / "http.mp4")
    for name in ("file.mp4", "http.mp4"):
        assert loud_at(tmp_path / name) == pytest.approx(1.0, abs=0.02)


_KILLED = """
import os
from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.sinks import open_sink
from edgegan.runtime.live.sources import open_source
source = open_source({film!r})
sink = open_sink({out!r}, FrameClock(fps=source.fps, sound=source.sound))
for frame in source:
    sink.write(frame)
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize(("film", "sound_s"), [("aac.mp4", 0.9), ("short.mp4", 0.35)])
def test_a_killed_recording_has_sound_and_pictures_to_its_last_full_second(films, tmp_path, film, sound_s):
    folder, _ = films
    code = _KILLED.format(film=str(folder / film), out=str(tmp_path / "out.mp4"))
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == -9
    assert packets_of(tmp_path / "out.mp4", "video")[-1][0] > 0.9
    assert packets_of(tmp_path / "out.mp4", "audio")[-1][0] > sound_s
    with open_source(str(tmp_path / "out.mp4")) as source:
        assert [number_of(f.image_bgr) for f in source][:25] == list(range(25))
