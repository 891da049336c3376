"""Video files and network streams through FFmpeg's libraries, by PyAV."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...errors import SourceError, SourceRefusedError
from ...model.image import Image
from ...opencv import pyav
from ...redaction import legible, redact
from ..continuity import Continuity, is_whole
from ..frame_clock import Pace
from ..media.damage import Damage
from ..media.fields import Deinterlacer
from ..media.fitting import fit
from ..media.opening import is_segmented, no_video, open_film
from ..media.pictures import Picture, Pictures
from ..media.times import FrameTimes
from ..media.tracks import constant_rate, describe_left_out, sound_track
from ..sound import Sound
from ..source import AGAIN_S, Frame, Source, frame_of
from ._catch_up import CatchUp

ANSWER_S = 10.0  # for a stream to answer
_LOST_END = 12  # packets: if so many of the last cannot be decoded, its end is missing
_SAME_RATE = 1e-4  # of two rates that are one, so that ten minutes are off by 60 ms
_BREAKS = 3  # at one and the same frame: then opening it again does not help
_BACK_S = (0.0, 2.0, 10.0)  # how far before the place where it stood a recording is taken up again
_UNTIMED = 0x80  # AVFMT_NOTIMESTAMPS of libavformat: the times are counted up, not told


class _OvershotError(Exception):
    """The place that was sought lies behind the one that was wanted."""


class AvVideo(Source):
    """A video through FFmpeg's libraries. A URL without a known duration is live: decoded without delay, and not
    in full where it comes faster than that can be done, unless `every_frame` is wanted.

    What of a recording cannot be decoded is passed over and counted, and a picture of another size than the first is
    fitted into it: `troubles` tells both.
    """

    _origin_s: float | None = None  # the time that the file gives its first picture
    _last_s: float | None = None  # and the last that was given
    _breaks, _broke_after = 0, -1  # times, frames
    _late: CatchUp | None = None
    _continuity: Continuity | None = None
    _image_hw: tuple[int, int] | None = None  # of the first picture
    _cycle = _count = 0  # times that it began again, and frames given so far

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
        self._segmented, self._damage = is_segmented(spec), Damage()
        self.name = redact(spec) if url else legible(Path(spec).name)
        self._open(answer_s)
        stream = self._stream
        duration_s = self._container.duration / av.time_base if self._container.duration else None
        self.live = url and duration_s is None
        self.revivable = url
        stream.thread_type = "SLICE" if self.live else "AUTO"  # threads by frame hold back as many frames
        rate = float(stream.average_rate) if stream.average_rate else None
        retimed = fps is not None and (rate is None or abs(fps - rate) > _SAME_RATE * rate)
        self.fps = fps or rate
        self.constant_fps = fps or constant_rate(stream)
        self._loop = loop and not self.live
        frames = stream.frames or (round(duration_s * (rate or 0)) if duration_s else 0)
        self.length = None if self.live or loop else frames or None
        length_s = float(stream.duration * stream.time_base) if stream.duration else duration_s
        self._length_s = length_s if self._loop else None  # from one beginning to the next
        self._moments = not (retimed or self.live or (self._loop and self._length_s is None))
        # The first picture proves that this is a video, and only it knows whether the picture is turned.
        self._pictures = self._decode()
        self._first: Picture | None = None
        try:
            self._first = next(self._pictures, None)
        except SourceError as error:
            self.close()
            raise no_video(self.name, error.seen, url=url) from None
        if self._first is None:
            self.close()
            why = "none of its pictures can be decoded" if self._damage.packets else "it holds no pictures"
            raise no_video(self.name, why, url=url)
        self._origin_s = self._first.time_s
        self.size_hw = (self._first.image.shape[0], self._first.image.shape[1])
        at = f" at {self.fps:.4g} fps" if self.fps else ""
        self.about = f"{self.name}: {self.size_hw[1]}x{self.size_hw[0]}{at}"
        if self._moments and self._origin_s is not None:
            self.sound = Sound(spec, self._origin_s, self._length_s)
        self.notes = self._notes(retimed=retimed)

    def _notes(self, *, retimed: bool) -> tuple[str, ...]:
        """What of the file the pictures do not show as it is, or at all."""
        notes = [f"{self.name}: {note}" for note in (self._fields.note, *self._converter.notes) if note]
        if retimed and not self.live and sound_track(self._container) is not None:
            notes.append(f"{self.name} is played at another speed (--fps {self.fps:g}), and so without its sound")
        if missing := describe_left_out(self._container, sound=self.sound is not None):
            notes.append(f"{self.name} has more than is used; left out: {', '.join(missing)}")
        return tuple(notes)

    def troubles(self) -> tuple[str, ...]:
        """What could not be decoded, and what came in another size."""
        return self._damage.words(self.name, self.size_hw)

    def _open(self, answer_s: float) -> None:
        self._container, self._stream = open_film(self._spec, self.name, answer_s)
        self._converter, self._fields = Pictures(self._stream), Deinterlacer()

    def __iter__(self) -> Iterator[Frame]:
        pace = Pace()
        while (picture := self._next()) is not None:
            if self._late is None and self.live and picture.time_s is not None:  # seconds of it come at once
                time.sleep(pace.wait_s(picture.time_s))
            self._last_s = picture.time_s
            moment_s = None
            if self._moments and picture.time_s is not None and self._origin_s is not None:
                moment_s = picture.time_s - self._origin_s + self._cycle * (self._length_s or 0.0)
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
            self._cycle += 1
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
        heard = sound_track(self._container)
        sound = () if heard is None or not self._moments or is_whole(self._container) else (heard,)
        continuity = self._continuity = Continuity(self._container)
        for packet in self._container.demux(self._stream, *sound):
            continuity.carry(packet)
            if packet.stream.index == self._stream.index:  # the last, empty one has no other number
                yield packet

    def _decode(self, after_s: float = -math.inf) -> Iterator[Picture]:
        """Pictures, from the one after that time on; raises _OvershotError if they begin too late to tell which."""
        av, overshot, fields, packets = pyav(), after_s > -math.inf, self._fields, iter(self._packets())
        times = FrameTimes(self._container, self._stream, self._damage)
        decode = (lambda packet: packet.decode()) if self.live else times.decode
        packet: Any = ...
        while packet is not None:
            try:
                packet = next(packets, None)  # the last packet is empty and flushes the decoder
                began = time.perf_counter()
                for frame in fields.flush() if packet is None else fields.feed(decode(packet)):
                    if frame.time is not None and frame.time <= after_s:
                        overshot = False
                        continue
                    if overshot:
                        raise _OvershotError
                    image = self._whole(frame)
                    taken = self._late.arrival_s(frame.time) if self._late else None
                    lasts_s = float((frame.duration or 0) * frame.time_base) if frame.time_base else 0.0
                    yield Picture(image, frame.time, taken, lasts_s, time.perf_counter() - began)
                    began = time.perf_counter()
            except av.InvalidDataError as error:
                if not self.live:  # a stream recovers at its next key frame
                    raise self._note_break("is broken", str(error.strerror)) from None
            except (av.FFmpegError, OSError) as error:
                raise self._note_break("stopped", str(error.strerror)) from None
        self._check_end()

    def _check_end(self) -> None:
        """Raises SourceError where what lies at the end could not be decoded: it is cut off, not just damaged."""
        if self._damage.failing >= _LOST_END:
            raise self._note_break("is broken", f"its last {self._damage.failing} packets cannot be decoded")

    def _whole(self, frame: Any) -> Image:
        """The picture of a decoded frame, in the size of the first."""
        image = self._converter.picture(frame)
        if self._image_hw is None:
            self._image_hw = (image.shape[0], image.shape[1])
        if image.shape[:2] != self._image_hw:
            self._damage.resized += 1
        return fit(image, self._image_hw)

    def _note_break(self, how: str, why: str) -> SourceError:
        self._breaks = self._breaks + 1 if self._broke_after == self._count else 1
        self._broke_after, self._damage.failing = self._count, 0
        kind = SourceError if self._breaks < _BREAKS else SourceRefusedError
        return kind(f"{self.name} {how} after {self._count} frames: {why}")

    def close(self) -> None:
        """Closes the file or the connection."""
        self._container.close()
