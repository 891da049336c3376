"""What a sink shows of a frame: the view, the mark, and for people before a screen the overlay."""

from __future__ import annotations

import time
from dataclasses import replace

from ...metrics.live import LiveTally
from ...model.image import Image
from ..controls.panel import Panel
from ..provenance import EDITED, Origin
from ..sink import Sink
from ..source import Frame
from . import overlay
from .lettering import Colour
from .statusline import StatusLine
from .views import Layers, compose


class Compositor(Sink):
    """A sink whose frames show the look, the mark and, where wanted, the overlay.

    Never draws into the caller's frame: others may show it too. One copy of it is made, and none where nothing is
    to be seen on it but itself. How long the dressing takes is the stage "dress" of `stats`; the sink's own time
    goes under its `stage`.

    Args:
        sink: gets the composed frames; told their origin, and closed with this one.
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
        stats: LiveTally,
        *,
        hud: bool | None = None,
        mark: bool = True,
        origin: Origin = EDITED,
        about: str = "",
    ) -> None:
        self._sink, self._panel, self._stats = sink, panel, stats
        shown = sink.screen if hud is None else hud
        self._line = StatusLine(stats, panel, about, keys=sink.screen) if shown else None
        self._marked = mark
        self._look = panel.look
        self._layers = Layers()
        self.screen = sink.screen
        self.origin = origin

    @property
    def about(self) -> str:  # type: ignore[override]
        """Where the frames went; the sink within knows."""
        return self._sink.about

    @property
    def origin(self) -> Origin:
        """How the pictures come about: what the mark and files say."""
        return self._sink.origin

    @origin.setter
    def origin(self, origin: Origin) -> None:
        """Says from now on that they come about otherwise, also to the sink within."""
        self._sink.origin = origin

    def write(self, frame: Frame, before: Image | None = None) -> None:
        """Composes the frame and passes it on."""
        began = time.perf_counter()
        composed = replace(frame, image_bgr=self._compose(frame, before))
        done = time.perf_counter()
        self._stats.record("dress", done - began)
        self._sink.write(composed, before)
        if stage := self._sink.stage:
            self._stats.record(stage, time.perf_counter() - done)

    def _compose(self, frame: Frame, before: Image | None) -> Image:
        look = self._panel.look if self.screen else self._look
        message, colour = self._message(frame)
        mark = self.origin.mark if self._marked else ""
        if not (mark or self._line or message or self.screen or look.mirror or look.view != "after"):
            return frame.image_bgr
        image = compose(frame.image_bgr, before, look, mark)
        if self.screen and look.sliders:
            self._layers.draw(image, "sliders", self._panel.version, lambda on: overlay.draw_sliders(on, self._panel))
        if self._line is not None:
            lines = self._line.lines((image.shape[0], image.shape[1]))
            self._layers.draw(image, "line", lines, lambda on: overlay.draw_lines(on, lines))
        if message:
            self._layers.draw(image, "message", (message, colour), lambda on: overlay.draw_message(on, message, colour))
        if self.screen and look.help:
            help_ = tuple(self._panel.help_lines())
            self._layers.draw(image, "help", help_, lambda on: overlay.draw_help(on, help_))
        return image

    def _message(self, frame: Frame) -> tuple[str, Colour]:
        """What is said below the picture: on every output that the source is away, on screens what the panel says."""
        if frame.held_s:
            why = f": {frame.held_why}" if frame.held_why else ""
            return f"reconnecting, {frame.held_s:.0f} s{why}", overlay.OFF
        return (self._panel.message() if self.screen else ""), overlay.WHITE

    def offer(self, panel: Panel) -> None:
        """Offers it to the sink within."""
        self._sink.offer(panel)

    def close(self) -> None:
        """Closes the sink within."""
        self._sink.close()
