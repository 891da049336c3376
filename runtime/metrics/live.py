"""What a live run did: time per stage, rates, age of what is shown, why frames were dropped, losses, memory."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median

import msgspec

from .tally import Tally

_RECENT_S = 1.5  # what "now" means on screen
_WARM = 2000  # frames after which memory should stand still
_STATM = Path("/proc/self/statm")
_NO_STAGE = ("age", "besides")  # recorded like stages, and made of them


class FrameCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Frames read = shown + the sum of `dropped`, which counts them by cause, at the end of a run."""

    read: int
    shown: int
    dropped: dict[str, int]


class Away(msgspec.Struct, frozen=True, kw_only=True):
    """How often and how long, in seconds, the source was away; `held` old frames were given again meanwhile."""

    held: int
    reconnects: int
    seconds: float


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Megabytes of the process in physical memory, and their growth since it should stand still; None for unknown."""

    now: float | None
    growth_from_frame_2000: float | None


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Frames per second from the source and to the sinks; None where there were fewer than two."""

    in_: float | None = msgspec.field(name="in")
    out: float | None


class LiveStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """A live run so far. `stages_ms` holds p50, p95 and p99 of the last 4096 times of each stage, in milliseconds:
    those of `tally.STAGES`, and read, decode, process, dress, encode, display, write; `age` is the time from
    capture to shown, `besides` that of a frame's processing without the network."""

    seconds: float
    frames: FrameCounts
    away: Away
    memory_mb: Memory
    fps: Rates
    stages_ms: dict[str, dict[str, float]]

    def summary(self) -> str:
        """One line: frames in and out, rates, and drops by cause."""
        frames, away = self.frames, self.away
        rates = ", ".join(
            f"{fps:.1f} fps {way}" for way, fps in (("in", self.fps.in_), ("out", self.fps.out)) if fps is not None
        )
        drops = ", ".join(f"{n} {cause.replace('_', ' ')}" for cause, n in sorted(frames.dropped.items())) or "none"
        line = f"{frames.read} frames read, {frames.shown} shown" + (f" ({rates})" if rates else "")
        line += f"; dropped: {drops}"
        if not away.seconds:
            return line
        times = "once" if away.reconnects == 1 else f"{away.reconnects} times"
        return f"{line}; the source was away for {away.seconds:.1f} s and came back {times}"


def resident_mb() -> float | None:
    """Megabytes (10^6 bytes) in physical memory now; None where the system does not tell without a package."""
    if sys.platform != "linux":
        return None
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (OSError, ValueError, IndexError):
        return None


