"""What is going on, in the words of a line over the picture."""

from __future__ import annotations

import time

from ...metrics.live import LiveTally
from ..controls.panel import Panel
from . import overlay
from .lettering import Colour

_REFRESH_S = 0.25  # figures that change faster cannot be read


class StatusLine:
    """What is going on, in words: figures, what runs, what is set, and where there are `keys`, those to begin with.

    The figures are renewed four times a second.
    """

    def __init__(self, stats: LiveTally, panel: Panel, about: str = "", *, keys: bool = True) -> None:
        self._stats, self._panel, self._about = stats, panel, about
        self._hint = [(word, overlay.GREY) for word in ("tab sliders", "h help") if keys]
        self._figures: list[tuple[str, Colour]] = []
        self._renewed = float("-inf")

    def lines(self, hw: tuple[int, int]) -> tuple[overlay.Line, ...]:
        """In lines that fit a picture of `hw` pixels."""
        now = time.monotonic()
        if now - self._renewed >= _REFRESH_S:
            self._renewed = now
            stages = [f"{stage} {ms:.0f}" for stage, ms in self._stats.recent_ms().items() if ms >= 0.5]
            if stages:
                stages[-1] += " ms"
            words = (*self._stats.line(), *stages, self._about)
            self._figures = [(word, overlay.WHITE) for word in words if word]
        look, panel = self._panel.look, self._panel
        flags = [
            (word, overlay.OFF)
            for word, on in (("recording", look.recording), ("frozen", look.frozen), (look.view, look.view == "before"))
            if on
        ]
        return overlay.wrap([*self._figures, *flags, *overlay.colour_words(panel.status()), *self._hint], hw)
