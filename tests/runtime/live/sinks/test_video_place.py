"""What a recording does to what is already there, and every sound that a film may bring."""

import os
import subprocess
import sys
import threading

import pytest
from support import ffmpeg
from support.av_clips import add_sound, clicks, clip, packets_of, read_back
from support.frames import frame

from edgegan.runtime.errors import SinkError
from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.sink import SinkClosed
from edgegan.runtime.live.sinks import open_sink
from edgegan.runtime.live.sources import open_source

CODECS = [
    ("ac3", "mp4"), ("eac3", "mp4"), ("truehd", "mkv"), ("libopus", "mp4"), ("libopus", "mkv"), ("flac", "mp4"),
    ("flac", "mkv"), ("alac", "mov"), ("pcm_s16le", "mov"), ("pcm_s24le", "mkv"), ("libmp3lame", "mp4"),
    ("vorbis", "mkv"), ("wavpack", "mkv"), ("dca", "mkv"), ("mp2", "ts"), ("ac3", "ts"), ("aac", "ts"),
    ("adpcm_ima_wav", "avi"), ("wmav2", "wmv"), ("pcm_mulaw", "mov"),
]  # fmt: skip


@pytest.fixture(scope="module")
def beep(tmp_path_factory):
    folder = tmp_path_factory.mktemp("beep")
    return add_sound(clip(folder / "silent.mp4", frames=45), folder / "beep.mp4", seconds=1.5, click_s=0.7)


def record(film, out):
    with (
        open_source(str(film)) as source,
        open_sink(str(out), FrameClock(source.fps or 25.0, sound=source.sound)) as sink,
    ):
        for each in source:
            sink.write(each)
    return sink.about


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize(("codec", "container"), CODECS)
def test_every_sound_is_kept_in_sync_in_every_file(beep, tmp_path, codec, container, suffix):
    video = ["mpeg4"] if container in ("avi", "wmv") else ["copy"]
    film = ffmpeg.make(
        tmp_path / f"film.{container}", "-i", beep, "-c:v", *video, "-c:a", codec, "-ac", 2, "-strict", -2
    )
    out = tmp_path / f"out.{suffix}"
    record(film, out)
    assert clicks(out) == pytest.approx([0.7], abs=0.06)
    assert len(packets_of(out, "video")) == 45


def test_an_earlier_file_stays_until_a_second_of_the_new_one_is_safe(tmp_path):
    out = tmp_path / "out.mp4"
    out.write_bytes(b"precious")
    sink = open_sink(str(out), FrameClock(fps=30))
    for number in range(25):
        sink.write(frame(number))
    assert out.read_bytes() == b"precious"
    for number in range(25, 70):
        sink.write(frame(number))
    assert len(read_back(out)[0]) >= 25
    sink.close()
    assert len(read_back(out)[0]) == 70
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]


def test_a_run_that_fails_in_its_first_second_leaves_the_earlier_file(tmp_path):
    out = tmp_path / "out.mp4"
    out.write_bytes(b"precious")
    with open_sink(str(out), FrameClock(fps=30)) as sink:
        sink.write(frame(0))
        with pytest.raises(SinkError, match="after one of"):
            sink.write(frame(1, hw=(96, 64)))
    assert out.read_bytes() == b"precious"
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]


_NO_ROOM = """
import resource
from support.frames import frame
from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.sinks import open_sink
resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16))
try:
    with open_sink({out!r}, FrameClock(fps=30)) as sink:
        for number in range(200):
            sink.write(frame(number))
except Exception as error:
    print(type(error).__name__, error.seen)
"""


@pytest.mark.parametrize("there", [True, False])
def test_a_file_that_takes_no_byte_leaves_what_was_there_and_says_why(tmp_path, there):
    out = tmp_path / "out.mp4"
    if there:
        out.write_bytes(b"precious")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", _NO_ROOM.format(out=str(out))], capture_output=True, text=True, timeout=60,
        env=environment,
    )  # fmt: skip
    assert done.stdout.startswith("SinkError") and "File too large" in done.stdout, done.stdout + done.stderr
    assert (out.read_bytes() if there else out.exists()) == (b"precious" if there else False)
    assert len(list(tmp_path.iterdir())) == there


def test_a_link_stays_a_link_and_a_short_recording_takes_its_place(tmp_path):
    (tmp_path / "disk").mkdir()
    real, out = tmp_path / "disk" / "real.mp4", tmp_path / "out.mp4"
    real.write_bytes(b"old")
    out.symlink_to(real)
    with open_sink(str(out), FrameClock(fps=30)) as sink:
        for number in range(5):
            sink.write(frame(number))
    assert out.is_symlink()
    assert read_back(real)[0] == list(range(5))


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.timeout(60)
def test_a_pipe_gets_the_whole_film_and_nothing_hangs(tmp_path, suffix):
    pipe, got = tmp_path / f"pipe.{suffix}", tmp_path / f"got.{suffix}"
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.write_bytes(pipe.read_bytes()), daemon=True)
    reader.start()
    with open_sink(str(pipe), FrameClock(fps=30)) as sink:
        for number in range(70):
            sink.write(frame(number))
    reader.join(20)
    assert not reader.is_alive()
    assert read_back(got)[0] == list(range(70))


@pytest.mark.timeout(60)
def test_a_reader_of_a_pipe_that_goes_ends_the_run_as_a_window_does(tmp_path):
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)

    def read_a_little():
        with open(pipe, "rb") as file:
            file.read(2000)

    reader = threading.Thread(target=read_a_little, daemon=True)
    reader.start()
    with open_sink(str(pipe), FrameClock(fps=30)) as sink, pytest.raises(SinkClosed):
        for number in range(400):
            sink.write(frame(number))
    reader.join(20)