class LiveTally(Tally):
    """Counts and times one run; every method may be called from any thread.

    Frames read = shown + the sum of `dropped` at the end of a run; `held` of those read were old ones given again
    while the source was away.

    Args:
        now: the clock, in monotonic seconds.
        memory_mb: tells the megabytes that the process holds, None where nobody knows.
    """

    def __init__(
        self, *, now: Callable[[], float] = time.monotonic, memory_mb: Callable[[], float | None] = resident_mb
    ) -> None:
        super().__init__()
        self._now, self._memory_mb = now, memory_mb
        self.read = self.shown = self.held = self.reconnects = 0
        self.lost_s = 0.0  # how long the source was away, in all
        self._away_s = 0.0  # how long it has been this time
        self._warm_mb: float | None = None
        self.dropped: Counter[str] = Counter()
        self._read_at: deque[float] = deque(maxlen=240)
        self._shown_at: deque[float] = deque(maxlen=240)
        self._begin: float | None = None
        self._last_read: float | None = None
        self._end: float | None = None
        self._first_shown: float | None = None

    def count_read(self, held_s: float = 0.0, skipped: int = 0) -> None:
        """One frame came from the source, and `skipped` before it did not; `held_s` as in Frame: a fresh one after
        held ones is a reconnection."""
        with self._lock:
            self._last_read = self._now()
            self._begin = self._last_read if self._begin is None else self._begin
            self.read += 1 + skipped
            if self.read >= _WARM and self._warm_mb is None:
                self._warm_mb = self._memory_mb()
            if held_s:
                self.held += 1
                self.lost_s += max(0.0, held_s - self._away_s)
            else:
                self._read_at.append(self._last_read)
                self.reconnects += self._away_s > 0
            self._away_s = held_s

    def count_shown(self, captured_at: float) -> None:
        """One frame reached the sinks; `captured_at` is its monotonic timestamp."""
        now = self._now()
        self.record("age", now - captured_at)
        with self._lock:
            self._first_shown = now if self._first_shown is None else self._first_shown
            self._shown_at.append(now)
            self._end = now
            self.shown += 1

    def count_dropped(self, cause: str, count: int = 1) -> None:
        """`count` frames were not shown, because of `cause`."""
        with self._lock:
            if count:
                self.dropped[cause] += count

    def fps_in(self) -> float:
        """Fresh frames per second from the source over the last moments."""
        with self._lock:
            return _rate(self._newest_of(self._read_at))

    def recent(self) -> tuple[float, float]:
        """Frames per second over the last moments, and the median age in milliseconds of their frames."""
        with self._lock:
            times = self._newest_of(self._shown_at)
        ages = self.newest(max(1, len(times))).get("age", []) if times else []
        return _rate(times), 1000.0 * median(ages) if ages else 0.0

    def line(self) -> list[str]:
        """The last moments in a few words: rates in and out, age, drops by cause, losses of the source, memory."""
        fps_out, age_ms = self.recent()
        with self._lock:
            dropped, reconnects, lost_s = sorted(self.dropped.items()), self.reconnects, self.lost_s
        words = [f"{self.fps_in():.1f} fps in, {fps_out:.1f} out", f"{age_ms:.0f} ms old"]
        words += [f"{count} dropped: {cause.replace('_', ' ')}" for cause, count in dropped]
        if lost_s:
            words.append(f"{reconnects} reconnects, {lost_s:.0f} s lost")
        memory_mb = self._memory_mb()
        return words if memory_mb is None else [*words, f"{memory_mb:.0f} MB"]

    def recent_ms(self) -> dict[str, float]:
        """The median of each stage's last 31 times, in milliseconds; without `age` and `besides`, which are none."""
        newest = {name: times for name, times in self.newest().items() if name not in _NO_STAGE}
        return {name: 1000.0 * median(times) for name, times in newest.items()}

    def memory(self) -> str:
        """The process's memory now and its growth since it should stand still; "" where the system does not tell."""
        held = self.statistics().memory_mb
        if held.now is None:
            return ""
        growth = held.growth_from_frame_2000
        return f"memory: {held.now:.0f} MB" + (f", {growth:+.1f} MB since frame {_WARM}" if growth is not None else "")

    def statistics(self) -> LiveStatistics:
        """Everything so far: times in milliseconds, rates per second, None where nothing was measured."""
        memory_mb, stages_ms = self._memory_mb(), self.percentiles_ms()
        with self._lock:
            reading, showing = _span(self._begin, self._last_read), _span(self._first_shown, self._end)
            growth = None if not memory_mb or not self._warm_mb else memory_mb - self._warm_mb
            return LiveStatistics(
                seconds=round(_span(self._begin, self._end), 3),
                frames=FrameCounts(read=self.read, shown=self.shown, dropped=dict(self.dropped)),
                away=Away(held=self.held, reconnects=self.reconnects, seconds=round(self.lost_s, 2)),
                memory_mb=Memory(now=_round(memory_mb), growth_from_frame_2000=_round(growth)),
                fps=Rates(
                    in_=round((self.read - 1) / reading, 2) if reading else None,
                    out=round((self.shown - 1) / showing, 2) if showing else None,
                ),
                stages_ms=stages_ms,
            )

    def summary(self) -> str:
        """One line: frames in and out, rates, and drops by cause."""
        return self.statistics().summary()

    def _newest_of(self, times: Iterable[float]) -> list[float]:
        """Those of the last moments."""
        now = self._now()
        return [t for t in times if now - t < _RECENT_S]


def _rate(times: Sequence[float]) -> float:
    return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0


def _round(megabytes: float | None) -> float | None:
    return None if megabytes is None else round(megabytes, 2)


def _span(begin: float | None, end: float | None) -> float:
    return 0.0 if begin is None or end is None else end - begin
