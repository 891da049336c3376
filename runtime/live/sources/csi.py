"""A Jetson's camera on the CSI connector, through NVIDIA's GStreamer elements. It has not been run on one yet.

Frames lie in NVMM memory, which the camera's image processor writes. `nvvidconv` turns and scales them there, and
copies them into ordinary memory once, as BGRx.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from fractions import Fraction

from ...errors import InputError, SourceError
from ..source import Wanted
from .gst import FIRST_S, GStreamer, find_launcher

_SPEC = re.compile(r"csi(?::(\d+))?(?::(\d+)x(\d+))?(?:@(\d+(?:\.\d+)?))?(?:#(90|180|270|mirror))?")
_FORM = "csi[:SENSOR][:WIDTHxHEIGHT][@FPS][#90|#180|#270|#mirror]"
# nvvidconv's flip-method by degrees clockwise: it counts quarters the other way.
_FLIPS = {"": 0, "90": 3, "180": 2, "270": 1, "mirror": 4}
_ELEMENTS = ("nvarguscamerasrc", "nvvidconv")
_ASK_S = 20.0  # the first question of all reads every plugin


def accepts(spec: str) -> bool:
    """`csi`, and all that begins so and is no path."""
    return re.split("[:@#]", spec, maxsplit=1)[0] == "csi"


def open_frames(spec: str, wanted: Wanted) -> GStreamer:
    """Opens `csi[:SENSOR][:WIDTHxHEIGHT][@FPS][#FLIP]`.

    The size is that of the sensor's mode, before it is turned: `v4l2-ctl --list-formats-ext` lists them. What a spec
    leaves out is as `wanted`, else 1280x720 at 30 frames per second. FLIP turns clockwise, or mirrors left and right.

    Raises InputError for a spec that cannot be read, SourceError where GStreamer or NVIDIA's elements are not here,
    or the camera gives no picture.
    """
    pipeline = write_pipeline(spec, wanted)
    _check_elements()
    return GStreamer(pipeline, fps=wanted.fps, answer_s=wanted.answer_s or FIRST_S, name=spec)


def write_pipeline(spec: str, wanted: Wanted) -> str:
    """The pipeline up to ordinary memory, as gst-launch-1.0 takes it; raises InputError for a spec of another form."""
    parts = _SPEC.fullmatch(spec)
    if not parts:
        raise InputError(f"source {spec!r} cannot be read", f"expected {_FORM}")
    if wanted.loop:
        raise InputError("a loop was asked of a camera", "files and folders end, and can begin again")
    sensor, across, down, rate, flip = parts.groups()
    height, width = (int(down), int(across)) if down else wanted.size_hw or (720, 1280)
    fps = float(rate) if rate else wanted.fps or 30.0
    if not 1.0 <= fps <= 1000.0 or min(height, width) < 16 or max(height, width) > 16384:
        raise InputError(
            f"{width}x{height} at {fps:g} frames per second was asked of a CSI camera",
            "sides from 16 to 16384 pixels and 1 to 1000 frames per second",
        )
    exact = Fraction(fps).limit_denominator(1001)
    mode = f"width={width},height={height},format=NV12,framerate={exact.numerator}/{exact.denominator}"
    if flip in ("90", "270"):
        height, width = width, height
    return (
        f"nvarguscamerasrc sensor-id={sensor or 0} ! video/x-raw(memory:NVMM),{mode} ! "
        f"nvvidconv flip-method={_FLIPS[flip or '']} ! video/x-raw,format=BGRx,width={width},height={height}"
    )


def _check_elements() -> None:
    """Raises SourceError unless this GStreamer has NVIDIA's elements."""
    find_launcher("csi")
    inspect = shutil.which("gst-inspect-1.0")  # of the same package
    if inspect is None:
        return
    for element in _ELEMENTS:
        try:
            asked = subprocess.run([inspect, "--exists", element], capture_output=True, timeout=_ASK_S, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return  # the pipeline itself will tell
        if asked.returncode:
            raise SourceError(
                f"this GStreamer has no element {element}",
                "csi is for a Jetson, whose JetPack brings NVIDIA's elements",
                "on a Jetson: sudo apt install nvidia-l4t-gstreamer; elsewhere take 0 or /dev/video0",
            )
