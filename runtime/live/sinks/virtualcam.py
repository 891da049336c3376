"""A virtual camera, which other programs (browsers, video calls) open like any other."""

from __future__ import annotations

import sys
import time
from typing import Any

from ...errors import MissingExtraError, SinkError
from ...model.image import Image
from ..frame_clock import ConstantRate, FrameClock, Pace
from ..sink import Sink, check_same_size
from ..source import Frame

_KIND = "virtualcam"
_REMEDIES = {
    "linux": "run: sudo apt install v4l2loopback-dkms && sudo modprobe v4l2loopback exclusive_caps=1",
    "darwin": "install OBS Studio, and start and stop its virtual camera once",
    "win32": "install OBS Studio, which brings its virtual camera",
}


def accepts(spec: str) -> bool:
    """`virtualcam`, or `virtualcam:` and a device."""
    return spec.partition(":")[0] == _KIND


def open_sink(spec: str, clock: FrameClock) -> VirtualCamera:
    """Proves that there is a device by opening it for a moment."""
    return VirtualCamera(spec.partition(":")[2] or None, clock)


class VirtualCamera(Sink):
    """Sends frames to a virtual camera: /dev/videoN of v4l2loopback on Linux, OBS's elsewhere.

    Recorded frames go at their own speed and at the constant rate that such a device has: repeated where a film has
    fewer, left out where it has more. Frames of a live source go as they come. Raises MissingExtraError without the
    `virtualcam` extra and SinkError where there is no such device.
    """

    stage = "display"

    def __init__(self, device: str | None = None, clock: FrameClock | None = None) -> None:
        try:
            import pyvirtualcam
        except ImportError as error:
            raise MissingExtraError(error.name or "pyvirtualcam", "virtualcam") from None
        self._library: Any = pyvirtualcam
        self._device, self._clock = device, clock or FrameClock()
        self._pace, self._rate = Pace(), ConstantRate(self._clock)
        self._last: Image | None = None
        self._camera: Any = None
        self._size_hw = (0, 0)
        self._open(640, 480).close()  # says now, not with the first frame, that there is none
        self.about = f"virtual camera {self._device}"

    def _open(self, width: int, height: int) -> Any:
        try:
            camera = self._library.Camera(
                width=width,
                height=height,
                fps=self._rate.fps,
                fmt=self._library.PixelFormat.BGR,
                device=self._device,
            )
        except (RuntimeError, ValueError) as error:
            where = f" at {self._device}" if self._device else ""
            raise SinkError(
                f"there is no virtual camera{where} that can be written: {' '.join(str(error).split())}",
                todo=_REMEDIES.get(sys.platform, ""),
            ) from None
        self._device = str(camera.device)
        return camera

    def write(self, frame: Frame, before: Image | None = None) -> None:
        """Sends one frame when its time has come. Every frame must have the size of the first."""
        if self._camera is None:
            height, width = self._size_hw = (frame.image_bgr.shape[0], frame.image_bgr.shape[1])
            self._camera = self._open(width, height)
        check_same_size(frame, self._size_hw, self.about)
        if self._clock.by_timestamp:  # it comes now: what it stands for is now
            return self._send(frame.image_bgr)
        missing, free = self._rate.place(frame)
        first = self._rate.filled - free - missing
        for slot in range(first, first + missing):
            self._send(self._last if self._last is not None else frame.image_bgr, slot)
        if free:
            self._last = frame.image_bgr
            self._send(frame.image_bgr, first + missing)

    def _send(self, picture: Image, slot: int | None = None) -> None:
        """Sends a picture, when the time of its slot has come."""
        if slot is not None:
            time.sleep(self._pace.wait_s(slot / self._rate.fps))
        try:
            self._camera.send(picture)
        except (RuntimeError, ValueError) as error:
            raise SinkError(f"{self.about} takes no more frames: {error}") from None

    def close(self) -> None:
        """Frees the device."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None
