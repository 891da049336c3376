"""`edgegan live`: real runs on a tiny model."""

import io
import json
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from functools import partial

import av
import cv2
import numpy as np
import pytest
import typer
from support.av_clips import add_sound, loud_at, number_of, packets_of
from support.servers.mjpeg import MjpegServer

from edgegan.cli import _register, app
from edgegan.runtime.edit.editor import Editor
from edgegan.runtime.live.sources.synthetic import Synthetic
from edgegan.runtime.metrics.live import resident_mb


def test_every_frame_of_a_clip_comes_out_edited(live, tmp_path):
    code, out, err = live("{f}/negative", "--source", "{f}/clip.mp4", "--sink", "out.mp4", "--no-label")
    assert (code, err.strip()) == (0, "")
    assert "120 frames read, 120 shown" in out
    assert "written: out.mp4" in out
    stages = [line.split()[0] for line in out.splitlines() if re.search(r"(\s+\d+\.\d){3}$", line)]
    road = ["read", "decode", "align", "network", "process", "dress", "encode", "write", "age"]
    assert [stage for stage in stages if stage in road] == road
    with av.open("out.mp4") as container:
        numbers = [number_of(255 - f.to_ndarray(format="bgr24")) for f in container.decode(video=0)]
    assert numbers == list(range(120))
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]


def test_the_synthetic_camera_is_edited_as_asked_and_only_at_the_face(live, files, tmp_path):
    code, out, _ = live(
        *("{f}/faces", "--source", "synthetic:320x240@30#2", "--set", "Smiling=0", "--every-frame"),
        *("--frames", "3", "--sink", "frames", "--no-label", "--stats-json", "stats.json"),
    )
    assert code == 0
    with Synthetic((240, 320), fps=30, seed=2) as source, Editor.open(files / "faces") as editor:
        for index in range(3):
            before, after = source.frame_at(index), cv2.imread(f"frames/frame_{index:06d}.png")
            assert np.array_equal(after, editor.edit(before, {"Smiling": 0.0}, timestamp=index / 30))
            changed = (after != before).any(axis=2)
            (x, y) = np.mean(source.eyes(index), axis=0)
            assert changed[round(y), round(x)]
            assert 0.02 < changed.mean() < 0.5
            assert not changed[:, :20].any()
        assert not np.array_equal(after, editor.edit(before, {}))
    stats = json.loads((tmp_path / "stats.json").read_bytes())
    assert stats["frames"] == {"read": 3, "shown": 3, "dropped": {}}
    assert {"faces", "network", "blend", "process", "besides", "dress", "write", "age"} <= set(stats["stages_ms"])
    if resident_mb() is not None:
        assert re.search(r"^memory: \d+ MB$", out, re.MULTILINE)
        assert stats["memory_mb"]["now"] > 10
    assert stats["backend"] in ("onnxruntime", "openvino")


def test_it_says_what_runs_on_what_and_what_the_model_knows(live):
    code, out, _ = live("{f}/faces", "--source", "{f}/clip.mp4", "--sink", "null", "--frames", "1")
    assert code == 0
    assert "tiny-editor" in out
    assert "on cpu" in out
    (note,) = [line for line in out.splitlines() if "photographed" in line]
    assert "drawn faces" in note
    assert "edgegan live RUN_OR_MODEL" in note
    assert "photographed" not in live("{f}/faces", "--source", "synthetic", "--sink", "null", "--frames", "1")[1]


def test_both_halves_and_several_sinks(live):
    code, out, _ = live(
        *("{f}/negative", "--source", "{f}/clip.mp4", "--frames", "2", "--side-by-side"),
        *("--sink", "pair.mp4", "--sink", "pair", "--no-label"),
    )
    assert code == 0
    picture = cv2.imread("pair/frame_000001.png")
    assert picture.shape == (48, 128, 3)
    assert (number_of(picture[:, :64]), number_of(picture[:, 64:])) == (1, 254)
    with av.open("pair.mp4") as container:
        assert container.streams.video[0].frames == 2


def test_the_mark_is_there_unless_switched_off(live, files):
    pictures = []
    for number, extra in enumerate(((), ("--no-label",))):
        arguments = (
            "{f}/faces",
            "--source",
            "synthetic:320x240",
            "--every-frame",
            "--frames",
            "1",
            "--sink",
            f"p{number}",
        )
        assert live(*arguments, *extra)[0] == 0
        pictures.append(cv2.imread(f"p{number}/frame_000000.png")[-20:, -80:].astype(int))
    assert np.abs(pictures[0] - pictures[1]).max() > 50


