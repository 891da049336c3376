"""GStreamer pipelines, through a `gst-launch-1.0` process: pip's OpenCV is built without GStreamer."""

from __future__ import annotations

import os
import re
import select
import shlex
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from threading import Event, Thread

import numpy as np

from ...errors import InputError, SourceError
from ...model.image import Image
from ...redaction import redact, redact_text
from ..source import Frame, Source, Wanted, frame_of

_PREFIX = "gst:"
FIRST_S, _NEXT_S = 15.0, 5.0  # how long the first picture may take, and each after it
_PIPE_BYTES = 1 << 20  # asked for, of Linux: a 720p picture then takes 3 turns instead of 43
# What comes to an end: files by their element or address, and a number of pictures that was asked for.
_ENDS = re.compile(
    r"(?:\w*filesrc|imagesequencesrc|splitmuxsrc)|(?:uri|location)=file:.*|num-buffers=\d+", re.IGNORECASE
)
_END_S = 2.0  # for the process to end when told so
_CAPS = re.compile(r"edgegan-frames.*caps = video/x-raw.*")


def accepts(spec: str) -> bool:
    """`gst:` and a pipeline."""
    return spec.startswith(_PREFIX)


def open_frames(spec: str, wanted: Wanted) -> GStreamer:
    """Starts the pipeline and reads its first picture."""
    if wanted.size_hw is not None or wanted.loop:
        raise InputError(
            "a size or a loop was asked of a GStreamer pipeline",
            "the pipeline itself says that",
            "as in: gst:v4l2src ! video/x-raw,width=1280,height=720",
        )
    return GStreamer(spec.removeprefix(_PREFIX), fps=wanted.fps, answer_s=wanted.answer_s or FIRST_S)


def find_launcher(who: str) -> str:
    """The path of gst-launch-1.0; raises SourceError, which says that `who` needs it, where it is not installed."""
    program = shutil.which("gst-launch-1.0")
    if program is None:
        raise SourceError(
            f"{who} needs the program gst-launch-1.0, which is not installed",
            todo="Debian, Ubuntu, Jetson: sudo apt install gstreamer1.0-tools gstreamer1.0-plugins-base "
            "gstreamer1.0-plugins-good",
        )
    return program


class GStreamer(Source):
    """What a pipeline, as gst-launch-1.0 takes it, gives; its last element must have a video/x-raw source pad.

    `name` is what the source is called, None for the pipeline's first word.
    Live, so that the newest frame wins, unless it reads a file (`filesrc`, `uri=file:...`) or a number of pictures was
    asked for (`num-buffers`): then it gives every frame, and ends. The process ends with this object; should
    this program be killed, its pipe breaks and it ends too.

    Raises SourceError when GStreamer is not installed, refuses the pipeline or gives no picture.
    """

    length = None
    _took_s = 0.0

    def __init__(
        self, pipeline: str, *, fps: float | None = None, answer_s: float = FIRST_S, name: str | None = None
    ) -> None:
        program = find_launcher("gst:")
        try:
            words = shlex.split(pipeline)
        except ValueError as error:
            raise InputError(f"the pipeline {redact(pipeline)!r} cannot be read: {error}") from None
        self.name = name or "gst:" + (redact(words[0]) if words else "")
        self.live = self.revivable = not any(_ENDS.fullmatch(word) for word in words)
        self._said: deque[str] = deque(maxlen=20)
        self._caps = ""
        self._caps_came = Event()
        self._pipe, theirs = os.pipe()
        with suppress(ImportError, AttributeError, OSError):  # not on Linux, or more than a user may have
            import fcntl

            fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        # Frames go through a pipe of their own: with -v, the size is told on stdout.
        tail = f"! videoconvert ! capsfilter name=edgegan-frames caps=video/x-raw,format=BGR ! fdsink fd={theirs}"
        try:
            self._process = subprocess.Popen(
                [program, "-v", *words, *tail.split()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(theirs,),
                text=True,
                errors="replace",
                start_new_session=True,  # Ctrl-C is ours to hear: the pipeline ends when the run does
            )
        except OSError as error:
            os.close(self._pipe)
            raise SourceError(f"{program} cannot be started: {error.strerror}") from None
        finally:
            os.close(theirs)
        self._open = True
        self._listener = Thread(target=self._listen, name="edgegan-gst", daemon=True)
        self._listener.start()
        try:
            self._begin(fps, answer_s)
        except BaseException:
            self.close()
            raise

    def _begin(self, fps: float | None, answer_s: float) -> None:
        """Waits for the first bytes, then for the words that tell their shape."""
        if not select.select([self._pipe], [], [], answer_s)[0]:
            raise SourceError(f"{self.name} gives no picture within {answer_s:.3g} s", self._last_words())
        self._caps_came.wait(_END_S)  # nothing will come when the process ended at once
        size = [re.search(rf"{side}=\(int\)(\d+)", self._caps) for side in ("height", "width")]
        if not size[0] or not size[1]:
            self._listener.join(_END_S)
            raise SourceError(
                f"{self.name} gives no video", self._last_words(), "try the pipeline with gst-launch-1.0 first"
            )
        self.size_hw = (int(size[0][1]), int(size[1][1]))
        rate = re.search(r"framerate=\(fraction\)(\d+/[1-9]\d*)", self._caps)
        self.fps = fps or (float(Fraction(rate[1])) if rate else None) or None
        self._first = self._read(_NEXT_S)
        if self._first is None:
            raise SourceError(f"{self.name} ended before its first picture", self._last_words())
        at = f" at {self.fps:.4g} fps" if self.fps else ""
        self.about = f"{self.name}: {self.size_hw[1]}x{self.size_hw[0]}{at}, through gst-launch-1.0"

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while True:
            picture, self._first = self._first if self._first is not None else self._read(_NEXT_S), None
            if picture is None:
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(_END_S)
                if self.live or self._process.returncode:
                    raise SourceError(f"{self.name} ended after {index} frames", self._last_words())
                return
            yield frame_of(picture, index, self.name, decode_s=self._took_s)
            index += 1

    def _read(self, patience_s: float) -> Image | None:
        """One picture, or None at the end. GStreamer pads each row to a multiple of four bytes.

        `_took_s` is then how long it took from its first bytes to its last.
        """
        height, width = self.size_hw
        rows = np.empty((height, (3 * width + 3) // 4 * 4), np.uint8)
        rest = rows.data.cast("B")
        deadline, began = time.monotonic() + patience_s, 0.0
        while rest:
            ready, _, _ = select.select([self._pipe], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise SourceError(f"{self.name} gave no picture for {patience_s:g} s", self._last_words())
            began = began or time.perf_counter()
            count = os.readv(self._pipe, [rest])
            if not count:
                return None
            rest = rest[count:]
        picture = np.ascontiguousarray(rows[:, : 3 * width]).reshape(height, width, 3)
        self._took_s = time.perf_counter() - began
        return picture

    def _listen(self) -> None:
        """Keeps the last lines and the first caps that the process tells."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.append(line.strip())
            if not self._caps and (found := _CAPS.search(line)):
                self._caps = found[0]
                self._caps_came.set()
        self._caps_came.set()

    def _last_words(self) -> str:
        self._listener.join(0.2)
        complaints = [line for line in tuple(self._said) if line.startswith(("ERROR", "WARNING"))]
        return f"GStreamer says: {redact_text(complaints[0])}" if complaints else ""

    def close(self) -> None:
        """Ends the process."""
        if not self._open:
            return
        self._open = False
        self._process.terminate()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._pipe)
        self._listener.join(_END_S)
        assert self._process.stdout is not None
        self._process.stdout.close()
