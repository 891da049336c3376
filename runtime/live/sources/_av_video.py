"""Video files and network streams through FFmpeg's libraries, by PyAV."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...errors import SourceError, SourceRefusedError
from ...opencv import pyav
from ..continuity import Continuity, is_whole
from ..pace import Pace
from ..sound import Sound
from ..source import AGAIN_S, Frame, Source, frame_of
from ._av_picture import Picture, constant_rate, mask_password, upright
from ._catch_up import CatchUp

ANSWER_S = 10.0  # for a stream to answer
_SILENCE_S = 2.0  # between two packets of a stream: then it counts as gone
_SEGMENT_S = 30.0  # the same where packets come in segments of many seconds
_SEGMENTED = (".m3u8", ".mpd")
_BREAKS = 3  # at one and the same frame: then opening it again does not help
_BACK_S = (0.0, 2.0, 10.0)  # how far before the place where it stood a recording is taken up again
_UNTIMED = 0x80  # AVFMT_NOTIMESTAMPS of libavformat: the times are counted up, not told
_OPTIONS = {"rtsp_transport": "tcp", "analyzeduration": "1000000"}  # a second of looking before the first picture


class _OvershotError(Exception):
    """The place that was sought lies behind the one that was wanted."""


class AvVideo(Source):
    """A video through FFmpeg's libraries. A URL without a known duration is live: decoded without delay, and not
    in full where it comes faster than that can be done, unless `every_frame` is wanted."""

    _origin_s: float | None = None  # the time that the file gives its first picture
    _last_s: float | None = None  # and the last that was given
    _breaks, _broke_after = 0, -1  # times, frames
    _late: CatchUp | None = None
    _continuity: Continuity | None = None

    def __init__(
        self,
        spec: str,
        *,
        fps: float | None = None,
        loop: bool = False,
        every_frame: bool = False,
        answer_s: float = ANSWER_S,
    ) -> None:
        av = pyav()
        self._spec, self._every_frame = spec, every_frame
        self._url = url = "://" in spec
        self._segmented = url and spec.partition("?")[0].endswith(_SEGMENTED)
        self.name = mask_password(spec) if url else Path(spec).name
        self._open(answer_s)
        stream = self._stream
        duration_s = self._container.duration / av.time_base if self._container.duration else None
        self.live = url and duration_s is None
        self.revivable = url
        stream.thread_type = "SLICE" if self.live else "AUTO"  # threads by frame hold back as many frames
        self.fps = fps or (float(stream.average_rate) if stream.average_rate else None)
        self.constant_fps = fps or constant_rate(stream)
        self._loop = loop and not self.live
        frames = stream.frames or (round(duration_s * float(stream.average_rate or 0)) if duration_s else 0)
        self.length = None if self.live or loop else frames or None
        self._count = 0  # frames given so far
        self._moments = not (fps or loop or self.live)
        # The first picture proves that this is a video, and only it knows whether the picture is turned.
        self._pictures = self._decode()
        self._first: Picture | None = None
        try:
            self._first = next(self._pictures, None)
        except SourceError as error:
            self.close()
            raise self._no_video(error.seen) from None
        if self._first is None:
            self.close()
            raise self._no_video("it holds no pictures")
        self._origin_s = self._first.time_s
        self.size_hw = (self._first.image.shape[0], self._first.image.shape[1])
        rate = f" at {self.fps:.4g} fps" if self.fps else ""
        self.about = f"{self.name}: {self.size_hw[1]}x{self.size_hw[0]}{rate}"
        if self._moments and not url and self._origin_s is not None:
            self.sound = Sound(Path(spec), self._origin_s)

    def _open(self, answer_s: float) -> None:
        av = pyav()
        try:
            if self._url:
                silence_s = _SEGMENT_S if self._segmented else _SILENCE_S
                self._container = av.open(self._spec, options=_OPTIONS, timeout=(answer_s, silence_s))
            else:
                self._container = av.open(self._spec)
        except (av.HTTPUnauthorizedError, av.HTTPForbiddenError) as error:
            raise SourceRefusedError(
                f"{self.name} refuses: {error.strerror}", todo="put the name and password into it: ://NAME:PASSWORD@"
            ) from None
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._no_video(getattr(error, "strerror", None) or str(error)) from None
        if not self._container.streams.video:
            self.close()
            raise self._no_video("it holds no pictures")
        self._stream = self._container.streams.video[0]

    def __iter__(self) -> Iterator[Frame]:
        pace = Pace()
        while (picture := self._next()) is not None:
            if self._late is None and self.live and picture.time_s is not None:  # seconds of it come at once
                time.sleep(pace.wait_s(picture.time_s))
            self._last_s = picture.time_s
            moment_s = None
            if self._moments and picture.time_s is not None and self._origin_s is not None:
                moment_s = picture.time_s - self._origin_s
            index, self._count = self._count, self._count + 1
            yield frame_of(
                picture.image,
                index,
                self.name,
                taken=picture.taken,
                moment_s=moment_s,
                lasts_s=picture.lasts_s,
                decode_s=picture.decode_s,
                skipped=self._late.take_skipped() if self._late else 0,
            )

    def _next(self) -> Picture | None:
        """The next picture, None at the end."""
        picture, self._first = self._first, None
        if picture is None:
            picture = next(self._pictures, None)
        if picture is None and self.live:
            raise SourceError(f"{self.name}: the stream ended after {self._count} frames")
        if picture is None and self._loop:
            self._container.seek(0)
            self._pictures = self._decode()
            picture = next(self._pictures, None)
        return picture

    def resume(self) -> None:
        """Opens a recording behind a URL again, behind the frame that was given last."""
        last_s, av = self._last_s, pyav()
        if last_s is None:
            raise SourceRefusedError(f"{self.name} broke, and cannot go on: its pictures tell no times")
        # Formats without an index lead to some place nearby, from where the next key frame may lie too far on.
        leapt = self._continuity is not None and self._continuity.jumps  # then a time does not tell the place
        for back_s in (None,) if leapt else (*_BACK_S, None):
            self.close()
            self._open(AGAIN_S)
            self._stream.thread_type = "AUTO"
            try:
                if back_s is not None:
                    self._container.seek(int((last_s - back_s) / self._stream.time_base), stream=self._stream)
                self._pictures = self._decode(last_s)
                self._first = next(self._pictures, None)
            except _OvershotError:
                continue
            except (av.FFmpegError, OSError):  # it has no places to seek to: read it from the beginning
                continue
            return
        raise SourceRefusedError(f"{self.name} broke, and cannot go on: where it stood is not found again")

    def _packets(self) -> Iterable[Any]:
        if not self.live or self._segmented:
            return self._carry()
        packets: Iterator[Any] = self._container.demux(self._stream)
        timed = not self._container.format.flags & _UNTIMED
        self._late = CatchUp(packets, self._stream, timed=timed, skip=not self._every_frame)
        return self._late

    def _carry(self) -> Iterator[Any]:
        """The packets of the pictures, with times that go on. Those of the sound are read too where it is copied:
        `SoundTrack` reads the same ones, so that both go on alike."""
        apart = self._url or not self._moments or is_whole(self._container)
        sound = () if apart else self._container.streams.audio[:1]
        self._continuity = Continuity(self._container)
        for packet in self._container.demux(self._stream, *sound):
            self._continuity.carry(packet)
            if packet.stream.index == self._stream.index:  # the empty last ones know their stream alone
                yield packet

    def _decode(self, after_s: float = -math.inf) -> Iterator[Picture]:
        """Pictures, from the one after that time on; raises _OvershotError if they begin too late to tell which."""
        av, overshot = pyav(), after_s > -math.inf
        packets, scaler = iter(self._packets()), av.video.reformatter.VideoReformatter()
        while True:
            try:
                packet = next(packets, None)  # the last packet is empty and flushes the decoder
                if packet is None:
                    return
                began = time.perf_counter()
                for frame in packet.decode():
                    if frame.time is not None and frame.time <= after_s:
                        overshot = False
                        continue
                    if overshot:
                        raise _OvershotError
                    image = upright(frame, scaler)
                    taken = self._late.arrival_s(frame.time) if self._late else None
                    lasts_s = float((frame.duration or 0) * frame.time_base) if frame.time_base else 0.0
                    yield Picture(image, frame.time, taken, lasts_s, time.perf_counter() - began)
                    began = time.perf_counter()
            except av.InvalidDataError as error:
                if not self.live:  # a stream recovers at its next key frame; a file does not heal
                    raise self._broken("is broken", error) from None
            except (av.FFmpegError, OSError) as error:
                raise self._broken("stopped", error) from None

    def _broken(self, how: str, error: OSError) -> SourceError:
        self._breaks = self._breaks + 1 if self._broke_after == self._count else 1
        self._broke_after = self._count
        kind = SourceError if self._breaks < _BREAKS else SourceRefusedError
        return kind(f"{self.name} {how} after {self._count} frames: {error.strerror}")

    def _no_video(self, why: str) -> SourceError:
        if self._url:
            return SourceError(f"{self.name} gives no video: {why}", todo="check the address and that the server runs")
        return SourceError(
            f"{self.name} is not a video that can be read: {why}", "expected a whole video file or a picture"
        )

    def close(self) -> None:
        """Closes the file or the connection."""
        self._container.close()
