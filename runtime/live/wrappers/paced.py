"""A recording at its own speed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from ..frame_clock import FrameClock, Pace
from ..source import Frame, Wrapped


class Paced(Wrapped):
    """Frames of `source` no faster than it plays; owns it. Where no rate is known, 25 frames per second."""

    def __iter__(self) -> Iterator[Frame]:
        pace, clock = Pace(), FrameClock.of(self)
        for frame in self._source:
            time.sleep(pace.wait_s(clock.moment_s(frame)))
            yield replace(frame, timestamp=time.monotonic())
