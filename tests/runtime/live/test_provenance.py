"""Files tell that a model had a hand in them, to readers that are not ours; and every sink shows it."""

import io
import subprocess
import sys

import av
import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from support import tiny_models
from support.av_clips import draw_number, number_of
from support.origins import facts, source_type

from edgegan.runtime.live.controls.attributes import Controls
from edgegan.runtime.live.provenance import EDITED, GENERATED, Origin, into_png
from edgegan.runtime.live.screen.compositor import Compositor
from edgegan.runtime.live.sinks import open_sink
from edgegan.runtime.live.source import Frame
from edgegan.runtime.metrics.live import LiveTally

CODES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
NOISE = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)


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


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "folder"])
@pytest.mark.parametrize("origin", [EDITED, GENERATED])
def test_every_sink_that_writes_files_tells_the_origin_it_was_given(tmp_path, name, origin):
    path = tmp_path / name
    with Compositor(open_sink(str(path)), Controls(), LiveTally(), mark=False, origin=origin) as sink:
        for number in range(3):
            sink.write(frame(number, draw_number(number, 48, 64)))
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
from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.sinks import open_sink
from edgegan.runtime.live.source import Frame
sink = open_sink(sys.argv[1], FrameClock(fps=10))
for number in range(25):
    sink.write(Frame(np.full((48, 64, 3), 7, np.uint8), number, 0.0, "test"))
os.kill(os.getpid(), 9)
"""


def test_a_killed_recording_tells_its_origin_too(tmp_path):
    path = tmp_path / "killed.mp4"
    assert subprocess.run([sys.executable, "-c", _KILLED, str(path)], timeout=60).returncode == -9
    with av.open(str(path)) as container:
        assert EDITED.source_type in container.metadata["comment"]


def test_sampled_pictures_and_films_say_that_they_were_generated(run, tmp_path):
    model = tiny_models.write_sampler(tmp_path / "model", mixer=False)
    code, _, err = run("sample", model, "--count", 2, "--video", "--seconds", 0.5, "--out", "drawn")
    assert code == 0, err
    files = [path for path in (tmp_path / "drawn").iterdir() if path.suffix in (".png", ".mp4")]
    assert len(files) == 4
    assert {source_type(path) for path in files} == {GENERATED.source_type}
