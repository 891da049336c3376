"""The examples do what they say, with a model that ships, and stay short."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgegan.runtime import Editor
from edgegan.runtime.live.sources.synthetic import Synthetic

EXAMPLES = Path(__file__).parents[2] / "examples"
HW = (240, 320)
CHANGES = {"Blond_Hair": 1.0}
MODEL = "avatars"  # the frames below are drawn


@pytest.fixture(scope="module")
def frames():
    pytest.importorskip("resvg_py")
    camera = Synthetic(HW, seed=2)
    return [camera.frame_at(i) for i in range(6)]


@pytest.fixture(scope="module")
def edits(frames):
    with Editor.open(MODEL) as editor:
        out = [editor.edit(f, CHANGES, timestamp=i / 25) for i, f in enumerate(frames)]
    assert all((after != before).any() for after, before in zip(out, frames, strict=True))
    return out


@pytest.fixture(scope="module")
def clip(frames, tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "in.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25.0, HW[::-1])
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


def read(path):
    video, found = cv2.VideoCapture(str(path)), []
    while (got := video.read())[0]:
        found.append(got[1])
    return found


def example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name, *arguments, **more):
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), *arguments]
    return subprocess.run(command, capture_output=True, timeout=120, **more)


def test_each_is_under_60_lines_and_tested_here():
    names = sorted(path.stem for path in EXAMPLES.glob("*.py"))
    assert names == ["desktop_window", "live_stream", "media_pipeline", "plain_loop", "web_service"]
    for name in names:
        text = (EXAMPLES / f"{name}.py").read_text()
        assert len(text.splitlines()) < 60, name
        assert "torch" not in text and Path(__file__).read_text().count(f'"{name}"') > 1


def test_the_live_stream_goes_to_a_file_and_into_the_program(clip, edits, tmp_path, capsys):
    out = tmp_path / "out.mp4"
    assert example("live_stream").main(["Blond_Hair=1", "--source", str(clip), "--sink", str(out)]) == 0
    said = capsys.readouterr().out
    assert "6 frames read, 6 shown" in said and "brightest" in said
    assert len(read(out)) == len(edits)
    done = run("live_stream", "Blond_Hair=1", "--source", str(tmp_path / "none.mp4"))
    assert done.returncode == 1 and b"none.mp4" in done.stderr and b"Traceback" not in done.stderr


def test_the_plain_loop_edits_every_frame(clip, edits, tmp_path, capsys):
    assert example("plain_loop").main([str(clip), str(tmp_path / "out.mp4"), "Blond_Hair=1", "--model", MODEL]) == 0
    out = read(tmp_path / "out.mp4")
    assert len(out) == len(edits) and "6 frames" in capsys.readouterr().out
    for seen, wanted in zip(out, edits, strict=True):
        assert cv2.PSNR(seen, wanted) > 28  # two lossy codings
    done = run("plain_loop", str(clip), str(tmp_path / "x.mp4"), "Blond=1")
    assert done.returncode == 1 and b"'Blond'" in done.stderr and b"Traceback" not in done.stderr


def test_the_media_pipeline_edits_raw_frames_exactly(frames, edits):
    raw = b"".join(frame.tobytes() for frame in frames)
    done = run("media_pipeline", f"{HW[1]}x{HW[0]}", "Blond_Hair=1", "--model", MODEL, input=raw)
    assert done.returncode == 0, done.stderr
    out = np.frombuffer(done.stdout, np.uint8).reshape(-1, *HW, 3)
    assert np.array_equal(out, np.stack(edits))
    cut = run("media_pipeline", f"{HW[1]}x{HW[0]}", input=raw[:-100])
    assert cut.returncode == 1 and b"cut short" in cut.stderr and len(cut.stdout) == len(raw) - frames[0].nbytes


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_web_service_gives_an_edited_jpeg(frames, monkeypatch):
    fastapi = pytest.importorskip("fastapi")
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fastapi.testclient import TestClient

    assert fastapi
    monkeypatch.setenv("EDGEGAN_MODEL", MODEL)
    module = example("web_service")
    monkeypatch.setattr(module, "MOST_BYTES", 500_000)
    sent = cv2.imencode(".jpg", frames[0])[1].tobytes()
    given = cv2.imdecode(np.frombuffer(sent, np.uint8), cv2.IMREAD_COLOR)
    with Editor.open(MODEL) as editor:
        wanted = editor.edit(given, CHANGES)
    with TestClient(module.app) as client:
        answer = client.post("/edit?Blond_Hair=1", content=sent)
        assert answer.status_code == 200 and answer.headers["content-type"] == "image/jpeg"
        seen = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
        assert cv2.PSNR(seen, wanted) > 30 and cv2.PSNR(seen, wanted) > cv2.PSNR(seen, given) + 3
        for query, body, code, words in [
            ("Blond=1", sent, 422, "'Blond'"),
            ("Smiling=yes", sent, 422, "yes"),
            ("", b"", 415, "JPEG"),
            ("", b"no picture at all", 415, "JPEG"),
            ("", bytes(600_000), 413, "500000"),
        ]:
            answer = client.post(f"/edit?{query}", content=body)
            assert answer.status_code == code and words in answer.text


@pytest.fixture
def screen():
    """A screen of one's own in memory; the name of its display."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed: the window needs a screen")
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        number = server.stdout.readline().decode().strip()
        yield f":{number}"
        server.terminate()


def test_the_desktop_window_shows_a_video_to_its_end(clip, screen):
    import os

    done = run("desktop_window", str(clip), env={**os.environ, "DISPLAY": screen})
    assert done.returncode == 0, done.stderr
    assert b"6 frames" in done.stdout
    gone = run("desktop_window", "nowhere.mp4", env={**os.environ, "DISPLAY": screen})
    assert gone.returncode == 1 and b"cannot open" in gone.stderr
