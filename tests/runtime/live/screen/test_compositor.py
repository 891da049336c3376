"""What people see over the picture: the mark, the status line and messages; on every output, or on screens only."""

import time

import cv2
import numpy as np
import pytest
from support import tiny_models
from support.frames import Kept
from support.origins import source_type

from edgegan.runtime.edit.editor import Editor
from edgegan.runtime.live.controls.attributes import Controls
from edgegan.runtime.live.controls.look import Look
from edgegan.runtime.live.provenance import EDITED, GENERATED
from edgegan.runtime.live.screen import lettering, overlay
from edgegan.runtime.live.screen.compositor import Compositor
from edgegan.runtime.live.screen.statusline import StatusLine
from edgegan.runtime.live.screen.views import compose
from edgegan.runtime.live.sinks import open_sink
from edgegan.runtime.live.source import Frame, Source
from edgegan.runtime.live.stream import Stream
from edgegan.runtime.metrics.live import LiveTally

HW = (240, 320)
NAMES = ("Blond_Hair", "Smiling")


def flat(value=90, hw=HW):
    return Frame(np.full((*hw, 3), value, np.uint8), 0, 0.0, "test")


def compose_one(panel, *, screen=True, value=90, before=None, **options):
    """One flat frame as a sink gets it."""
    kept = Kept(screen=screen)
    Compositor(kept, panel, LiveTally(), **options).write(flat(value), before)
    return kept.frames[0].image_bgr


def test_the_mark_is_on_every_output_unless_switched_off():
    for screen in (False, True):
        given = flat()
        kept = Kept(screen=screen)
        Compositor(kept, Controls(), LiveTally(), hud=False).write(given)
        assert (given.image_bgr == 90).all()
        rows, columns = np.nonzero((kept.frames[0].image_bgr != 90).any(axis=2))
        assert rows.min() > 200 and columns.min() > 200
        assert 0.002 < (kept.frames[0].image_bgr != 90).mean() < 0.05
    assert (compose_one(Controls(), screen=False, mark=False) == 90).all()
    other = compose_one(Controls(), screen=False, origin=GENERATED)
    assert not np.array_equal(other, compose_one(Controls(), screen=False))


@pytest.mark.parametrize("hw", [(720, 1280), (64, 64), (16, 24), (2, 2)])
def test_the_mark_fits_into_any_picture(hw):
    marked = compose(flat(hw=hw).image_bgr, None, Look(), "AI-generated")
    assert marked.shape == (*hw, 3) and (marked != 90).any()


def test_the_line_is_for_screens_and_shows_what_is_on():
    controls = Controls(NAMES)
    assert (compose_one(controls, screen=False, mark=False) == 90).all()
    off = compose_one(controls, mark=False)
    controls.press("1")
    on = compose_one(controls, mark=False)
    green = [int((p[:60, :, 1].astype(int) - p[:60, :, 2]).max()) for p in (off, on)]
    assert green[0] < 20 < 60 < green[1]
    assert (off[60:] == 90).all()


def test_the_line_tells_rates_age_stages_drops_and_what_runs():
    stats, controls = LiveTally(), Controls(NAMES, changes={"Smiling": 0.7})
    for _ in range(3):
        stats.record("network", 0.031)
        stats.count_read()
        stats.count_shown(0.0)
    stats.count_dropped("model_busy", 12)
    controls.choose(recording=True)
    line = StatusLine(stats, controls, "openvino cpu int8").lines(HW)
    words = " | ".join(word for words in line for word, _ in words)
    for part in (
        "fps in",
        "ms old",
        "network 31",
        "12 dropped: model busy",
        "openvino cpu int8",
        "Smiling 0.7",
        "recording",
    ):
        assert part in words
    assert len(line) > 1
    assert all(sum(lettering.width(w, 13) + 13 for w, _ in words) <= HW[1] for words in line)


def test_before_and_after_stand_side_by_side_and_a_recording_keeps_its_size():
    screen, file = Kept(screen=True), Kept()
    controls = Controls(look=Look(view="both"))
    sinks = [Compositor(s, controls, LiveTally(), hud=False, mark=False) for s in (screen, file)]
    before = np.full((*HW, 3), 10, np.uint8)
    for keys in ("", "bm"):
        controls.press(keys)
        for sink in sinks:
            sink.write(flat(), before)
    assert [f.image_bgr.shape[1] for f in screen.frames] == [640, 320]
    assert [f.image_bgr.shape[1] for f in file.frames] == [640, 640]
    assert (file.frames[0].image_bgr[:, :320] == 10).all() and (file.frames[0].image_bgr[:, 320:] == 90).all()


