"""What people before a screen see: views, mark, status, sliders and help; and the mouse on them."""

import shutil
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import numpy as np
import pytest

from edgegan.runtime import lettering, overlay
from edgegan.runtime.controls import Controls
from edgegan.runtime.errors import SinkError
from edgegan.runtime.hud import Dressed, StatusLine
from edgegan.runtime.panel import TAB, Look, Panel, Slider
from edgegan.runtime.provenance import GENERATED
from edgegan.runtime.sinks import Clock, Sink, Sinks
from edgegan.runtime.sinks.window import Window, check_display
from edgegan.runtime.sources import Frame
from edgegan.runtime.stats import Stats
from edgegan.runtime.views import compose, frame_point

HW = (240, 320)
NAMES = ("Blond_Hair", "Smiling")


class Kept(Sink):
    """Keeps what it gets."""

    def __init__(self, *, screen=False):
        self.screen, self.frames = screen, []

    def write(self, frame, before=None):
        self.frames.append(frame.image_bgr)
        return ""


def flat(value=90, hw=HW):
    return Frame(np.full((*hw, 3), value, np.uint8), 0, 0.0, "test")


def dressed(panel, *, screen=True, value=90, before=None, **options):
    """One flat frame as a sink gets it."""
    kept = Kept(screen=screen)
    Dressed(kept, panel, Stats(), **options).write(flat(value), before)
    return kept.frames[0]


def test_the_mark_is_on_every_output_unless_switched_off():
    for screen in (False, True):
        given = flat()
        kept = Kept(screen=screen)
        Dressed(kept, Controls(), Stats(), hud=False).write(given)
        assert (given.image_bgr == 90).all()
        rows, columns = np.nonzero((kept.frames[0] != 90).any(axis=2))
        assert rows.min() > 200 and columns.min() > 200
        assert 0.002 < (kept.frames[0] != 90).mean() < 0.05
    assert (dressed(Controls(), screen=False, mark=False) == 90).all()
    other = dressed(Controls(), screen=False, origin=GENERATED)
    assert not np.array_equal(other, dressed(Controls(), screen=False))


@pytest.mark.parametrize("hw", [(720, 1280), (64, 64), (16, 24), (2, 2)])
def test_the_mark_fits_into_any_picture(hw):
    marked = compose(flat(hw=hw).image_bgr, None, Look(), "AI-generated")
    assert marked.shape == (*hw, 3) and (marked != 90).any()


def test_the_line_is_for_screens_and_shows_what_is_on():
    controls = Controls(NAMES)
    assert (dressed(controls, screen=False, mark=False) == 90).all()
    off = dressed(controls, mark=False)
    controls.press("1")
    on = dressed(controls, mark=False)
    green = [int((p[:60, :, 1].astype(int) - p[:60, :, 2]).max()) for p in (off, on)]
    assert green[0] < 20 < 60 < green[1]
    assert (off[60:] == 90).all()


def test_the_line_tells_rates_age_stages_drops_and_what_runs():
    stats, controls = Stats(), Controls(NAMES, changes={"Smiling": 0.7})
    for _ in range(3):
        stats.record("network", 0.031)
        stats.frame_read()
        stats.frame_shown(0.0)
    stats.frames_dropped("model_busy", 12)
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
    sinks = [Dressed(s, controls, Stats(), hud=False, mark=False) for s in (screen, file)]
    before = np.full((*HW, 3), 10, np.uint8)
    for keys in ("", "bm"):
        controls.press(keys)
        for sink in sinks:
            sink.write(flat(), before)
    assert [p.shape[1] for p in screen.frames] == [640, 320]
    assert [p.shape[1] for p in file.frames] == [640, 640]
    assert (file.frames[0][:, :320] == 10).all() and (file.frames[0][:, 320:] == 90).all()


def ramp(hw=HW):
    return np.repeat(np.linspace(0, 120, hw[1], dtype=np.uint8)[None, :, None], hw[0], 0).repeat(3, 2)


def test_each_view_shows_what_it_says():
    before, after = ramp(), ramp() + 100
    assert np.array_equal(compose(after, before, Look()), after)
    assert np.array_equal(compose(after, before, Look(view="before"), "mark"), before)
    assert np.array_equal(compose(after, before, Look(mirror=True)), after[:, ::-1])
    assert np.array_equal(compose(after, None, Look(view="split")), after)
    assert np.array_equal(
        compose(after, before, Look(view="both", mirror=True)),
        np.hstack([before, after])[:, ::-1][:, np.r_[320:640, 0:320]],
    )
    for place in (0.0, 0.25, 1.0):
        divider = round(place * 320)
        shown = compose(after, before, Look(view="split", split=place))
        assert np.array_equal(shown[:40, : max(0, divider - 4)], before[:40, : max(0, divider - 4)])
        assert np.array_equal(shown[:40, divider + 4 :], after[:40, divider + 4 :])
        assert (shown[:, min(max(0, divider), 319)] == 255).all()


