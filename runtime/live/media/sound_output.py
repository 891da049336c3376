"""The sound as an edited copy can hold it: copied where that works, else encoded again, else left out."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ...opencv import pyav
from ..sound import SoundTrack, bare

_TRIED = 12  # packets: some codecs are only known from their first ones
FORMATS = {".mkv": "matroska", ".mov": "mov", ".mp4": "mp4"}
_AAC = "aac"
_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}


class SoundOutput(Protocol):
    """Gives the packets of a sound in the form that its file takes."""

    def until(self, moment_s: float, delay_s: float = 0.0) -> Iterator[Any]:
        """Packets for the file, of the sound before `moment_s`, each `delay_s` seconds later than in the film."""
        ...

    def end(self) -> Iterator[Any]:
        """What is still under way."""
        ...


@dataclass(frozen=True)
class SoundPlan:
    """How a file of some suffix is to hold a track. `copied` False encodes it again; `note` says so, or why there is
    none (`sounds` False). `options` are those of the muxer that were tried with success."""

    sounds: bool
    copied: bool
    options: Mapping[str, str]
    note: str = ""

    def add_to(self, container: Any, track: SoundTrack) -> SoundOutput:
        """The track's stream in the container."""
        return _Copied(container, track) if self.copied else _Encoded(container, track)


def plan(track: SoundTrack, suffix: str, options: Mapping[str, str]) -> SoundPlan:
    """What works, found by trying it in memory: that a codec is known does not say that it can be written here."""
    late = {**options, "movflags": f"{options['movflags']}+delay_moov"} if "movflags" in options else None
    for tried in (options, late):
        if tried is not None and _works(track, suffix, tried, _Copied):
            return SoundPlan(True, True, tried)
    cannot = f"{suffix} cannot hold {track.codec}"
    if _works(track, suffix, options, _Encoded):
        return SoundPlan(True, False, options, f"sound encoded again as AAC: {cannot}")
    return SoundPlan(False, False, options, f"without sound: {cannot}")


def _works(track: SoundTrack, suffix: str, options: Mapping[str, str], kind: Any) -> bool:
    av, file = pyav(), io.BytesIO()
    packets = [bare(packet) for packet in track.first(_TRIED)]
    try:
        with av.open(file, "w", format=FORMATS[suffix], options=dict(options)) as container:
            output = kind(container, _Fixed(track, packets))
            for packet in (*output.until(float("inf")), *output.end()):
                container.mux(packet)
        file.seek(0)
        with av.open(file) as back:
            return not packets or any(packet.size for packet in back.demux(audio=0))
    except (av.FFmpegError, OSError, ValueError, TypeError, IndexError):
        return False


class _Fixed:
    """A track of nothing but these packets."""

    def __init__(self, track: SoundTrack, packets: list[Any]) -> None:
        self.stream, self.add_to, self._packets = track.stream, track.add_to, packets

    def until(self, moment_s: float, delay_s: float = 0.0) -> Iterator[Any]:
        del moment_s, delay_s
        return iter(self._packets)


class _Copied:
    def __init__(self, container: Any, track: SoundTrack) -> None:
        self._track, self._stream = track, track.add_to(container)

    def until(self, moment_s: float, delay_s: float = 0.0) -> Iterator[Any]:
        for packet in self._track.until(moment_s, delay_s):
            packet.stream = self._stream
            yield packet

    def end(self) -> Iterator[Any]:
        return iter(())


class _Encoded:
    """AAC; what cannot be decoded is silent."""

    def __init__(self, container: Any, track: SoundTrack) -> None:
        context = track.stream.codec_context
        rate = next((rate for rate in _RATES if rate <= (context.sample_rate or 48000)), 48000)
        layout = _LAYOUTS.get(context.channels or 2, "stereo")
        context.flush_buffers()  # of a trial
        self._track, self._decoder = track, context
        self._stream = container.add_stream(_AAC, rate=rate, layout=layout)
        self._resampler = pyav().AudioResampler(format="fltp", layout=layout, rate=rate)

    def until(self, moment_s: float, delay_s: float = 0.0) -> Iterator[Any]:
        for packet in self._track.until(moment_s, delay_s):
            try:
                frames = self._decoder.decode(packet)
            except pyav().InvalidDataError:
                continue
            yield from self._encode(frames)

    def end(self) -> Iterator[Any]:
        yield from self._encode(self._decoder.decode(None))
        yield from self._stream.encode(None)

    def _encode(self, frames: list[Any]) -> Iterator[Any]:
        for frame in frames:
            for part in self._resampler.resample(frame):
                for packet in self._stream.encode(part):
                    if packet.pts is None or packet.pts >= 0:  # the encoder's run-up would shift all pictures
                        yield packet
