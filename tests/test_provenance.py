"""Files tell that a model had a hand in them, to readers that are not ours; snapshots and recordings on request."""

import io
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from contextlib import closing

import av
import cv2
import numpy as np
import pytest
import tiny_models
from av_clips import number_of, numbered
from PIL import Image as Pillow

from edgegan.cli import main
from edgegan.runtime.controls import Controls
from edgegan.runtime.hud import Dressed
from edgegan.runtime.panel import Look
from edgegan.runtime.provenance import EDITED, GENERATED, Origin, into_jpeg, into_png
from edgegan.runtime.sinks import Clock, Sink, open_sink
from edgegan.runtime.snapshots import Recorder, Snapshots, next_path
from edgegan.runtime.sources import Frame
from edgegan.runtime.stats import Stats

CODES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
PROPERTY = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
NOISE = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)


def facts(xmp: str | bytes) -> dict[str, str]:
    """The properties of an XMP packet, by an XML parser."""
    text = xmp.decode() if isinstance(xmp, bytes) else xmp
    (description,) = ET.fromstring(text.strip()).iter(f"{RDF}Description")
    return {name.removeprefix(PROPERTY): value for name, value in description.attrib.items()}


def source_type(path) -> str:
    """What Pillow, or FFmpeg for films, reads of a file."""
    if path.suffix == ".mp4" or path.suffix == ".mov":
        with av.open(str(path), options={"export_xmp": "1"}) as container:
            return facts(container.metadata["xmp"])["DigitalSourceType"]
    with Pillow.open(path) as picture:
        return facts(picture.info["XML:com.adobe.xmp"])["DigitalSourceType"]


def frame(number=0, image=NOISE, timestamp=0.0):
    return Frame(image, number, timestamp, "test")


def test_the_two_origins_have_the_iptcs_codes_and_their_own_marks():
    assert EDITED.source_type == CODES + "compositeWithTrainedAlgorithmicMedia"
    assert GENERATED.source_type == CODES + "trainedAlgorithmicMedia"
    assert (EDITED.mark, GENERATED.mark) == ("AI-edited", "AI-generated")


def test_a_png_tells_its_origin_and_texts_and_keeps_its_pixels():
    png = cv2.imencode(".png", NOISE)[1].tobytes()
    origin = Origin("mark", "trainedAlgorithmicMedia", model='a "model" <&> \u00e9')
    with Pillow.open(io.BytesIO(into_png(png, origin, {"edgegan": '{"Lächeln": 1}'}))) as picture:
        picture.load()
        told = facts(picture.info["XML:com.adobe.xmp"])
        assert np.array_equal(np.asarray(picture)[:, :, ::-1], NOISE)
    assert told["DigitalSourceType"] == CODES + "trainedAlgorithmicMedia"
    assert told["AISystemUsed"] == 'a "model" <&> \u00e9'
    assert picture.info["edgegan"] == '{"Lächeln": 1}'
    with Pillow.open(io.BytesIO(into_png(png, origin))) as strict:
        strict.verify()  # the chunks' checksums


@pytest.mark.parametrize("jfif", [True, False])
def test_a_jpeg_tells_its_origin_and_keeps_its_pixels(jfif):
    jpeg = cv2.imencode(".jpg", NOISE)[1].tobytes()
    if not jfif:
        jpeg = jpeg[:2] + jpeg[4 + int.from_bytes(jpeg[4:6], "big") :]
    told = into_jpeg(jpeg, EDITED)
    with Pillow.open(io.BytesIO(told)) as picture:
        assert facts(picture.info["xmp"])["DigitalSourceType"] == EDITED.source_type
    assert np.array_equal(*(cv2.imdecode(np.frombuffer(data, np.uint8), 1) for data in (jpeg, told)))


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "folder"])
@pytest.mark.parametrize("origin", [EDITED, GENERATED])
def test_every_sink_that_writes_files_tells_the_origin_it_was_given(tmp_path, name, origin):
    path = tmp_path / name
    with Dressed(open_sink(str(path)), Controls(), Stats(), mark=False, origin=origin) as sink:
        for number in range(3):
            sink.write(frame(number, numbered(number, 48, 64)))
    if path.is_dir():
        assert {source_type(file) for file in path.iterdir()} == {origin.source_type}
        return
    with av.open(str(path)) as container:
        said = {key.lower(): value for key, value in container.metadata.items()}
        assert origin.source_type in said["comment"]
        assert [number_of(f.to_ndarray(format="bgr24")) for f in container.decode(video=0)] == [0, 1, 2]
    if path.suffix != ".mkv":
        assert source_type(path) == origin.source_type


