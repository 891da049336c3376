"""The live session, as another program embeds it: the whole loop without the command line."""

import io
import subprocess
import sys
import threading

import av
import cv2
import numpy as np
import pytest
from support import tiny_models
from support.av_clips import clip, number_of

from edgegan.runtime import Callback, Editor, LiveSession, Sampler, open_source
from edgegan.runtime.errors import InputError, SourceError
from edgegan.runtime.live.controls.attributes import Controls
from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.sinks import open_sink
from edgegan.runtime.live.source import Source
from edgegan.runtime.live.web import Address


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A model that turns whole frames into their negatives, one that adds colours, a generator, and a clip."""
    folder = tmp_path_factory.mktemp("session")
    tiny_models.write_whole_frame(folder / "negative", hw=(48, 64))
    tiny_models.write_editor(folder / "colours", faces=False, alignment=None)
    tiny_models.write_sampler(folder / "generator", hw=(16, 24), width=8)
    clip(folder / "clip.mp4", frames=60)
    return folder


def numbers(path):
    with av.open(str(path)) as container:
        return [number_of(255 - f.to_ndarray(format="bgr24")) for f in container.decode(video=0)]


def test_one_call_edits_a_film_into_a_file_and_into_the_program(files, tmp_path):
    out, seen = tmp_path / "out.mp4", []
    with LiveSession.open(files / "negative", str(files / "clip.mp4"), [str(out)], mark=False) as session:
        session.add(Callback(lambda frame: seen.append(number_of(255 - frame.image_bgr))))
        assert session.total(None, None) == 60 and session.total(10, 1.0) == 10 and session.total(None, 1.0) == 30
        stats = session.run()
    assert numbers(out) == seen == list(range(60))
    assert (stats.frames.read, stats.frames.shown, stats.frames.dropped) == (60, 60, {})


def test_its_limits_are_frames_and_the_films_own_seconds(files):
    for limit, count in (({"frames": 7}, 7), ({"seconds": 1.0}, 30), ({"frames": 40, "seconds": 0.5}, 15)):
        with LiveSession.open(files / "negative", str(files / "clip.mp4"), ["null"]) as session:
            assert session.run(**limit).frames.shown == count


def test_controls_set_while_it_runs_change_the_next_frames_and_stop_ends_it(files):
    means = []

    def watch(frame):
        means.append(frame.image_bgr.mean(axis=(0, 1)))
        if len(means) == 5:
            session.controls.set("Smiling", 1.0)
        if len(means) == 120:
            session.stop.set()

    with LiveSession.open(files / "colours", "synthetic:64x48@120", []) as session:
        session.add(Callback(watch))
        stats = session.run(seconds=60)
    assert stats.frames.shown == 120
    assert np.abs(means[4] - means[0]).max() < 10 < np.abs(means[-1] - means[0]).max()


class Silent(Source):
    """A camera that gives nothing until the gate opens."""

    name, about, live, fps, size_hw, length = "silent", "a silent camera", True, 30.0, (48, 64), None

    def __init__(self):
        self.gate = threading.Event()

    def __iter__(self):
        assert self.gate.wait(20), "nobody stopped"
        return iter(())

    def stop(self):
        self.gate.set()


def test_stop_ends_it_while_nothing_comes(files):
    with Editor.open(files / "negative") as editor, LiveSession(Silent(), editor) as session:
        threading.Timer(0.1, session.stop.set).start()
        assert session.run().frames.shown == 0


def test_the_parts_may_be_the_programs_own_and_stay_open(files, tmp_path):
    with Editor.open(files / "colours") as editor, open_source(str(files / "clip.mp4")) as source:
        clock = FrameClock.of(source)
        controls = Controls(tiny_models.NAMES, tiny_models.GROUPS, {"Smiling": 1.0})
        sinks = [open_sink(str(tmp_path / name), clock, label=False) for name in ("frames", "out.mkv")]
        with LiveSession(source, editor, sinks, controls=controls, clock=clock, mark=False) as session:
            session.run(frames=3)
        assert editor.edit(np.zeros((48, 64, 3), np.uint8), {}).shape == (48, 64, 3)
    before = np.zeros((48, 64, 3), np.uint8)  # frame 0 is black
    with Editor.open(files / "colours") as editor:
        after = editor.edit(before, {"Smiling": 1.0})
    assert np.abs(cv2.imread(str(tmp_path / "frames" / "frame_000000.png")).astype(int) - after).max() <= 8
    assert (tmp_path / "out.mkv").is_file() and len(list((tmp_path / "frames").iterdir())) == 3


def test_a_generator_walks_and_a_recording_of_it_is_as_long_as_asked(files, tmp_path):
    out = tmp_path / "walk.mp4"
    with LiveSession.open(files / "generator", sinks=[str(out)], changes={"d1": 1.5}) as session:
        assert session.controls.values() == {"d1": 1.5}
        assert session.run(seconds=1.0).frames.shown == 30
    with av.open(str(out)) as container:
        assert [round(30 * f.time) for f in container.decode(video=0)] == list(range(30))


def test_lines_steer_it_and_ask_for_files(files, tmp_path):
    answers = []
    with LiveSession.open(files / "negative", str(files / "clip.mp4"), ["null"], files=tmp_path / "made") as session:
        session.obey(io.StringIO("snapshot\nnonsense\nrecord on\n"), answers.append)
        session.run()
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["recording-0001.mp4", "snapshot-0001.png"]
    assert len(answers) == 1 and "nonsense" in answers[0]


def test_it_serves_the_page_until_it_is_closed(files):
    pytest.importorskip("starlette", reason="the web extra is not installed")
    from support.web.visitor import Visitor

    with LiveSession.open(files / "colours", "synthetic:64x48@30", []) as session:
        page = session.serve(Address(port=0))
        runner = threading.Thread(target=session.run)
        runner.start()
        with Visitor.at(page) as visitor:
            assert visitor.picture(timeout=20) is not None
        session.stop.set()
        runner.join(20)
        assert not runner.is_alive()
    assert not page._thread.is_alive()


def test_what_cannot_be_is_refused_and_what_was_opened_is_closed(files):
    with pytest.raises(InputError, match="Beard"):
        LiveSession.open(files / "colours", str(files / "clip.mp4"), ["null"], changes={"Beard": 1.0})
    with pytest.raises(SourceError):
        LiveSession.open(files / "colours", str(files / "none.mp4"), ["null"])
    with Sampler.open(files / "generator") as sampler, open_source(str(files / "clip.mp4")) as source:
        session = LiveSession(source, sampler, controls=Controls())
        with pytest.raises(TypeError, match="Controls cannot steer a Sampler"):
            session.run()


def test_it_needs_neither_the_command_line_nor_torch(files):
    code = (
        "import sys; from edgegan.runtime import LiveSession\n"
        f"with LiveSession.open({str(files / 'negative')!r}, {str(files / 'clip.mp4')!r}, ['null']) as session:\n"
        "    print(session.run(frames=5).frames.shown)\n"
        "print([n for n in sys.modules if n.partition('.')[0] in ('torch', 'typer') or n.startswith('edgegan.cli')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.split("\n")[:2] == ["5", "[]"], done.stderr
