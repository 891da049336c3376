"""Cameras, by number or device path, through OpenCV."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import SourceError
from ...model.image import Image
from ...opencv import quiet
from ..source import Frame, Source, Wanted, frame_of

DEVICES = Path("/sys/class/video4linux")
NODES = Path("/dev")
PROCESSES = Path("/proc")
_PATIENCE_S = 1.0  # how long a camera may give nothing before it counts as gone
_USUAL_HW, _USUAL_FPS = (720, 1280), 30.0  # asked for where nothing is: left alone, most cameras give 640x480


def accepts(spec: str) -> bool:
    """A number, or a video device of Linux."""
    return bool(re.fullmatch(r"\d{1,3}|/dev/video\d+", spec))


def open_frames(spec: str, wanted: Wanted) -> Camera:
    """Opens a camera and reads one picture to prove that it works."""
    return Camera(spec, fps=wanted.fps, size_hw=wanted.size_hw)


class Camera(Source):
    """One camera, in MJPG where it has that, else in its own format; `about` says what was got.

    Asked for nothing, it is asked for 1280x720 at 30 fps and gives what is nearest. Raises SourceError for a camera
    that is not there, is held by another program or may not be opened, and for a size that it does not have.
    """

    live = revivable = True
    length = None

    def __init__(self, spec: str, *, fps: float | None = None, size_hw: tuple[int, int] | None = None) -> None:
        self.name, self._number = f"camera {spec}", spec.removeprefix("/dev/video")
        with quiet():
            # Uncompressed video over USB is slow at high sizes. A driver that fails in one format is opened anew.
            for ask_mjpg in (True, False):
                picture = self._start(ask_mjpg, size_hw or _USUAL_HW, fps or _USUAL_FPS)
                if picture is not None:
                    break
            else:
                raise self._why_not()
        self.size_hw = (int(picture.shape[0]), int(picture.shape[1]))
        got = f"{self.size_hw[1]}x{self.size_hw[0]}"
        if size_hw and size_hw != self.size_hw:
            self.close()
            raise SourceError(
                f"{self.name} has no size of {size_hw[1]}x{size_hw[0]} pixels; the nearest that it gives is {got}",
                todo=f"ask for {got}, or for no size; v4l2-ctl --list-formats-ext lists them all (package v4l-utils)",
            )
        import cv2

        self.fps = self._capture.get(cv2.CAP_PROP_FPS) or None
        rate = f" at {self.fps:g} fps" if self.fps else ""
        asked = f" (asked for {fps:g})" if fps and self.fps != fps else ""
        self.about = f"{self.name}: {got}{rate}{asked}, {_fourcc(self._capture.get(cv2.CAP_PROP_FOURCC))}"

    def _start(self, mjpg: bool, size_hw: tuple[int, int], fps: float) -> Image | None:
        """Opens and asks; the first picture, or None where none came."""
        import cv2

        device = int(self._number)
        self._capture = cv2.VideoCapture(device, cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY)
        if not self._capture.isOpened():
            self.close()
            return None
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # an old frame is worth nothing
        if mjpg:
            self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size_hw[0])
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, size_hw[1])
        self._capture.set(cv2.CAP_PROP_FPS, fps)
        got, picture = self._capture.read()
        if not got:
            self.close()
            return None
        return np.asarray(picture, np.uint8)

    def __iter__(self) -> Iterator[Frame]:
        index, seen = 0, time.monotonic()
        while True:
            with quiet():
                there = self._capture.grab()
                taken = time.monotonic()
                got, picture = self._capture.retrieve() if there else (False, None)  # decodes, where it is MJPG
            if got:
                seen = time.monotonic()
                yield frame_of(np.asarray(picture), index, self.name, taken=taken, decode_s=seen - taken)
                index += 1
            elif time.monotonic() - seen > _PATIENCE_S:
                raise SourceError(f"{self.name} stopped giving pictures after {index} frames", todo="is it unplugged?")
            else:
                time.sleep(0.02)

    def close(self) -> None:
        """Frees the camera for other programs."""
        self._capture.release()

    def _why_not(self) -> SourceError:
        node = NODES / f"video{self._number}"
        if sys.platform != "linux":
            return SourceError(f"{self.name} is not there, or another program holds it", todo=_WITHOUT)
        if not node.exists():
            return SourceError(f"{self.name} is not there", f"cameras on this machine: {_list_devices()}", _WITHOUT)
        if not os.access(node, os.R_OK | os.W_OK):
            return SourceError(
                f"{self.name} is there, but you may not open {node}",
                f"it belongs to the group {_group(node)!r}",
                f"run: sudo usermod -aG {_group(node)} $USER, and log in again",
            )
        if users := _holders(node):
            return SourceError(f"{self.name} is busy: {', '.join(users)} holds it", todo="close that program first")
        return SourceError(
            f"{self.name} opens but gives no picture",
            f"cameras on this machine: {_list_devices()}",
            "unplug it and plug it in again, or close the program that uses it",
        )


_WITHOUT = "to try without a camera: --source synthetic"


def cameras() -> dict[str, str]:
    """The cameras Linux lists: number -> name. A camera's second device, which gives no pictures, is left out."""
    found = {}
    for folder in sorted(DEVICES.glob("video*")):
        name, index = (folder / "name"), (folder / "index")
        if index.is_file() and index.read_text("utf-8", "replace").strip() != "0":
            continue
        found[folder.name.removeprefix("video")] = (
            name.read_text("utf-8", "replace").strip() if name.is_file() else folder.name
        )
    return found


def _list_devices() -> str:
    return ", ".join(f"{number} ({name})" for number, name in cameras().items()) or "none"


def _group(node: Path) -> str:
    try:
        return node.group()
    except (KeyError, OSError):  # a number without a name
        return "video"


def _holders(node: Path) -> list[str]:
    """Programs that have the device open, as far as this user may see."""
    found = []
    for process in PROCESSES.glob("[0-9]*"):
        try:
            if any(os.path.realpath(file) == str(node) for file in (process / "fd").iterdir()):
                found.append(f"{(process / 'comm').read_text().strip()} (process {process.name})")
        except OSError:  # another user's, or gone meanwhile
            continue
    return found


def _fourcc(code: Any) -> str:
    """Four letters out of the driver's number."""
    number = int(code)
    letters = "".join(chr(number >> shift & 0xFF) for shift in (0, 8, 16, 24))
    return letters if letters.isascii() and letters.isalnum() else "format unknown"
