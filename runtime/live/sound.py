"""The sound of a recording, copied beside its edited pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..opencv import pyav
from .continuity import Continuity, is_whole, may_leap

_BEFORE_S = 2.0  # a file may lead to a later place than it was asked for


@dataclass(frozen=True, slots=True)
class Sound:
    """The first sound track of the file at `path`; its second 0 is `origin_s` of the file's own time."""

    path: Path
    origin_s: float

    def open(self) -> SoundTrack | None:
        """The track, to be closed by the caller; None where the file has no sound. Needs the `video` extra."""
        container = pyav().open(str(self.path))
        if container.streams.audio:
            return SoundTrack(container, self.origin_s)
        container.close()
        return None


class SoundTrack:
    """Packets of one sound track, in order, each given once and unchanged but for the headers of a broadcast's AAC."""

    def __init__(self, container: Any, origin_s: float) -> None:
        self._container = container
        self._stream = container.streams.audio[0]
        self.codec: str = self._stream.codec_context.codec.canonical_name
        self._origin = round(origin_s / self._stream.time_base)  # in its ticks, which stay whole numbers
        self._skip_to(origin_s - _BEFORE_S)
        self._packets = self._read()
        self._next: Any = next(self._packets, None)

    def _skip_to(self, second: float) -> None:
        """Spares reading what lies before a second of the file, where that can be skipped: a time that may leap does
        not tell the place."""
        if not may_leap(self._container) and second > (self._stream.start_time or 0) * self._stream.time_base:
            with suppress(pyav().FFmpegError, OSError):
                self._container.seek(round(second / self._stream.time_base), stream=self._stream)

    def add_to(self, output: Any) -> Any:
        """The stream of the container `output` that is to take the packets."""
        stream = output.add_stream_from_template(self._stream)
        if self._next is not None and self._next.has_sidedata("new_extradata"):
            stream.codec_context.extradata = bytes(self._next.get_sidedata("new_extradata"))
        return stream

    def until(self, moment_s: float, delay_s: float = 0.0) -> Iterator[Any]:
        """The packets that begin before `moment_s` and were not given yet, with times from second 0 on.

        Each comes `delay_s` seconds later than in the file.
        """
        while self._next is not None and self._next.pts * self._next.time_base + delay_s < moment_s:
            packet, self._next = self._next, next(self._packets, None)
            delay = round(delay_s / packet.time_base)
            packet.pts, packet.dts = packet.pts + delay, packet.dts + delay
            yield packet

    def _read(self) -> Iterator[Any]:
        av = pyav()
        strip, continuity, last = None, Continuity(self._container), -1
        if self.codec == "aac" and not self._stream.codec_context.extradata:  # as broadcast: a header in each packet
            strip = av.bitstream.BitStreamFilterContext("aac_adtstoasc", self._stream)
        with suppress(av.FFmpegError, OSError):  # the file is broken here: its pictures tell
            beside = () if is_whole(self._container) else self._container.streams.video[:1]
            for packet in self._container.demux(*beside, self._stream):
                continuity.carry(packet)
                if packet.stream.index != self._stream.index or packet.pts is None:  # the last ones are empty
                    continue
                packet.pts, packet.dts = packet.pts - self._origin, (packet.dts or packet.pts) - self._origin
                if packet.dts > last:  # else before the pictures, or already sounding where two parts overlap
                    last = packet.dts
                    yield from strip.filter(packet) if strip else (packet,)

    def close(self) -> None:
        """Closes the file."""
        self._container.close()