def test_a_sink_that_nobody_told_calls_its_frames_edited(tmp_path):
    with open_sink(str(tmp_path / "a.mp4")) as sink:
        sink.write(frame())
    assert source_type(tmp_path / "a.mp4") == EDITED.source_type


_KILLED = """
import os, sys
import numpy as np
from edgegan.runtime.sinks import Clock, open_sink
from edgegan.runtime.sources import Frame
sink = open_sink(sys.argv[1], Clock(fps=10))
for number in range(25):
    sink.write(Frame(np.full((48, 64, 3), 7, np.uint8), number, 0.0, "test"))
os.kill(os.getpid(), 9)
"""


def test_a_killed_recording_tells_its_origin_too(tmp_path):
    path = tmp_path / "killed.mp4"
    assert subprocess.run([sys.executable, "-c", _KILLED, str(path)], timeout=60).returncode == -9
    with av.open(str(path)) as container:
        assert EDITED.source_type in container.metadata["comment"]


def test_a_snapshot_is_what_is_seen_and_holds_its_settings(tmp_path):
    controls = Controls(("Smiling",), changes={"Smiling": 0.7}, look=Look(view="split", mirror=True, help=True))
    sink = Snapshots(tmp_path / "shots", controls, mark=False, about={"model": "m"})
    before = np.full_like(NOISE, 9)
    sink.write(frame(), before)
    assert not (tmp_path / "shots").exists()
    controls.press("s")
    for number in range(3):
        sink.write(frame(number), before)
    controls.snapshot()
    sink.write(frame(3), before)
    first, second = sorted((tmp_path / "shots").iterdir())
    assert (first.name, second.name) == ("snapshot-0001.png", "snapshot-0002.png")
    assert controls.message() == f"written: {second}"
    picture = cv2.imread(str(first))
    assert (picture[0, :15] == 9).all() and np.array_equal(picture[0, 18:], NOISE[0, :14][::-1])
    assert source_type(first) == EDITED.source_type
    with Pillow.open(first) as opened:
        opened.load()
        told = json.loads(opened.info["edgegan"])
    assert told["model"] == "m" and told["settings"] == {"Smiling": 0.7} and told["view"] == "split"


def test_snapshots_come_every_so_many_seconds(tmp_path):
    sink = Snapshots(tmp_path, Controls(), every_s=1.0)
    for number in range(35):
        sink.write(frame(number, timestamp=number / 10))
    assert len(list(tmp_path.iterdir())) == 4


def test_a_snapshot_that_cannot_be_written_is_said_and_ends_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    controls = Controls()
    sink = Snapshots(tmp_path / "file", controls)
    controls.press("s")
    assert sink.write(frame()) == ""
    assert controls.message().startswith("no snapshot: ")


def recorder(folder, controls, clock):
    return Recorder(folder, controls, clock, lambda sink: Dressed(sink, controls, Stats(), hud=False, mark=False))


def test_the_record_key_begins_and_ends_numbered_recordings(tmp_path):
    controls = Controls()
    with closing(recorder(tmp_path, controls, Clock(fps=10))) as sink:
        for number in range(12):
            if number in (2, 5, 8):
                controls.press("r")
            sink.write(frame(number, numbered(number, 48, 64)))
    assert controls.message().startswith("written: ")
    found = []
    for path in sorted(tmp_path.iterdir()):
        with av.open(str(path)) as container:
            frames = [(number_of(f.to_ndarray(format="bgr24")), f.time) for f in container.decode(video=0)]
        assert [time for _, time in frames] == pytest.approx([n / 10 for n in range(len(frames))], abs=1e-3)
        found.append([number for number, _ in frames])
        assert source_type(path) == EDITED.source_type
    assert found == [[2, 3, 4], [8, 9, 10, 11]]


def test_a_recording_that_fails_is_said_ended_and_kept(tmp_path):
    controls = Controls()
    sink = recorder(tmp_path, controls, Clock(fps=10))
    controls.press("r")
    sink.write(frame(0, numbered(1, 48, 64)))
    assert sink.write(frame(1, numbered(1, 50, 64))) == ""
    assert controls.message().startswith("not recorded: ") and not controls.look.recording
    (path,) = tmp_path.iterdir()
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 1


def test_a_recording_that_cannot_begin_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    controls = Controls()
    sink = recorder(tmp_path / "file", controls, Clock())
    controls.press("r")
    assert sink.write(frame()) == "" and not controls.look.recording
    assert controls.message().startswith("not recorded: ")


