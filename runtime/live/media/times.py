"""The times of decoded frames, where a file does not tell them or tells them wrongly."""

from __future__ import annotations

from typing import Any

from .damage import Damage

_MOST = 32  # frames without a time that are held until one comes; of a file that tells none, no more


class FrameTimes:
    """Decodes a file's packets into frames whose times can be relied on.

    Formats that tell only when packets are decoded (AVI) mislead FFmpeg's libraries about pictures that were coded out
    of order: there a frame takes the decoding time at which it came out, and those that come out at the end follow one
    another as those before did. Frames at the beginning that tell no time, as of Matroska's before second 0, are
    counted back from the first that does.
    """

    def __init__(self, container: Any, stream: Any, damage: Damage) -> None:
        self._by_decoding = "avi" in container.format.name.split(",")
        self._rate, self._damage = stream.average_rate, damage
        self._held: list[Any] | None = []
        self._last = self._gap = 0  # time of the frame before, and from the one before that to it, in ticks

    def decode(self, packet: Any) -> list[Any]:
        """The frames of a packet, of earlier ones too where they were held; the last packet is empty."""
        frames = self._damage.decode(packet)
        if self._by_decoding:
            for frame in frames:
                frame.pts = self._last + self._gap if frame.dts is None else frame.dts
                self._last, self._gap = frame.pts, frame.pts - self._last
        if self._held is None:
            return frames
        self._held += frames
        known = next((i for i, frame in enumerate(self._held) if frame.pts is not None), None)
        if known is None and len(self._held) <= _MOST and packet.size:
            return []
        frames, self._held = self._held, None
        if known and self._rate and frames[known].time_base:
            gap = 1 / (self._rate * frames[known].time_base)
            for back in range(1, known + 1):
                frame = frames[known - back]
                frame.time_base, frame.pts = frames[known].time_base, frames[known].pts - round(back * gap)
        return frames
