"""Staying with a live stream that comes faster than it can be decoded."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from typing import Any

_LATE_S, _IN_TIME_S = 1.0, 0.5  # further behind than this, packets are left out, until this is reached
_DRIFT = 0.001  # by how much the clock of a stream may run differently from ours
_LOOK_S = 0.3  # how long to look whether packets come faster than they were made: then there is something to catch up
_LONGEST_S = 10.0  # without a key frame: some streams have none after the first
_EARLY = 500  # packets to read ahead at most
_WAITED_S = 0.008  # a packet that took longer to come was not there yet; half of what one lasts at 60 fps


class CatchUp:
    """The packets of a live stream; once the newest waits for more than a second, on from a key frame near it.

    What is not decoded in time waits, unseen, in the sockets between sender and reader. How late a packet is, is
    told by its own time: the promptest packet so far is taken to be on time. A stream without times is behind when
    no packet had to be waited for during a second.

    Args:
        packets: as PyAV's `demux` gives them.
        stream: theirs; its decoder is emptied after a gap.
        timed: whether their times were told by the sender. Some formats have none, and FFmpeg counts them up.
        skip: leave packets out; without it, only `taken` is told.
    """

    def __init__(self, packets: Iterator[Any], stream: Any, *, timed: bool, skip: bool = True) -> None:
        self._packets, self._stream, self._timed, self._skip = packets, stream, timed, skip
        self._early: deque[Any] = deque()  # came while the stream was opened
        self._offset_s: float | None = None  # from the stream's clock to ours, for a packet that is on time
        self._took = time.monotonic()  # the newest packet
        self._waited = self._took  # the newest that had to be waited for
        self._skipped = 0

    def __iter__(self) -> Iterator[Any]:
        self._look()
        leaping = False
        look_from = (0.0, 0.0)  # our clock and the stream's, when the looking began
        while (packet := self._early.popleft() if self._early else self._next()) is not None:
            late_s = self._late_s(packet)
            if self._skip and late_s > _LATE_S and not leaping:
                leaping, look_from, leapt = True, (self._took, self._took - late_s), self._took
            if leaping:
                passed_s, told_s = self._took - look_from[0], self._took - late_s - look_from[1]
                if self._timed and passed_s > _LOOK_S:
                    if told_s < 1.1 * passed_s:  # nothing to catch up: the stream's clock leapt, or the line is slow
                        self._offset_s, late_s = None, 0.0
                    look_from = (self._took, self._took - late_s)
                if (late_s > _IN_TIME_S or not packet.is_keyframe) and self._took - leapt < _LONGEST_S:
                    self._skipped += 1
                    continue
                leaping = False
                self._stream.codec_context.flush_buffers()
            yield packet

    def arrival_s(self, time_s: float | None) -> float:
        """The monotonic second at which the picture of that time was there to be read, had it been read at once."""
        if not self._timed or time_s is None or self._offset_s is None:
            return self._took
        return min(self._took, time_s + self._offset_s)

    def take_skipped(self) -> int:
        """How many packets were left out since the last call."""
        count, self._skipped = self._skipped, 0
        return count

    def _look(self) -> None:
        """Reads ahead to the first packet that was not there yet: it is on time. Begins at the newest key frame."""
        waited = self._waited
        while len(self._early) < _EARLY and self._waited == waited and (packet := self._next()) is not None:
            if self._skip and packet.is_keyframe:
                self._early.clear()
            self._early.append(packet)
            self._late_s(packet)

    def _next(self) -> Any:
        """The next packet, None at the end."""
        began = time.monotonic()
        packet = next(self._packets, None)
        if (came := time.monotonic()) - began > _WAITED_S:
            self._waited = came
        return packet

    def _late_s(self, packet: Any) -> float:
        """By how much a packet is late that is taken now."""
        before, self._took = self._took, time.monotonic()
        if not self._timed:
            return self._took - self._waited
        if packet.pts is None:
            return 0.0
        gap_s = self._took - float(packet.pts * packet.time_base)
        if self._offset_s is None:
            self._offset_s = gap_s
        self._offset_s = min(gap_s, self._offset_s + _DRIFT * (self._took - before))
        return gap_s - self._offset_s
