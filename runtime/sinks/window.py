"""A window on the screen, through OpenCV."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

from ..controls import Slider
from ..errors import SinkError
from ..image import Image
from ..sources import Frame
from . import Clock, Sink

_PROBE = "import cv2; cv2.namedWindow('edgegan'); cv2.waitKey(1); cv2.destroyAllWindows()"
_PROBE_TIMEOUT_S = 30.0


def accepts(spec: str) -> bool:
    """The word `window`."""
    return spec == "window"


def open_sink(spec: str, clock: Clock) -> Window:
    """Opens a window."""
    del spec
    return Window(clock)


class Window(Sink):
    """Shows frames and gives keys. Recorded sources are shown at their own speed; live ones as they come.

    Closing the window by its button counts as the Esc key. Raises SinkError where there is no display.
    """

    screen = True

    def __init__(self, clock: Clock | None = None, *, title: str = "edgegan") -> None:
        check_display()
        loaded = [name for name in sys.modules if name in ("av", "cv2")]
        if sys.platform == "linux" and loaded == ["av", "cv2"]:  # see opencv.pyav
            raise SinkError(
                "PyAV was loaded before OpenCV, whose windows would hang",
                todo="in your program, put `import cv2` before `import av`",
            )
        self._clock, self._title, self._opened = clock or Clock(), title, False
        self._begin: float | None = None
        self._sliders: dict[str, tuple[Slider, int]] = {}  # with the place that the window shows
        self.about = "window"

    def offer(self, sliders: Sequence[Slider]) -> None:
        """Puts sliders below the picture, from the first frame on."""
        self._sliders = {slider.name: (slider, slider.place) for slider in sliders}

    def write(self, frame: Frame, before: Image | None = None) -> str:
        """Shows the frame when its time has come."""
        import cv2

        if not self._opened:
            cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
            height, width = frame.image_bgr.shape[:2]
            cv2.resizeWindow(self._title, width, height)
            for slider, place in self._sliders.values():
                cv2.createTrackbar(slider.name, self._title, place, slider.STEPS, lambda _: None)
            self._opened = True
        elif cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1:
            return "\x1b"
        self._follow_sliders()
        cv2.imshow(self._title, frame.image_bgr)
        key = cv2.waitKey(self._wait_ms(frame))
        return chr(key & 0xFF) if key >= 0 else ""

    def _follow_sliders(self) -> None:
        """What the mouse pushed goes to the slider; what keys pushed goes to the window."""
        import cv2

        for name, (slider, shown) in self._sliders.items():
            seen = cv2.getTrackbarPos(name, self._title)
            if seen != shown:
                slider.put(seen)
            elif slider.place != shown:
                cv2.setTrackbarPos(name, self._title, slider.place)
            self._sliders[name] = (slider, slider.place)

    def _wait_ms(self, frame: Frame) -> int:
        if self._clock.by_timestamp:
            return 1
        now = time.monotonic()
        due = frame.index / self._clock.fps
        if self._begin is None or now - self._begin - due > 1.0:  # far behind: no rush to catch up
            self._begin = now - due
        return max(1, round(1000 * (self._begin + due - now)))

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
