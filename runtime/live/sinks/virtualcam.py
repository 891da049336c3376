"""A virtual camera, which other programs (browsers, video calls) open like any other."""

from __future__ import annotations

import sys
import time
from typing import Any

from ...errors import MissingExtraError, SinkError
from ...model.image import Image
from ..pace import Pace
from ..sources import Frame
from . import Clock, Sink, check_same_size

_KIND = "virtualcam"
_REMEDIES = {
    "linux": "run: sudo apt install v4l2loopback-dkms && sudo modprobe v4l2loopback exclusive_caps=1",
    "darwin": "install OBS Studio, and start and stop its virtual camera once",
    "win32": "install OBS Studio, which brings its virtual camera",
}


def accepts(spec: str) -> bool:
    """`virtualcam`, or `virtualcam:` and a device."""
    return spec.partition(":")[0] == _KIND


def open_sink(spec: str, clock: Clock) -> VirtualCamera:
    """Proves that there is a device by opening it for a moment."""
    return VirtualCamera(spec.partition(":")[2] or None, clock)


class VirtualCamera(Sink):
    """Sends frames to a virtual camera: /dev/videoN of v4l2loopback on Linux, OBS's elsewhere.

    Recorded frames go at their own speed. Raises MissingExtraError without the `virtualcam` extra and SinkError
    where there is no such device.
    """

    stage = "display"

    def __init__(self, device: str | None = None, clock: Clock | None = None) -> None:
        try:
            import pyvirtualcam
        except ImportError as error:
            raise MissingExtraError(error.name or "pyvirtualcam", "virtualcam") from None
        self._library: Any = pyvirtualcam
        self._device, self._clock = device, clock or Clock()
        self._pace = Pace()
        self._camera: Any = None
        self._size_hw = (0, 0)
        self._open(640, 480).close()  # says now, not with the first frame, that there is none
        self.about = f"virtual camera {self._device}"

    def _open(self, width: int, height: int) -> Any:
        try:
            camera = self._library.Camera(
                width=width,
                height=height,
                fps=self._clock.fps,
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

    def write(self, frame: Frame, before: Image | None = None) -> str:
        """Sends one frame when its time has come. Every frame must have the size of the first."""
        if self._camera is None:
            height, width = self._size_hw = (frame.image_bgr.shape[0], frame.image_bgr.shape[1])
            self._camera = self._open(width, height)
        check_same_size(frame, self._size_hw, self.about)
        if not self._clock.by_timestamp:
            time.sleep(self._pace.wait_s(self._clock.moment_s(frame, 0.0)))
        try:
            self._camera.send(frame.image_bgr)
        except (RuntimeError, ValueError) as error:
            raise SinkError(f"{self.about} takes no more frames: {error}") from None
        return ""

    def close(self) -> None:
        """Frees the device."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None
