"""When a frame is: the one rule by which frames are edited, shown, paced, repeated and recorded."""

from __future__ import annotations

import time
from copy import copy
from dataclasses import replace

from ..checks import check_finite
from ..errors import InputError
from .sound import Sound
from .source import Frame, Source

_RATE = 25.0  # frames per second where no rate is known
_LATE_S = 1.0  # further behind than this, the clock starts anew: no rush to catch up


class FrameClock:
    """Says when each frame of one run is, in seconds from the first.

    A frame of a recording is where its file has it (`Frame.moment_s`), later by as long as it was held at one picture;
    where only a rate is known, frame i is at i / `fps`. Frames of a live source are at their timestamps: some get
    lost, and what is shown must still take as long as it took. One clock serves all the sinks of a run.

    Args:
        fps: frames per second.
        by_timestamp: frames are at their timestamps; the first that is asked about is at 0.
        sound: that goes with the frames, on the same clock.
        known: whether `fps` is the source's own rate. Frames of which neither moment nor rate is known are pictures
            that stand alone: `edit_s` is None for them.
        constant_fps: of outputs whose rate is constant; None takes `fps`.

    Raises InputError for a rate that is none.
    """

    def __init__(
        self,
        fps: float = _RATE,
        *,
        by_timestamp: bool = False,
        sound: Sound | None = None,
        known: bool = True,
        constant_fps: float | None = None,
    ) -> None:
        if check_finite(fps, "fps") <= 0:
            raise InputError(f"{fps} frames per second were asked for", "a number above 0")
        self.fps, self.by_timestamp, self.sound, self._known = fps, by_timestamp, sound, known
        self.constant_fps = constant_fps or fps
        self._begin_s = None if by_timestamp else 0.0
        self._begin_frozen_s = 0.0

    @classmethod
    def of(cls, source: Source, *, every_frame: bool = False) -> FrameClock:
        """The clock of a source. A live one goes by timestamps, since its frames may be lost, unless `every_frame`
        of it counts."""
        live = source.live and not every_frame
        sound, known = None if live else source.sound, source.fps is not None
        fps, constant_fps = source.fps or _RATE, None if live else source.constant_fps
        return cls(fps, by_timestamp=live, sound=sound, known=known, constant_fps=constant_fps)

    def beginning_at(self, first: Frame) -> FrameClock:
        """The clock of an output that begins in the middle of a run: at 0 with this frame, and with its sound."""
        sound = self.sound
        if sound is not None:
            film_s = self._since_s(first) - first.frozen_s
            sound = replace(sound, begin_s=sound.begin_s + film_s)
        clock = copy(self)
        clock.sound, clock._begin_s, clock._begin_frozen_s = sound, self._since_s(first), first.frozen_s
        return clock

    def moment_s(self, frame: Frame) -> float:
        """Where the frame belongs in the output, in seconds from the first."""
        if self._begin_s is None:
            self._begin_s = self._since_s(frame)
        return self._since_s(frame) - self._begin_s

    def sound_delay_s(self, frame: Frame) -> float:
        """By how much the sound comes later from this frame on, in seconds: as long as pictures were held."""
        return frame.frozen_s - self._begin_frozen_s

    def edit_s(self, frame: Frame) -> float | None:
        """When the frame is edited, in seconds from any beginning; None for a picture that stands alone."""
        if frame.moment_s is None and not self._known and not self.by_timestamp:
            return None
        return self._since_s(frame)

    def _since_s(self, frame: Frame) -> float:
        """Seconds from the source's own beginning."""
        if self.by_timestamp:
            return frame.timestamp
        return frame.index / self.fps if frame.moment_s is None else frame.moment_s + frame.frozen_s


class ConstantRate:
    """The slots of an output whose rate is constant: slot i begins at i / `fps`, and holds one frame."""

    def __init__(self, clock: FrameClock) -> None:
        self._clock, self.fps = clock, clock.constant_fps
        self.filled = 0
        self._end_s = 0.0

    def place(self, frame: Frame) -> tuple[int, bool]:
        """How many slots before this frame's are empty, which the frame before it fills, and whether its own is.

        A frame whose slot is taken already is left out. What is returned counts as filled.
        """
        moment_s = self._clock.moment_s(frame)
        self._end_s = moment_s + frame.lasts_s
        slot = round(moment_s * self.fps)
        missing, free = max(0, slot - self.filled), slot >= self.filled
        self.filled = max(self.filled, slot + free)
        return missing, free

    def rest(self) -> int:
        """How many slots the last frame fills after its own, to last as long as its file says."""
        return max(0, round(self._end_s * self.fps) - self.filled)


class Pace:
    """Recorded pictures at their own speed: how long to wait until a moment has come; the first asked for is now."""

    def __init__(self) -> None:
        self._begin: float | None = None

    def wait_s(self, moment_s: float) -> float:
        """Seconds until `moment_s` of the recording; 0 if it is past."""
        now = time.monotonic()
        if self._begin is None or now - self._begin - moment_s > _LATE_S:
            self._begin = now - moment_s
        return max(0.0, self._begin + moment_s - now)
