"""A source that can be held at one picture."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from ..controls.panel import Panel
from ..source import Frame, Source, Wrapped

_TICK_S = 0.04


class Frozen(Wrapped):
    """Frames of `source`, but while the panel says so, its last picture again; owns it.

    A live source goes on meanwhile, unseen; a recording waits. Only the picture stands still: its edits go on, so
    that the sliders can be tried on it.
    """

    def __init__(self, source: Source, panel: Panel) -> None:
        super().__init__(source)
        self._panel = panel

    def __iter__(self) -> Iterator[Frame]:
        held: Frame | None = None
        repeats, tick_s = 0, 1.0 / self.fps if self.fps else _TICK_S
        for frame in self._source:
            frozen = held is not None and self._panel.look.frozen
            if not self.live:
                while held is not None and self._panel.look.frozen:
                    time.sleep(tick_s)
                    repeats += 1
                    yield replace(
                        held,
                        index=held.index + repeats,
                        timestamp=time.monotonic(),
                        frozen_s=repeats * tick_s,
                        decode_s=0.0,
                    )
            elif frozen and held is not None:
                yield replace(frame, image_bgr=held.image_bgr)
                continue
            held = frame
            yield replace(frame, index=frame.index + repeats, frozen_s=repeats * tick_s)
