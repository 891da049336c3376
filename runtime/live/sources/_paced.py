"""A recording at its own speed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from ..pace import Pace
from . import Frame
from ._wrapped import Wrapped

_RATE = 25.0  # of pictures that have none


class Paced(Wrapped):
    """Frames of `source` no faster than it plays; owns it. Where no rate is known, 25 frames per second."""

    def __iter__(self) -> Iterator[Frame]:
        pace, rate = Pace(), self.fps or _RATE
        for frame in self._source:
            time.sleep(pace.wait_s(frame.index / rate if frame.moment_s is None else frame.moment_s))
            yield replace(frame, timestamp=time.monotonic())
