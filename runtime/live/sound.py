"""The sound of a recording, packet by packet, for its edited pictures."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ..errors import reason
from ..opencv import pyav
from .continuity import Continuity, is_whole, may_leap
from .media.tracks import film_track, sound_track

_BEFORE_S = 2.0  # a file may lead to a later place than it was asked for
_ANSWER_S = 10.0  # for a server to answer, or to go on


@dataclass(frozen=True, slots=True)
class Sound:
    """The sound track of the film at `spec`, a path or an address.

    The film's second 0 is `origin_s` of the file's own time. One that is looped begins again every `period_s`
    seconds. The sound is wanted from the film's second `begin_s` on.
    """

    spec: str
    origin_s: float
    period_s: float | None = None
    begin_s: float = 0.0

    def open(self) -> SoundTrack | None:
        """The track, to be closed by the caller; None where there is none. Needs the `video` extra.

        Raises OSError where the file or its server is gone.
        """
        container = pyav().open(self.spec, timeout=_ANSWER_S if "://" in self.spec else None)
        stream = sound_track(container)
        if stream is None:
            container.close()
            return None
        return SoundTrack(container, stream, self)


class SoundTrack:
    """Packets of one sound track, in order, each given once and unchanged but for the headers of a broadcast's AAC.

    `broken` says why they ended early, "" where they did not.
    """

    def __init__(self, container: Any, stream: Any, sound: Sound) -> None:
        self._container, self.stream, self._sound = container, stream, sound
        self._header = b""  # that comes with the packets and not with the stream, as after the headers of a broadcast
        self.codec: str = stream.codec_context.codec.canonical_name
        self.broken = ""
        if not sound.period_s:
            self._skip_to(sound.origin_s + sound.begin_s - _BEFORE_S)
        self._packets = self._read()
        self._ahead: deque[Any] = deque()

    def _skip_to(self, second: float) -> None:
        """Spares reading what lies before a second of the file, where that can be skipped: a time that may leap does
        not tell the place."""
        if not may_leap(self._container) and second > (self.stream.start_time or 0) * self.stream.time_base:
            with suppress(pyav().FFmpegError, OSError):
                self._container.seek(round(second / self.stream.time_base), stream=self.stream)

    def first(self, count: int) -> list[Any]:
        """The first packets, at most so many, which `until` still gives; to be looked at before that."""
        while len(self._ahead) < count and (packet := next(self._packets, None)) is not None:
            self._ahead.append(packet)
        return list(self._ahead)[:count]

    def add_to(self, output: Any) -> Any:
        """The stream of the container `output` that is to take the packets. Raises ValueError where it takes none."""
        stream = output.add_stream_from_template(self.stream)
        if self.first(1) and self._header:
            stream.codec_context.extradata = self._header
        return stream

    def until(self, moment_s: float, delay_s: float = 0.0) -> Iterator[Any]:
        """The packets that begin before `moment_s` and were not given yet, with times from second 0 on.

        Each comes `delay_s` seconds later than in the film.
        """
        while self.first(1) and self._ahead[0].pts * self._ahead[0].time_base + delay_s < moment_s:
            packet = self._ahead.popleft()
            delay = _ticks(delay_s, packet.time_base)
            packet.pts, packet.dts = packet.pts + delay, packet.dts + delay
            yield packet

    def _read(self) -> Iterator[Any]:
        av = pyav()
        strip = None
        if self.codec == "aac" and not self.stream.codec_context.extradata:  # as broadcast: a header in each packet
            strip = av.bitstream.BitStreamFilterContext("aac_adtstoasc", self.stream)
        try:
            for packet in self._film():
                for part in strip.filter(packet) if strip else (packet,):
                    yield self._without_header(part)
        except (av.FFmpegError, OSError) as error:
            self.broken = reason(error)

    def _without_header(self, packet: Any) -> Any:
        """The packet, its header apart: from one that comes late, Matroska's muxer makes every track a second time."""
        if not packet.has_sidedata("new_extradata"):
            return packet
        self._header = self._header or bytes(packet.get_sidedata("new_extradata"))
        return bare(packet)

    def _film(self) -> Iterator[Any]:
        """The packets of the film, of each of its turns where it is looped."""
        period_s, tick, last = self._sound.period_s, self.stream.time_base, 0
        turn = int(self._sound.begin_s // period_s) if period_s else 0
        origin, end = _ticks(self._sound.origin_s, tick), _ticks(period_s, tick) if period_s else None
        while True:
            shift = _ticks(turn * (period_s or 0.0) - self._sound.begin_s, tick) - origin
            some = False
            for packet in self._carry():
                inside = packet.pts >= origin and (end is None or packet.pts - origin < end)
                packet.pts, packet.dts = packet.pts + shift, (packet.dts or packet.pts) + shift
                if inside and packet.dts >= last:  # else before the pictures, or already sounding where parts overlap
                    some, last = True, packet.dts
                    yield packet
            if end is None or not (some or turn == 0):
                return
            turn += 1
            self._container.seek(0)

    def _carry(self) -> Iterator[Any]:
        """Its packets, with times that go on. Those of the pictures are read too, as their source reads these."""
        continuity, pictures = Continuity(self._container), film_track(self._container)
        beside = () if pictures is None or is_whole(self._container) else (pictures,)
        for packet in self._container.demux(*beside, self.stream):
            continuity.carry(packet)
            if packet.stream.index == self.stream.index and packet.pts is not None:  # the last ones are empty
                yield packet

    def close(self) -> None:
        """Closes the file."""
        self._container.close()


def bare(packet: Any) -> Any:
    """The packet once more, without what lies beside its bytes: muxing one changes its times."""
    copy = pyav().Packet(bytes(packet))
    copy.pts, copy.dts, copy.time_base, copy.duration = packet.pts, packet.dts, packet.time_base, packet.duration
    return copy


def _ticks(seconds: float, tick: Fraction) -> int:
    """Times stay whole numbers."""
    return round(seconds / tick)
