"""Sinks whose frames are dressed: with the view, the mark, and for people before a screen the overlay."""

from __future__ import annotations

import time
from dataclasses import replace

from . import overlay
from .image import Image
from .lettering import Colour
from .panel import Panel
from .provenance import EDITED, Origin
from .sinks import Sink
from .sources import Frame
from .stats import Stats
from .views import compose

_REFRESH_S = 0.25  # figures that change faster cannot be read


class Dressed(Sink):
    """A sink whose frames show the look, the mark and, where wanted, the overlay. Never draws into the caller's frame.

    Args:
        sink: who gets the dressed frames; told their origin, and closed with this one.
        panel: the look. Keys change it on screens only: a recording keeps the look it began with, and one size.
        stats: where the line finds rates and latencies.
        hud: draw the line; None means on screens only.
        mark: draw the origin's mark.
        origin: how the pictures came about.
        about: what runs, for the line: backend, device, precision.
    """

    def __init__(
        self,
        sink: Sink,
        panel: Panel,
        stats: Stats,
        *,
        hud: bool | None = None,
        mark: bool = True,
        origin: Origin = EDITED,
        about: str = "",
    ) -> None:
        self._sink, self._panel = sink, panel
        shown = sink.screen if hud is None else hud
        self._line = StatusLine(stats, panel, about, keys=sink.screen) if shown else None
        self._mark = origin.mark if mark else ""
        self._look = panel.look
        self.screen, self.about = sink.screen, sink.about
        sink.origin = self.origin = origin

    def write(self, frame: Frame, before: Image | None = None) -> str:
        """Dresses the frame and passes it on."""
        look = self._panel.look if self.screen else self._look
        image = compose(frame.image_bgr, before, look, self._mark)
        if self.screen and look.sliders:
            overlay.draw_sliders(image, self._panel)
        if self._line is not None:
            overlay.draw_lines(image, self._line.lines((image.shape[0], image.shape[1])))
        if frame.held_s:
            overlay.draw_message(image, f"reconnecting, {frame.held_s:.0f} s", overlay.OFF)
        elif self.screen and (message := self._panel.message()):
            overlay.draw_message(image, message)
        if self.screen and look.help:
            overlay.draw_help(image, self._panel.help_lines())
        return self._sink.write(replace(frame, image_bgr=image), before)

    def offer(self, panel: Panel) -> None:
        """Offers it to the sink within."""
        self._sink.offer(panel)

    def close(self) -> None:
        """Closes the sink within."""
        self._sink.close()


class StatusLine:
    """What is going on, in words: figures, what runs, what is set, and where there are `keys`, those to begin with.

    The figures are renewed four times a second.
    """

    def __init__(self, stats: Stats, panel: Panel, about: str = "", *, keys: bool = True) -> None:
        self._stats, self._panel, self._about = stats, panel, about
        self._hint = [(word, overlay.GREY) for word in ("tab sliders", "h help") if keys]
        self._figures: list[tuple[str, Colour]] = []
        self._renewed = float("-inf")

    def lines(self, hw: tuple[int, int]) -> list[list[tuple[str, Colour]]]:
        """In lines that fit a picture of `hw` pixels."""
        now = time.monotonic()
        if now - self._renewed >= _REFRESH_S:
            self._renewed = now
            stages = "  ".join(f"{stage} {ms:.0f}" for stage, ms in self._stats.recent_ms().items() if ms >= 0.5)
            words = [
                *self._stats.line(),
                *([f"{stages} ms"] if stages else []),
                *([self._about] if self._about else []),
            ]
            self._figures = [(word, overlay.WHITE) for word in words]
        look, panel = self._panel.look, self._panel
        flags = [
            (word, overlay.OFF)
            for word, on in (("recording", look.recording), ("frozen", look.frozen), (look.view, look.view == "before"))
            if on
        ]
        return overlay.wrapped([*self._figures, *flags, *overlay.coloured(panel.status()), *self._hint], hw)
