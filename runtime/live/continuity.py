"""The times of a file's packets, carried over the places where its clock begins anew or leaps."""

from __future__ import annotations

from typing import Any

_DISCONTINUOUS = 0x0200  # AVFMT_TS_DISCONT of libavformat: times may leap, as in joined transport streams
_WHOLE = "mov"  # the family of formats whose tables of times cannot leap, and whose pauses are meant
_BACK_S = 0.1  # further back than this, the clock began anew
_LEAP_S = 10.0  # further on than this, a clock that may leap has leapt; FFmpeg draws both lines here too


def may_leap(container: Any) -> bool:
    """Whether the format of an open container is one in which times may leap."""
    return bool(container.format.flags & _DISCONTINUOUS)


def is_whole(container: Any) -> bool:
    """Whether no time of such a file can leap, so that streams can be read apart from each other."""
    return _WHOLE in container.format.name.split(",")


class Continuity:
    """Shifts packets in time so that each stream goes on where it was.

    Joined recordings begin at 0 again at each joint, and a broadcast's clock may leap. All streams of a file share
    their shifts, in the order in which they came, so that pictures and sound stay together: whichever stream gets to
    a joint first measures it, and the others take the same. Whoever gives it the same packets gets the same times.

    Args:
        container: PyAV's, open, from whose beginning all packets of the streams in question are given to `carry`.
    """

    def __init__(self, container: Any) -> None:
        self._whole = is_whole(container)
        self._leap_s = _LEAP_S if may_leap(container) else float("inf")
        self._shifts_s = [0.0]
        self._streams: dict[int, _Stream] = {}

    @property
    def jumps(self) -> int:
        """How often the clock began anew or leapt so far."""
        return len(self._shifts_s) - 1

    def carry(self, packet: Any) -> None:
        """Shifts `pts` and `dts` of the next packet in file order."""
        if self._whole or packet.pts is None or packet.time_base is None:
            return
        base = float(packet.time_base)
        stream = self._streams.setdefault(packet.stream.index, _Stream())
        if packet.dts is None:  # `pts` goes back and forth where pictures are coded out of order
            shift_s = self._shifts_s[stream.joint]
        else:
            told_s = packet.dts * base
            shift_s = self._shift_s(stream, told_s)
            stream.went_on(told_s + shift_s, float(packet.duration or 0) * base)
        if shift_s:
            ticks = round(shift_s / base)
            packet.pts += ticks
            if packet.dts is not None:
                packet.dts += ticks

    def _shift_s(self, stream: _Stream, told_s: float) -> float:
        """The shift of a packet: the stream's own, or a later one that fits better, or a new one."""
        if stream.last_s is None:  # it begins here
            stream.joint = self.jumps
            return self._shifts_s[-1]
        expected_s = stream.next_s
        since = range(stream.joint, len(self._shifts_s))
        joint = min(since, key=lambda number: abs(told_s + self._shifts_s[number] - expected_s))
        at_s = told_s + self._shifts_s[joint]
        if at_s < stream.last_s - _BACK_S or at_s > expected_s + self._leap_s:
            self._shifts_s.append(expected_s - told_s)
            joint = self.jumps
        stream.joint = joint
        return self._shifts_s[joint]


class _Stream:
    """Where one stream is: at which joint, its last time, and where it is expected next, in seconds."""

    def __init__(self) -> None:
        self.joint = 0
        self.last_s: float | None = None
        self.next_s = 0.0

    def went_on(self, at_s: float, lasts_s: float) -> None:
        """A packet came that begins at `at_s`, and lasts as long as its file says, or as the one before it did."""
        if not lasts_s and self.last_s is not None:
            lasts_s = max(0.0, at_s - self.last_s)
        self.last_s, self.next_s = at_s, at_s + lasts_s