def test_a_model_whose_pictures_have_another_size_can_be_compared():
    before, after = ramp((120, 160)), ramp()
    assert compose(after, before, Look(view="split")).shape == (*HW, 3)
    assert compose(after, before, Look(view="both")).shape == (240, 640, 3)


def test_a_click_is_told_in_the_frame_whatever_the_view():
    assert frame_point(Look(), 0.25, 0.5) == (0.25, 0.5)
    assert frame_point(Look(mirror=True), 0.25, 0.5) == (0.75, 0.5)
    assert frame_point(Look(view="both"), 0.75, 0.5) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("hw", "count"), [((720, 1280), 40), ((480, 640), 40), ((240, 320), 40), ((240, 320), 8), ((1080, 1920), 3)]
)
def test_every_slider_is_drawn_inside_the_picture_and_follows_the_mouse(hw, count):
    controls = Controls([f"a{n}" for n in range(count)], look=Look(sliders=True))
    board = overlay.Board(controls.sliders, hw, overlay.board_top(hw))
    touch = overlay.Touch(controls)
    assert len(board.rows) == count
    for number, row in enumerate(board.rows):
        assert 0 <= row.left < row.right <= hw[1] and row.top >= 0 and row.top + board.step <= hw[0]
        y = row.top + board.step // 2
        touch.press((row.left + row.right) // 2, y, hw)
        touch.drag(row.right + 500, hw)
        touch.release()
        touch.drag(row.left, hw)  # let go: moves nothing
        assert controls.changes == {f"a{n}": 1.0 for n in range(number + 1)}
    picture = np.full((*hw, 3), 90, np.uint8)
    overlay.draw_sliders(picture, controls)
    top, bottom, left, right = board.area
    outside = picture.copy()
    outside[top:bottom, left:right] = 90
    assert (outside == 90).all() and (picture != 90).any()


def test_the_drawn_slider_stands_at_its_value():
    panel = Panel([Slider("d1", -2.0, 2.0)])
    panel.hold("d1")
    row = overlay.Board(panel.sliders, HW, overlay.board_top(HW)).rows[0]
    centres = []
    for value in (-2.0, 0.0, 2.0):
        panel.set("d1", value)
        picture = np.zeros((*HW, 3), np.uint8)
        overlay.draw_sliders(picture, panel)
        knob = (picture[row.top :, row.left - 5 : row.right + 5] == 255).all(axis=2).sum(axis=0)
        centres.append(float(np.nonzero(knob == knob.max())[0].mean()) - 5)
    width = row.right - row.left
    assert centres == pytest.approx([0, width / 2, width], abs=4)


def test_the_divider_follows_the_mouse_and_a_press_elsewhere_chooses_a_place():
    controls = Controls(NAMES, look=Look(view="split"))
    touch = overlay.Touch(controls)
    touch.press(160, 100, HW)
    touch.drag(80, HW)
    assert controls.look.split == 0.25 and controls.look.click is None
    touch.release()
    touch.press(240, 120, HW)
    touch.drag(10, HW)
    assert controls.look.split == 0.25 and controls.look.click == (0.75, 0.5)
    controls.press("\x08")
    assert controls.look.click is None


@pytest.mark.parametrize("hw", [(240, 320), (480, 640), (720, 1280)])
def test_the_help_names_every_command_and_fits(hw):
    lines = Controls(NAMES).help_lines()
    words = "\n".join(lines)
    assert all(
        word in words for word in ("tab", "backspace", "space", "split", "snapshot", "record", "mirror", "preset")
    )
    picture = np.full((hw[0] + 40, hw[1] + 40, 3), 90, np.uint8)
    inner = picture[20:-20, 20:-20]
    overlay.draw_help(inner, lines)
    drawn = (inner != 90).any(axis=2)
    assert not drawn[0].any() and not drawn[-1].any() and not drawn[:, 0].any() and not drawn[:, -1].any()
    assert drawn.mean() > 0.08


def test_words_at_an_edge_are_what_a_larger_picture_shows_there():
    large = np.zeros((120, 300, 3), np.uint8)
    small = np.zeros((40, 100, 3), np.uint8)
    for x, y in ((-30, -5), (70, 25), (10, 10)):
        lettering.write(small, "Words", x, y, 20, (255, 255, 255))
        lettering.write(large, "Words", x + 100, y + 40, 20, (255, 255, 255))
    assert small.any() and np.array_equal(small, large[40:80, 100:200])


def test_words_are_cut_at_the_edges_and_change_nothing_outside():
    picture = np.zeros((40, 100, 3), np.uint8)
    for x, y in ((-30, -5), (90, 30), (200, 200), (-500, 3)):
        lettering.write(picture, "Words", x, y, 20, (255, 255, 255))
    assert picture[:20].any() and picture[30:, 90:].any()
    assert picture.max() == 255
    dark, light = (np.full((30, 120, 3), v, np.uint8) for v in (0, 200))
    for each in (dark, light):
        lettering.write(each, "Words", 5, 5, 20, (0, 255, 0))
    assert dark[..., 1].max() == 255 and dark[..., 0].max() == 0
    assert light[..., 0].min() == 0 and light[0, 0].tolist() == [200, 200, 200]


def test_what_is_said_shows_for_a_while_and_a_lost_source_is_marked_on_every_output():
    controls = Controls()
    quiet = dressed(controls, hud=False)
    controls.say("written: a.png")
    assert (dressed(controls, hud=False) != quiet).any()
    assert (dressed(controls, hud=False, screen=False) == quiet).all()
    kept = Kept()
    held = Frame(np.full((*HW, 3), 90, np.uint8), 0, 0.0, "test", held_s=3.0)
    Dressed(kept, controls, Stats()).write(held)
    assert (kept.frames[0][:220, :200] != 90).any()


_WINDOW = """
    import subprocess, sys, time
    import numpy as np
    from edgegan.runtime.controls import Controls
    from edgegan.runtime.panel import Look
    from edgegan.runtime.hud import Dressed
    from edgegan.runtime.overlay import Board, board_top
    from edgegan.runtime.sinks import Clock
    from edgegan.runtime.sinks.window import Window
    from edgegan.runtime.sources import Frame
    from edgegan.runtime.stats import Stats

    hw = (480, 640)
    controls = Controls(("Blond_Hair", "Smiling"), look=Look(sliders=True))
    frame = Frame(np.full((*hw, 3), 90, np.uint8), 0, 0.0, "test")
    row = Board(controls.sliders, hw, board_top(hw)).rows[1]

    def mouse(*words):
        subprocess.run(["xdotool", *map(str, words)], check=True, timeout=20)

    def until(done):
        deadline = time.monotonic() + 20
        while not done():
            assert time.monotonic() < deadline, (controls.changes, controls.look)
            controls.press(sink.write(frame))
            time.sleep(0.01)

    with Dressed(Window(Clock(by_timestamp=True)), controls, Stats()) as sink:
        sink.offer(controls)
        began = time.monotonic()
        until(lambda: time.monotonic() - began > 1)
        found = subprocess.run(["xdotool", "search", "--name", "edgegan"], capture_output=True, text=True, timeout=20)
        window = found.stdout.split()[-1]
        y = row.top + row.top // 8
        mouse("mousemove", "--window", window, row.left + 2, y, "mousedown", 1)
        until(lambda: "Smiling" in controls.changes)
        mouse("mousemove", "--window", window, row.right - 1, y)
        until(lambda: controls.changes["Smiling"] > 0.9)
        mouse("mouseup", 1, "key", "--window", window, "v")
        until(lambda: controls.look.view == "split")
        mouse("key", "--window", window, "Tab")
        until(lambda: not controls.look.sliders)
        mouse("mousemove", "--window", window, 320, 400, "mousedown", 1, "mousemove", "--window", window, 160, 400)
        until(lambda: abs(controls.look.split - 0.25) < 0.02)
        mouse("mouseup", 1, "key", "--window", window, "w")
        until(lambda: controls.look.full_screen)
        mouse("key", "--window", window, "q")
        until(lambda: controls.stopped)
    print("done")
"""


@pytest.mark.display
def test_keys_and_mouse_steer_a_real_window():
    try:
        check_display()
    except SinkError as error:
        pytest.skip(error.seen)
    if shutil.which("xdotool") is None:
        pytest.skip("xdotool, which presses keys and moves the mouse, is not installed")
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(_WINDOW)], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "done", done.stderr


