"""Recordings made on request: begun, ended and finished beside the stream, whole, and with their sound."""

import threading
import time
from contextlib import closing

import av
import pytest
from support.av_clips import add_sound, clip, loud_at, number_of, packets_of
from support.frames import frame
from support.origins import source_type

from edgegan.runtime.errors import SinkError
from edgegan.runtime.live.controls.attributes import Controls
from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.provenance import EDITED
from edgegan.runtime.live.recordings import Recorder
from edgegan.runtime.live.screen.compositor import Compositor
from edgegan.runtime.live.sink import Sink
from edgegan.runtime.live.sources import open_source
from edgegan.runtime.metrics.live import LiveTally


def recorder(folder, controls, clock):
    return Recorder(
        folder, controls, clock, lambda sink: Compositor(sink, controls, LiveTally(), hud=False, mark=False)
    )


def test_the_record_key_begins_and_ends_numbered_recordings(tmp_path):
    controls = Controls()
    with closing(recorder(tmp_path, controls, FrameClock(fps=10))) as sink:
        for number in range(12):
            if number in (2, 5, 8):
                controls.press("r")
            sink.write(frame(number))
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
    sink = recorder(tmp_path, controls, FrameClock(fps=10))
    controls.press("r")
    sink.write(frame(0))
    sink.write(frame(1, hw=(50, 64)))
    sink.close()
    assert controls.message().startswith("not recorded: ") and not controls.look.recording
    (path,) = tmp_path.iterdir()
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 1


def test_a_recording_that_cannot_begin_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    controls = Controls()
    sink = recorder(tmp_path / "file", controls, FrameClock())
    controls.press("r")
    sink.write(frame(0))
    assert not controls.look.recording
    assert controls.message().startswith("not recorded: ")


class Gate(Sink):
    """Passes frames on, and cannot be closed before the gate opens; then perhaps fails."""

    def __init__(self, sink, gate, fails=False):
        self._sink, self._gate, self._fails, self.about = sink, gate, fails, sink.about

    def write(self, frame, before=None):
        self._sink.write(frame, before)

    def close(self):
        assert self._gate.wait(5), "whoever waits for this waits in vain"
        self._sink.close()
        if self._fails:
            raise SinkError("the disk is full")


def test_the_end_of_a_recording_holds_up_no_picture_and_the_next_may_begin_meanwhile(tmp_path):
    controls, gate = Controls(), threading.Event()
    sink = Recorder(tmp_path, controls, FrameClock(fps=10), lambda sink: Gate(sink, gate))
    for number in range(9):
        if number in (0, 3, 6):
            controls.press("r")
        began = time.monotonic()
        sink.write(frame(number))
        assert time.monotonic() - began < 2
    assert not controls.message().startswith("written")
    gate.set()
    sink.close()
    assert controls.message().startswith("written: ")
    for path, numbers in zip(sorted(tmp_path.iterdir()), ([0, 1, 2], [6, 7, 8]), strict=True):
        with av.open(str(path)) as container:
            assert [number_of(f.to_ndarray(format="bgr24")) for f in container.decode(video=0)] == numbers


def test_a_recording_that_cannot_be_finished_is_said(tmp_path):
    controls, gate = Controls(), threading.Event()
    gate.set()
    with closing(Recorder(tmp_path, controls, FrameClock(fps=10), lambda sink: Gate(sink, gate, fails=True))) as sink:
        controls.press("r")
        sink.write(frame(0))
    assert controls.message() == "not finished: the disk is full"


@pytest.mark.parametrize("begin_s", [0.5, 4.5])
def test_a_recording_of_a_film_has_its_sound_from_there_on(tmp_path, begin_s):
    film = add_sound(clip(tmp_path / "silent.mp4", frames=180), tmp_path / "film.mp4", seconds=6, click_s=5.0)
    controls = Controls()
    with open_source(str(film)) as source:
        clock = FrameClock(fps=source.fps, sound=source.sound)
        with closing(recorder(tmp_path / "made", controls, clock)) as sink:
            for each in source:
                if each.index == round(30 * begin_s):
                    controls.press("r")
                sink.write(each)
    (path,) = (tmp_path / "made").iterdir()
    pictures = [at for at, _ in sorted(packets_of(path, "video"))]
    assert pictures == pytest.approx([n / 30 for n in range(180 - round(30 * begin_s))], abs=2e-3)
    assert loud_at(path) == pytest.approx(5.0 - begin_s, abs=0.03)