def test_numbers_go_on_where_files_are(tmp_path):
    (tmp_path / "a-0001.png").write_text("")
    assert next_path(tmp_path, "a", ".png").name == "a-0002.png"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs a command in an empty folder with a configuration of its own. -> (code, out, err)"""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return run


def test_sampled_pictures_and_films_say_that_they_were_generated(run, tmp_path):
    model = tiny_models.write_sampler(tmp_path / "model", mixer=False)
    code, _, err = run("sample", model, "--count", 2, "--video", "--seconds", 0.5, "--out", "drawn")
    assert code == 0, err
    files = [path for path in (tmp_path / "drawn").iterdir() if path.suffix in (".png", ".mp4")]
    assert len(files) == 4
    assert {source_type(path) for path in files} == {GENERATED.source_type}


LIVE = ("--backend", "onnxruntime", "--source", "synthetic:160x120@30#2", "--every-frame")


def test_live_is_steered_by_lines_presets_and_options_without_a_keyboard(run, tmp_path, monkeypatch):
    tiny_models.write_editor(tmp_path / "faces")
    live = ("live", tmp_path / "faces", *LIVE, "--sink")
    lines = "view split\nset Smiling 0.25\nnonsense\nkeep soft\nsnapshot\nrecord on\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    code, out, err = run(*live, "null", "--frames", 30, "--stdin", "--files", "made")
    assert code == 0 and "'nonsense' is not understood" in err
    made = sorted(path.name for path in (tmp_path / "made").iterdir())
    assert made == ["recording-0001.mp4", "snapshot-0001.png"]
    assert all(f"made/{name}" in err for name in made)
    with Pillow.open(tmp_path / "made" / "snapshot-0001.png") as picture:
        picture.load()
        assert json.loads(picture.info["edgegan"])["settings"] == {"Smiling": 0.25}
    code, out, _ = run("live", tmp_path / "faces", "--list-presets")
    assert (code, out.strip()) == (0, "soft: Smiling 0.25")
    for number, options in enumerate((["--preset", "soft"], ["--set", "Smiling=0.25"], [])):
        assert run(*live, f"f{number}", "--frames", 1, "--no-label", *options)[0] == 0
    kept, told, bare = (cv2.imread(f"f{n}/frame_000000.png") for n in range(3))
    assert np.array_equal(kept, told) and not np.array_equal(kept, bare)  # and what was set last does not come back
    assert (
        run(*live, "null", "--preset", "hard")[2].splitlines()[0].endswith("there is no preset 'hard' of tiny-editor")
    )


def test_live_goes_as_far_as_its_range(run, tmp_path):
    tiny_models.write_editor(tmp_path / "faces")
    live = ("live", tmp_path / "faces", *LIVE, "--frames", 1, "--sink")
    assert run(*live, "a", "--set", "Smiling=1", "--no-label")[0] == 0
    assert run(*live, "b", "--set", "Smiling=1.5", "--range", "0,2", "--no-label")[0] == 0
    assert not np.array_equal(*(cv2.imread(f"{n}/frame_000000.png") for n in "ab"))
    code, _, err = run(*live, "c", "--set", "Smiling=1.5")
    assert code == 2 and "--range 0,2" in err and len(err.strip().splitlines()) <= 3
    for wrong in ("1", "0.5,1", "a,b", "0,inf"):
        assert run(*live, "c", "--range", wrong)[0] == 2
    assert run(*live, "c", "--view", "sideways")[0] == 2
    assert not (tmp_path / "c").exists()


class Terminal(Sink):
    """A screen without a display."""

    screen = True

    def write(self, frame, before=None):
        return ""


def test_before_a_screen_the_settings_are_remembered_and_the_notice_comes_once(run, tmp_path, monkeypatch):
    tiny_models.write_editor(tmp_path / "faces")
    monkeypatch.setattr("edgegan.runtime.sinks.window.open_sink", lambda spec, clock: Terminal())
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.delenv("CI", raising=False)
    live = ("live", tmp_path / "faces", "--backend", "onnxruntime", "--source", "synthetic:160x120@30#2", "--frames", 1)
    _, first, said = run(*live, "--set", "Smiling=0.5", "--view", "both")
    assert "as you left it" not in first and said.count("edits people's faces") == 1
    _, second, said = run(*live)
    assert "as you left it: Smiling 0.5" in second and "people's faces" not in said
    assert "as you left it" not in run(*live, "--fresh")[1]
    assert "as you left it: Smiling 0.5" in run(*live)[1]
    assert "as you left it" not in run(*live, "--set", "Blond_Hair=1")[1]
    assert "as you left it: Blond_Hair 1" in run(*live)[1]
    (file,) = (tmp_path / "config" / "edgegan" / "models").iterdir()
    assert json.loads(file.read_text())["look"]["view"] == "both"
    file.write_text("{")
    code, _, err = run(*live)
    assert code == 2 and str(file) in err.replace("\n", "")
    assert run(*live, "--sink", "null")[0] == 0  # where nobody watches, nothing is recalled
