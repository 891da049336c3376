"""A recording at its own speed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from ..pace import Pace
from . import Frame, Source


class Paced(Source):
    """Frames of `source` no faster than it plays; owns it. Where no rate is known, 25 frames per second."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.name, self.about, self.live = source.name, source.about, source.live
        self.size_hw, self.length, self.sound = source.size_hw, source.length, source.sound
        self.fps: float = source.fps or 25.0

    def __iter__(self) -> Iterator[Frame]:
        pace = Pace()
        for frame in self._source:
            time.sleep(pace.wait_s(frame.index / self.fps if frame.moment_s is None else frame.moment_s))
            yield replace(frame, timestamp=time.monotonic())

    def close(self) -> None:
        """Closes the source."""
        self._source.close()