def test_commands_register_once_and_the_help_has_a_panel_for_every_option():
    _register()
    _register()
    assert [found.callback.__name__ for found in app.registered_commands].count("live") == 1
    command = typer.main.get_command(app).commands["live"]
    panels = {option.name: getattr(option, "rich_help_panel", None) for option in command.params}
    assert [name for name, panel in panels.items() if panel is None] == ["model"]
    assert len(set(panels.values()) - {None}) == 6


def command(*arguments):
    return [sys.executable, "-m", "edgegan", "live", *map(str, arguments)]


def test_frames_on_stdout_go_to_another_program_and_words_to_stderr(files, tmp_path):
    options = ("--source", files / "clip.mp4", "--sink", "-", "--no-label", "--stats-json", tmp_path / "s.json")
    done = subprocess.run(command(files / "negative", *options), capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    with av.open(io.BytesIO(done.stdout), format="yuv4mpegpipe") as container:
        numbers = [number_of(255 - f.to_ndarray(format="bgr24")) for f in container.decode(video=0)]
    assert numbers == list(range(120))
    for words in (b"model:", b"120 frames read, 120 shown", b"written: "):
        assert words in done.stderr


def test_a_full_disk_ends_the_run_in_plain_words_and_what_was_recorded_plays(files, tmp_path):
    """The limit on a file's size fails as a full disk does, in the middle of a write."""
    path = tmp_path / "out.mp4"
    options = ("--source", "synthetic:320x240@30", "--every-frame", "--frames", "2000", "--sink", path)
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (150_000, 150_000))
    done = subprocess.run(
        command(files / "faces", *options), capture_output=True, timeout=240, text=True, preexec_fn=limit
    )
    assert done.returncode == 2, done.stderr
    assert f"cannot write {path}" in done.stderr and "is the disk full?" in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 3
    with av.open(str(path)) as container:
        times = []
        with suppress(av.InvalidDataError):  # the fragment that was cut
            for picture in container.decode(video=0):
                times.append(picture.time)
    assert times == pytest.approx([n / 30 for n in range(len(times))], abs=1e-3)
    assert len(times) >= 30
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]


def test_the_sound_of_a_file_is_kept(live, files):
    add_sound(files / "clip.mp4", files / "loud.mp4", seconds=4.0)
    code, _, _ = live("{f}/negative", "--source", "{f}/loud.mp4", "--sink", "out.mp4", "--frames", "60")
    assert code == 0
    sound = packets_of("out.mp4")
    assert 1.9 < sound[-1][0] < 2.05
    assert loud_at("out.mp4") == pytest.approx(1.0, abs=0.02)
    assert live("{f}/negative", "--source", "{f}/clip.mp4", "--sink", "mute.mp4", "--frames", "3")[0] == 0


def test_a_recording_goes_on_when_its_camera_was_cut_and_came_back(live, tmp_path):
    with MjpegServer() as server:

        def cut():
            deadline = time.monotonic() + 60
            while not (tmp_path / "out.mp4").exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            time.sleep(1)
            server.stop()
            time.sleep(1.5)
            server.start()

        thread = threading.Thread(target=cut)
        thread.start()
        options = ("--sink", "out.mp4", "--seconds", "7", "--stats-json", "s.json")
        code, out, _ = live("{f}/negative", "--source", server.url, *options)
        thread.join()
    assert code == 0
    assert "came back once" in out and "secret" not in out
    about = json.loads((tmp_path / "s.json").read_bytes())["away"]
    assert about["reconnects"] == 1 and 1.0 < about["seconds"] < 5
    with av.open("out.mp4") as container:
        assert [f.time for f in container.decode(video=0)][-1] > 4


@pytest.fixture
def default_ctrl_c():
    """A shell starts its background jobs deaf to Ctrl-C, their children too, and tests may be such a job."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_finishes_the_recording_and_exits_with_130(files, tmp_path, default_ctrl_c):
    path = tmp_path / "out.mp4"
    command = [sys.executable, "-m", "edgegan", "live", str(files / "faces"), "--source", "synthetic:160x120"]
    process = subprocess.Popen(
        [*command, "--sink", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.strip() in ("", "stopped")
    assert f"written: {path}" in out
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) > 5
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]
