"""A window on the screen, through OpenCV."""

from __future__ import annotations

import subprocess
import sys

from ...errors import SinkError
from ...model.image import Image
from ..controls.keys import ESCAPE
from ..controls.panel import Panel
from ..frame_clock import FrameClock, Pace
from ..screen.touch import Touch
from ..sink import Sink, SinkClosed
from ..source import Frame

_PROBE = "import cv2; cv2.namedWindow('edgegan'); cv2.waitKey(1); cv2.destroyAllWindows()"
_PROBE_TIMEOUT_S = 30.0


def accepts(spec: str) -> bool:
    """The word `window`."""
    return spec == "window"


def open_sink(spec: str, clock: FrameClock) -> Window:
    """Opens a window."""
    del spec
    return Window(clock)


class Window(Sink):
    """Shows frames and takes keys. Recorded sources are shown at their own speed; live ones as they come.

    The mouse works on the picture itself. Closing the window by its button ends the run. Raises SinkError
    where there is no display.
    """

    screen = True
    stage = "display"

    def __init__(self, clock: FrameClock | None = None, *, title: str = "edgegan") -> None:
        check_display()
        loaded = [name for name in sys.modules if name in ("av", "cv2")]
        if sys.platform == "linux" and loaded == ["av", "cv2"]:  # see opencv.pyav
            raise SinkError(
                "PyAV was loaded before OpenCV, whose windows would hang",
                todo="in your program, put `import cv2` before `import av`",
            )
        self._clock, self._title, self._opened = clock or FrameClock(), title, False
        self._pace = Pace()
        self._panel: Panel | None = None
        self._touch: Touch | None = None
        self._full_screen = False
        self._hw = (1, 1)
        self.about = "window"

    def offer(self, panel: Panel) -> None:
        """Lets keys steer, the mouse push the panel's sliders and divider, and the panel choose the whole screen."""
        self._panel, self._touch = panel, Touch(panel)

    def write(self, frame: Frame, before: Image | None = None) -> None:
        """Shows the frame when its time has come, and acts on the key that was pressed meanwhile.

        Raises SinkClosed once the window is closed.
        """
        import cv2

        self._hw = (frame.image_bgr.shape[0], frame.image_bgr.shape[1])
        if not self._opened:
            cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
            cv2.resizeWindow(self._title, self._hw[1], self._hw[0])
            cv2.setMouseCallback(self._title, self._on_mouse)
            self._opened = True
        elif cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1:
            raise SinkClosed
        if self._panel is not None and self._panel.look.full_screen != self._full_screen:
            self._full_screen = not self._full_screen
            kind = cv2.WINDOW_FULLSCREEN if self._full_screen else cv2.WINDOW_NORMAL
            cv2.setWindowProperty(self._title, cv2.WND_PROP_FULLSCREEN, kind)
        cv2.imshow(self._title, frame.image_bgr)
        wait_s = 0.0 if self._clock.by_timestamp else self._pace.wait_s(self._clock.moment_s(frame))
        key = cv2.waitKey(max(1, round(1000 * wait_s)))
        if key >= 0:
            self._press(chr(key & 0xFF))

    def _press(self, key: str) -> None:
        """Gives a key to the panel; a window without one knows the keys that end the run."""
        if self._panel is not None:
            self._panel.press(key)
        elif key in "q" + ESCAPE:
            raise SinkClosed

    def _on_mouse(self, event: int, x: int, y: int, flags: int, _: object) -> None:
        """Runs inside `waitKey`, in the thread that writes; (x, y) are pixels of the picture."""
        import cv2

        if self._touch is None:
            return
        if event == cv2.EVENT_LBUTTONDOWN:
            self._touch.press(x, y, self._hw)
        elif event == cv2.EVENT_MOUSEMOVE and flags & cv2.EVENT_FLAG_LBUTTON:
            self._touch.drag(x, self._hw)
        elif event == cv2.EVENT_LBUTTONUP:
            self._touch.release()

    def close(self) -> None:
        """Closes the window."""
        if self._opened:
            import cv2

            cv2.destroyWindow(self._title)
            cv2.waitKey(1)
            self._opened = False


def check_display() -> None:
    """Raises SinkError if a window cannot be opened. Tried in a child process, since OpenCV aborts on failure."""
    try:
        probe = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, timeout=_PROBE_TIMEOUT_S)
        works = probe.returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        works = False
    if not works:
        raise SinkError(
            "a window cannot be opened: this machine has no display that OpenCV can use",
            "a desktop session (DISPLAY or WAYLAND_DISPLAY), and opencv-python rather than opencv-python-headless",
            "to record instead: --sink out.mp4",
        )