def test_what_is_said_shows_for_a_while_and_a_lost_source_is_marked_on_every_output():
    controls = Controls()
    quiet = compose_one(controls, hud=False)
    controls.say("written: a.png")
    assert (compose_one(controls, hud=False) != quiet).any()
    assert (compose_one(controls, hud=False, screen=False) == quiet).all()
    kept = Kept()
    held = Frame(np.full((*HW, 3), 90, np.uint8), 0, 0.0, "test", held_s=3.0)
    Compositor(kept, controls, LiveTally()).write(held)
    assert (kept.frames[0].image_bgr[:220, :200] != 90).any()


class Timed(Kept):
    """Takes its time, and says what for."""

    stage = "encode"

    def write(self, frame, before=None):
        time.sleep(0.02)
        super().write(frame, before)


def test_dressing_and_the_sinks_own_work_are_timed_apart():
    stats = LiveTally()
    sink = Compositor(Timed(), Controls(), stats)
    for _ in range(3):
        sink.write(flat())
    times = stats.statistics().stages_ms
    assert list(times) == ["dress", "encode"]
    assert times["encode"]["p50"] >= 20 > times["dress"]["p50"] > 0
    silent = LiveTally()
    Compositor(Kept(), Controls(), silent).write(flat())
    assert list(silent.statistics().stages_ms) == ["dress"]


def test_a_frame_on_which_nothing_is_drawn_is_passed_on_as_it_is():
    given, kept = flat(), Kept()
    for panel in (Controls(), Controls(look=Look(mirror=True)), Controls(look=Look(view="both"))):
        Compositor(kept, panel, LiveTally(), mark=False).write(given, given.image_bgr)
    assert [frame.image_bgr is given.image_bgr for frame in kept.frames] == [True, False, False]


def test_the_line_is_drawn_again_only_when_its_words_change(monkeypatch):
    drawn = []
    monkeypatch.setattr(overlay, "draw_lines", lambda image, lines: drawn.append(lines) or (0, 0, 0, 0))
    monkeypatch.setattr("edgegan.runtime.live.screen.statusline._REFRESH_S", 1e9)
    controls = Controls(NAMES)
    sink = Compositor(Kept(screen=True), controls, LiveTally(), mark=False)
    for _ in range(5):
        sink.write(flat())
    assert len(set(drawn)) == 1 and len(drawn) == 2  # once on black and once on white
    controls.press("1")
    sink.write(flat())
    sink.write(flat(hw=(120, 160)))
    assert len(drawn) == 6


class Still(Source):
    """Three grey pictures."""

    def __init__(self):
        self.name = self.about = "still"
        self.live, self.fps, self.size_hw, self.length = False, 30.0, (60, 80), 3

    def __iter__(self):
        for number in range(3):
            yield Frame(np.full((60, 80, 3), 90, np.uint8), number, time.monotonic(), "still")


def stream(folder, **options):
    """The pictures that a plain program writes, with no controls of any kind."""
    with open_sink(str(folder), **options) as sink:
        Stream(Still(), lambda frame, record: frame.image_bgr, sink).run()
    return [cv2.imread(str(path)) for path in sorted(folder.iterdir())]


def test_whatever_opens_a_sink_marks_its_pictures_unless_told_not_to(tmp_path):
    bare = stream(tmp_path / "bare", label=False)
    assert len(bare) == 3 and all((picture == 90).all() for picture in bare)
    for number, picture in enumerate(stream(tmp_path / "marked")):
        rows, columns = np.nonzero((picture != 90).any(axis=2))
        assert rows.min() > 40 and 0.01 < (picture != 90).mean() < 0.5, number
        assert columns.max() == 79


def test_the_mark_says_what_the_sink_was_told(tmp_path):
    seen = []
    for origin in (EDITED, GENERATED):
        with open_sink(str(tmp_path / origin.mark)) as sink:
            sink.origin = origin
            sink.write(flat())
        (path,) = (tmp_path / origin.mark).iterdir()
        assert source_type(path) == origin.source_type
        seen.append(cv2.imread(str(path)))
    assert not np.array_equal(*seen)


def test_an_editor_marks_nothing(tmp_path):
    face = np.full((32, 32, 3), 90, np.uint8)
    with Editor.open(tiny_models.write_editor(tmp_path / "model", faces=False)) as editor:
        once = editor.edit(face, {"Smiling": 1.0})
        assert np.array_equal(once, editor.translate(face, {"Smiling": 1.0}))
