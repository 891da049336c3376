"""Frames that tell their own number, and doubles that take them."""

from types import SimpleNamespace

from edgegan.runtime.errors import SinkError
from edgegan.runtime.live.sink import Sink, SinkClosed
from edgegan.runtime.live.source import Frame
from support.av_clips import draw_number, number_of


def frame(number: int, timestamp: float = 0.0, hw: tuple[int, int] = (48, 64)) -> Frame:
    return Frame(draw_number(number, *hw), number, timestamp, "test")


class Kept(Sink):
    """Keeps what it gets, and can be told to fail."""

    def __init__(self, *, screen=False, gone=False, fails=False):
        self.screen, self.gone, self.fails, self.frames, self.closed = screen, gone, fails, [], 0

    def write(self, frame, before=None):
        self.frames.append(frame)
        if self.gone:
            raise SinkClosed

    def close(self):
        self.closed += 1
        if self.fails:
            raise SinkError("cannot close")


class FakeCameras:
    """Stands in for the package pyvirtualcam: no kernel module can be loaded here. One device, or none."""

    PixelFormat = SimpleNamespace(BGR="bgr")

    def __init__(self, device="/dev/video9"):
        self.device, self.sent, self.opened, self.closed, self.fails = device, [], [], 0, False

    def Camera(self, *, width, height, fps, fmt, device):
        if self.device is None or device not in (None, self.device):
            raise RuntimeError("'v4l2loopback' backend: No v4l2 loopback device found at /dev/video[0-99].")
        self.opened.append((width, height, fps, fmt))
        return SimpleNamespace(device=self.device, send=self._send, close=self._close)

    def _send(self, picture):
        if self.fails:
            raise RuntimeError("no such device")
        self.sent.append(number_of(picture))

    def _close(self):
        self.closed += 1
