"""Programs, libraries and kernel modules that pip cannot bring, and Debian's packages that do."""

from __future__ import annotations

import ctypes.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from .finding import Finding

DEVICES = Path("/dev")
MODULES = Path("/sys/module")

_LIBRARIES = {"GL": "libgl1", "glib-2.0": "libglib2.0-0"}  # what pip's OpenCV links to

# program: (what for, Debian's packages)
_PROGRAMS = {
    "ffmpeg": ("takes the frames of --sink - and converts clips", "ffmpeg"),
    "v4l2-ctl": ("lists the sizes and rates of a camera", "v4l-utils"),
    "gst-launch-1.0": (
        "runs --source gst:PIPELINE",
        "gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good",
    ),
    "g++": ("compiles for torch.compile on the CPU", "g++"),
}
_LOOPBACK = "v4l2loopback-dkms && sudo modprobe v4l2loopback exclusive_caps=1"


def examine() -> Iterator[Finding]:
    """OpenCV's libraries, programs, the virtual camera's module and the right to open cameras; Linux only."""
    if sys.platform != "linux":
        return
    yield _opencv()
    for program, (purpose, packages) in _PROGRAMS.items():
        if shutil.which(program):
            yield Finding(topic="system", name=program, status="ok", text=purpose)
        else:
            yield _note_absence(program, purpose, packages)
    if (MODULES / "v4l2loopback").exists():
        yield Finding(topic="system", name="v4l2loopback", status="ok", text="the virtual camera's module is loaded")
    else:
        yield _note_absence("v4l2loopback", "makes the device of --sink virtualcam", _LOOPBACK)
    closed = [node for node in sorted(DEVICES.glob("video[0-9]*")) if not os.access(node, os.R_OK | os.W_OK)]
    if closed:
        yield Finding(
            topic="system",
            name="cameras",
            status="missing",
            text=f"{', '.join(map(str, closed))}: not open to this user",
            todo="sudo usermod -aG video $USER, then log in again",
        )


def _opencv() -> Finding:
    try:
        import cv2
    except ImportError as error:
        missing = [package for library, package in _LIBRARIES.items() if ctypes.util.find_library(library) is None]
        todo = f"sudo apt install {' '.join(missing)}" if missing else "pip install --force-reinstall opencv-python"
        return Finding(topic="system", name="OpenCV", status="missing", text=str(error), todo=todo)
    return Finding(topic="system", name="OpenCV", status="ok", text=cv2.__version__)


def _note_absence(name: str, purpose: str, packages: str) -> Finding:
    text = f"not here; {purpose}"
    return Finding(topic="system", name=name, status="note", text=text, todo=f"sudo apt install {packages}")