def test_the_mouse_of_a_window_reaches_the_panel_through_its_sinks(monkeypatch):
    """OpenCV's window stands aside, since it needs a display: what is tested is the way of its events."""
    import cv2

    callbacks = []
    answers = {"namedWindow": None, "resizeWindow": None, "imshow": None, "waitKey": -1, "destroyWindow": None}
    for name, answer in {**answers, "getWindowProperty": 1.0, "setWindowProperty": None}.items():
        monkeypatch.setattr(f"cv2.{name}", lambda *_, answer=answer: answer)
    monkeypatch.setattr("cv2.setMouseCallback", lambda title, callback: callbacks.append(callback))
    monkeypatch.setattr("edgegan.runtime.sinks.window.check_display", lambda: None)
    monkeypatch.setattr("edgegan.runtime.sinks.window.sys", SimpleNamespace(modules=(), platform=sys.platform))
    controls = Controls(NAMES, look=Look(sliders=True))
    row = overlay.Board(controls.sliders, HW, overlay.board_top(HW)).rows[1]
    with Sinks([Dressed(Window(Clock(by_timestamp=True)), controls, Stats())]) as sinks:
        sinks.offer(controls)
        sinks.write(flat())
        (callback,) = callbacks
        callback(cv2.EVENT_LBUTTONDOWN, row.left, row.top + 5, 0, None)
        callback(cv2.EVENT_MOUSEMOVE, (row.left + row.right) // 2, row.top, cv2.EVENT_FLAG_LBUTTON, None)
        callback(cv2.EVENT_LBUTTONUP, row.right, row.top, 0, None)
        callback(cv2.EVENT_MOUSEMOVE, row.right, row.top, cv2.EVENT_FLAG_LBUTTON, None)
    assert controls.changes == {"Smiling": 0.5}
    assert TAB not in controls.keys
