"""What a live run did, as typed figures: what a program reads, and what `--stats-json` writes."""

from __future__ import annotations

import msgspec


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
    those of `stopwatch.STAGES`, and read, decode, process, dress, encode, display, write; `age` is the time from
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
