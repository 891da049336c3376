"""The mouse on the picture: sliders, the divider, a place in the frame; also in a real window."""

import shutil
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import numpy as np
import pytest

from edgegan.runtime.errors import SinkError
from edgegan.runtime.live.controls.attributes import Controls
from edgegan.runtime.live.controls.keys import TAB
from edgegan.runtime.live.controls.look import Look
from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.screen import overlay
from edgegan.runtime.live.screen.board import Board, board_top
from edgegan.runtime.live.screen.compositor import Compositor
from edgegan.runtime.live.screen.touch import Touch
from edgegan.runtime.live.sink import Sinks
from edgegan.runtime.live.sinks.window import Window, check_display
from edgegan.runtime.live.source import Frame
from edgegan.runtime.metrics.live import LiveTally

HW = (240, 320)
NAMES = ("Blond_Hair", "Smiling")
_WINDOW = """
    import subprocess, sys, time
    import numpy as np
    from edgegan.runtime.live.controls.attributes import Controls
    from edgegan.runtime.live.controls.look import Look
    from edgegan.runtime.live.screen.compositor import Compositor
    from edgegan.runtime.live.screen.board import Board, board_top
    from edgegan.runtime.live.frame_clock import FrameClock
    from edgegan.runtime.live.sinks.window import Window
    from edgegan.runtime.live.source import Frame
    from edgegan.runtime.metrics.live import LiveTally

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
            sink.write(frame)
            time.sleep(0.01)

    with Compositor(Window(FrameClock(by_timestamp=True)), controls, LiveTally()) as sink:
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


def flat(value=90, hw=HW):
    return Frame(np.full((*hw, 3), value, np.uint8), 0, 0.0, "test")


@pytest.mark.parametrize(
    ("hw", "count"), [((720, 1280), 40), ((480, 640), 40), ((240, 320), 40), ((240, 320), 8), ((1080, 1920), 3)]
)
def test_every_slider_is_drawn_inside_the_picture_and_follows_the_mouse(hw, count):
    controls = Controls([f"a{n}" for n in range(count)], look=Look(sliders=True))
    board = Board(controls.sliders, hw, board_top(hw))
    touch = Touch(controls)
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


def test_the_divider_follows_the_mouse_and_a_press_elsewhere_chooses_a_place():
    controls = Controls(NAMES, look=Look(view="split"))
    touch = Touch(controls)
    touch.press(160, 100, HW)
    touch.drag(80, HW)
    assert controls.look.split == 0.25 and controls.look.click is None
    touch.release()
    touch.press(240, 120, HW)
    touch.drag(10, HW)
    assert controls.look.split == 0.25 and controls.look.click == (0.75, 0.5)
    controls.press("\x08")
    assert controls.look.click is None


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
    monkeypatch.setattr("edgegan.runtime.live.sinks.window.check_display", lambda: None)
    monkeypatch.setattr("edgegan.runtime.live.sinks.window.sys", SimpleNamespace(modules=(), platform=sys.platform))
    controls = Controls(NAMES, look=Look(sliders=True))
    row = Board(controls.sliders, HW, board_top(HW)).rows[1]
    with Sinks([Compositor(Window(FrameClock(by_timestamp=True)), controls, LiveTally())]) as sinks:
        sinks.offer(controls)
        sinks.write(flat())
        (callback,) = callbacks
        callback(cv2.EVENT_LBUTTONDOWN, row.left, row.top + 5, 0, None)
        callback(cv2.EVENT_MOUSEMOVE, (row.left + row.right) // 2, row.top, cv2.EVENT_FLAG_LBUTTON, None)
        callback(cv2.EVENT_LBUTTONUP, row.right, row.top, 0, None)
        callback(cv2.EVENT_MOUSEMOVE, row.right, row.top, cv2.EVENT_FLAG_LBUTTON, None)
    assert controls.changes == {"Smiling": 0.5}
    assert TAB not in controls.keys
