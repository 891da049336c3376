"""Video files and network streams, decoded by PyAV; files also by OpenCV where PyAV is not installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import MissingExtraError, SourceError, SourceRefusedError
from ..image import Image
from ..opencv import pyav, quiet
from ..sound import Sound
from . import Frame, Source, frame_of, refuse_size

_ANSWER_S = 10.0  # for a stream to answer
_SILENCE_S = 2.0  # between two packets of a stream: then it counts as gone
_SEGMENT_S = 30.0  # the same where packets come in segments of many seconds
_SEGMENTED = (".m3u8", ".mpd")
_OPTIONS = {"rtsp_transport": "tcp", "analyzeduration": "1000000"}  # a second of looking before the first picture


def accepts(spec: str) -> bool:
    """A URL, or any file that is there (after pictures had their turn)."""
    return "://" in spec or Path(spec).is_file()


def open_frames(spec: str, *, fps: float | None, size_hw: tuple[int, int] | None, loop: bool) -> Source:
    """Opens a file or a URL and decodes its first picture."""
    refuse_size(_without_password(spec), size_hw)
    try:
        pyav()
    except MissingExtraError:
        if "://" in spec:
            raise
        return CvVideo(spec, fps=fps, loop=loop)
    return AvVideo(spec, fps=fps, loop=loop)


class AvVideo(Source):
    """A video through FFmpeg's libraries. A URL without a known duration is live, and decoded without delay."""

    _origin_s: float | None = None  # the time that the file gives its first picture

    def __init__(self, spec: str, *, fps: float | None = None, loop: bool = False) -> None:
        av = pyav()
        url = "://" in spec
        self.name = _without_password(spec) if url else Path(spec).name
        try:
            if url:
                silence_s = _SEGMENT_S if spec.partition("?")[0].endswith(_SEGMENTED) else _SILENCE_S
                self._container = av.open(spec, options=_OPTIONS, timeout=(_ANSWER_S, silence_s))
            else:
                self._container = av.open(spec)
        except (av.HTTPUnauthorizedError, av.HTTPForbiddenError) as error:
            raise SourceRefusedError(
                f"{self.name} refuses: {error.strerror}", todo="put the name and password into it: ://NAME:PASSWORD@"
            ) from None
        except (av.FFmpegError, OSError, ValueError) as error:
            raise _not_a_video(self.name, url, getattr(error, "strerror", None) or str(error)) from None
        if not self._container.streams.video:
            self.close()
            raise _not_a_video(self.name, url, "it holds no pictures")
        stream = self._container.streams.video[0]
        duration_s = self._container.duration / av.time_base if self._container.duration else None
        self.live = self.revivable = url and duration_s is None
        stream.thread_type = "SLICE" if self.live else "AUTO"  # threads by frame hold back as many frames
        self.fps = fps or (float(stream.average_rate) if stream.average_rate else None)
        self._loop = loop and not self.live
        frames = stream.frames or (round(duration_s * float(stream.average_rate or 0)) if duration_s else 0)
        self.length = None if self.live or loop else frames or None
        # The first picture proves that this is a video, and only it knows whether the picture is turned.
        self._moments = not (fps or loop or self.live)
        self._decoded = self._decode()
        self._first: tuple[Image, float | None] | None = None
        try:
            self._first = next(self._decoded, None)
        except SourceError as error:
            self.close()
            raise _not_a_video(self.name, url, error.seen) from None
        if self._first is None:
            self.close()
            raise _not_a_video(self.name, url, "it holds no pictures")
        height, width = self._first[0].shape[:2]
        self.size_hw = (height, width)
        self.about = _about(self)
        if self._moments and not url and self._origin_s is not None:
            self.sound = Sound(Path(spec), self._origin_s)

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while True:
            following, self._first = self._first, None
            if following is None:
                following = next(self._decoded, None)
                if following is None and self._loop:
                    self._container.seek(0)
                    self._decoded = self._decode()
                    following = next(self._decoded, None)
                if following is None:
                    if self.live:
                        raise SourceError(f"{self.name}: the stream ended after {index} frames")
                    return
            yield frame_of(following[0], index, self.name, moment_s=following[1])
            index += 1

    def _decode(self) -> Iterator[tuple[Image, float | None]]:
        """Pictures and their moments."""
        av = pyav()
        index = 0
        packets = self._container.demux(video=0)
        while True:
            try:
                packet = next(packets, None)  # the last packet is empty and flushes the decoder
                if packet is None:
                    return
                for frame in packet.decode():
                    yield _upright(frame), self._moment_s(frame.time)
                    index += 1
            except av.InvalidDataError as error:
                if not self.live:  # a stream recovers at its next key frame; a file does not heal
                    raise SourceError(f"{self.name} is broken after {index} frames: {error.strerror}") from None
            except (av.FFmpegError, OSError) as error:
                raise SourceError(f"{self.name} stopped after {index} frames: {error.strerror}") from None

    def _moment_s(self, time_s: float | None) -> float | None:
        """From the first picture on; None where a rate that was asked for, or a loop, has the say."""
        if not self._moments or time_s is None:
            return None
        if self._origin_s is None:
            self._origin_s = time_s
        return time_s - self._origin_s

    def close(self) -> None:
        """Closes the file or the connection."""
        self._container.close()


class CvVideo(Source):
    """A video file through OpenCV: fewer formats, and a broken file looks like a short one."""

    live = False

    def __init__(self, spec: str, *, fps: float | None = None, loop: bool = False) -> None:
        import cv2

        self.name = Path(spec).name
        with quiet():
            self._capture = cv2.VideoCapture(spec)
            got, picture = self._capture.read()
        if not got:
            self.close()
            raise _not_a_video(self.name, False, "OpenCV cannot read it")
        self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
        self.size_hw = (int(picture.shape[0]), int(picture.shape[1]))
        self.fps = fps or self._capture.get(cv2.CAP_PROP_FPS) or None
        frames = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self._loop = loop
        self.length = frames if frames > 0 and not loop else None
        self.about = f"{self.name}: {self.size_hw[1]}x{self.size_hw[0]}" + (
            f" at {self.fps:.4g} fps" if self.fps else ""
        )

    def __iter__(self) -> Iterator[Frame]:
        import cv2

        index = 0
        while True:
            got, picture = self._capture.read()
            if not got and self._loop:
                self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
                got, picture = self._capture.read()
            if not got:
                return
            yield frame_of(picture, index, self.name)
            index += 1

    def close(self) -> None:
        """Closes the file."""
        self._capture.release()


def _upright(frame: Any) -> Image:
    """Phones record lying down and write the turn beside the picture."""
    picture: Image = frame.to_ndarray(format="bgr24")
    quarters = round((getattr(frame, "rotation", 0) or 0) / 90) % 4  # counter-clockwise
    return np.ascontiguousarray(np.rot90(picture, quarters)) if quarters else picture


def _about(source: Source) -> str:
    rate = f" at {source.fps:.4g} fps" if source.fps else ""
    return f"{source.name}: {source.size_hw[1]}x{source.size_hw[0]}{rate}"


def _without_password(spec: str) -> str:
    return re.sub(r"(://)[^/@]*@", r"\1***@", spec)


def _not_a_video(name: str, url: bool, why: str) -> SourceError:
    if url:
        return SourceError(f"{name} gives no video: {why}", todo="check the address and that the server runs")
    return SourceError(f"{name} is not a video that can be read: {why}", "expected a whole video file or a picture")
