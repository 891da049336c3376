"""What comes into a live run, and by which clock."""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgegan.runtime.live.sinks import Clock
    from edgegan.runtime.live.sources import Frame, Source
    from edgegan.runtime.model.card import ModelCard

    from .asked import Asked


@dataclass(frozen=True)
class Feed:
    """An open source, and how its frames are to be taken.

    `newest_wins`: frames that come too fast are dropped. `step_s`: from one frame to the next, where none is lost and
    their rate is known; else None. The run ends after `frames` or `seconds`.
    """

    source: Source
    clock: Clock
    newest_wins: bool
    step_s: float | None
    frames: int | None
    seconds: float | None

    def moment_s(self, frame: Frame) -> float | None:
        """When the frame is edited, in seconds from any beginning; None for a picture that stands alone."""
        if self.step_s is not None:
            return frame.index * self.step_s
        return frame.timestamp if self.source.live else frame.moment_s

    @property
    def total(self) -> int | None:
        """How many frames will come at most; None where nobody knows."""
        return min((n for n in (self.frames, self.source.length) if n), default=None)


def open_feed(stack: ExitStack, asked: Asked, card: ModelCard) -> Feed:
    """Opens the source for as long as `stack` is; raises what `open_source` does."""
    from edgegan.runtime.live.sinks import Clock

    source = _open(stack, asked, card)
    frames, seconds = asked.frames, asked.seconds
    if card.task == "generate" and "window" not in asked.outputs and not asked.web:
        source.live = False  # nobody watches: every picture counts, and none waits
        if seconds is not None:
            frames, seconds = min(frames or 1 << 40, max(1, round(seconds * (source.fps or 30.0)))), None
    newest_wins = source.live and not asked.every_frame
    clock = Clock(fps=source.fps or 25.0, by_timestamp=newest_wins, sound=None if newest_wins else source.sound)
    step_s = None if newest_wins or source.fps is None else 1.0 / source.fps
    return Feed(source, clock, newest_wins, step_s, frames, seconds)


def _open(stack: ExitStack, asked: Asked, card: ModelCard) -> Source:
    from edgegan.runtime.live.sources import open_source

    spec = asked.source_for(card)
    size_hw = card.size.hw if card.task == "generate" else asked.size_hw
    patience = math.inf if asked.patience is None else asked.patience
    source = stack.enter_context(
        open_source(
            spec,
            fps=asked.fps,
            size_hw=size_hw,
            loop=asked.loop,
            realtime=asked.realtime or asked.web,
            reconnect_s=patience,
            every_frame=asked.every_frame,
        )
    )
    if source.length == 1 and all(spec == "window" for spec in asked.outputs):  # stays, so that controls can work
        source = stack.enter_context(open_source(spec, fps=asked.fps, loop=True, realtime=True))
    return source
