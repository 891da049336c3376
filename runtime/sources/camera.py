"""Cameras, by number or device path, through OpenCV."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ..errors import SourceError
from ..opencv import quiet
from . import Frame, Source, frame_of

DEVICES = Path("/sys/class/video4linux")
_PATIENCE_S = 2.0  # how long a camera may give nothing before it counts as gone


def accepts(spec: str) -> bool:
    """A number, or a video device of Linux."""
    return bool(re.fullmatch(r"\d{1,3}|/dev/video\d+", spec))


def open_frames(spec: str, *, fps: float | None, size_hw: tuple[int, int] | None, loop: bool) -> Camera:
    """Opens a camera and reads one picture to prove that it works. A camera never ends, so `loop` says nothing."""
    del loop
    return Camera(spec, fps=fps, size_hw=size_hw)


class Camera(Source):
    """One camera. The driver chooses the mode nearest to what was asked; `about` says which."""

    live = True
    length = None

    def __init__(self, spec: str, *, fps: float | None = None, size_hw: tuple[int, int] | None = None) -> None:
        import cv2

        self.name = f"camera {spec}"
        device = int(spec) if spec.isdecimal() else spec
        with quiet():
            self._capture = cv2.VideoCapture(device, cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY)
            if not self._capture.isOpened():
                raise SourceError(
                    f"{self.name} is not there, or another program holds it",
                    f"cameras on this machine: {_listed()}",
                    "to try without a camera: --source synthetic",
                )
            self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # an old frame is worth nothing
            if size_hw or fps:  # uncompressed video over USB is slow at high sizes; cameras without it say no
                self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            if size_hw:
                self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size_hw[0])
                self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, size_hw[1])
            if fps:
                self._capture.set(cv2.CAP_PROP_FPS, fps)
            got, picture = self._capture.read()
            if not got:
                self.close()
                raise SourceError(
                    f"{self.name} opens but gives no picture",
                    todo="unplug it and plug it in again, or close the program that uses it",
                )
        self.size_hw = (int(picture.shape[0]), int(picture.shape[1]))
        self.fps = self._capture.get(cv2.CAP_PROP_FPS) or None
        rate = f" at {self.fps:g} fps" if self.fps else ""
        asked = f" (asked for {size_hw[1]}x{size_hw[0]})" if size_hw and size_hw != self.size_hw else ""
        self.about = f"{self.name}: {self.size_hw[1]}x{self.size_hw[0]}{rate}{asked}"

    def __iter__(self) -> Iterator[Frame]:
        index, seen = 0, time.monotonic()
        while True:
            with quiet():
                got, picture = self._capture.read()
            if got:
                seen = time.monotonic()
                yield frame_of(picture, index, self.name)
                index += 1
            elif time.monotonic() - seen > _PATIENCE_S:
                raise SourceError(f"{self.name} stopped giving pictures after {index} frames", todo="is it unplugged?")
            else:
                time.sleep(0.02)

    def close(self) -> None:
        """Frees the camera for other programs."""
        self._capture.release()


def cameras() -> dict[str, str]:
    """The cameras Linux lists: number -> name. A camera's second device, which gives no pictures, is left out."""
    found = {}
    for folder in sorted(DEVICES.glob("video*")):
        name, index = (folder / "name"), (folder / "index")
        if index.is_file() and index.read_text().strip() != "0":
            continue
        found[folder.name.removeprefix("video")] = name.read_text().strip() if name.is_file() else folder.name
    return found


def _listed() -> str:
    if sys.platform != "linux":
        return "unknown (try 0 or 1)"
    return ", ".join(f"{number} ({name})" for number, name in cameras().items()) or "none"
