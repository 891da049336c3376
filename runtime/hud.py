"""What is drawn over the picture: the status line, the help, the two halves of a comparison, the mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .controls import Panel, Slider
from .image import Image
from .sinks import Sink
from .sources import Frame
from .stats import Stats

EDITED, GENERATED = "AI-edited", "AI-generated"  # the marks
_WHITE, _GREY, _ON, _OFF = (255, 255, 255), (170, 170, 170), (120, 230, 120), (110, 150, 255)  # BGR
_COLOURS = {"": _GREY, "on": _ON, "off": _OFF}
_Run = tuple[str, tuple[int, int, int]]  # a word and its colour


class Dressed(Sink):
    """A sink whose frames carry the mark, the comparison and, where wanted, the status line. Copies, never draws
    into the caller's frame.

    Args:
        sink: who gets the dressed frames; closed with this one.
        controls: what the line tells, and the view. Keys change the view of screens only: a recording keeps one size.
        stats: where the line finds rate and latency.
        hud: draw the line; None means on screens only.
        mark: what to draw into the corner; "" for nothing.
    """

    def __init__(
        self, sink: Sink, controls: Panel, stats: Stats, *, hud: bool | None = None, mark: str = EDITED
    ) -> None:
        self._sink, self._controls, self._stats = sink, controls, stats
        self._hud = sink.screen if hud is None else hud
        self._mark = mark
        self._side_by_side = controls.side_by_side
        self.screen, self.about = sink.screen, sink.about

    def write(self, frame: Frame, before: Image | None = None) -> str:
        """Dresses the frame and passes it on."""
        image = frame.image_bgr.copy()
        if self._mark:
            draw_mark(image, self._mark)
        if before is not None and (self._controls.side_by_side if self.screen else self._side_by_side):
            image = side_by_side(before, image)
        if self._hud:
            draw_lines(image, _wrapped(image, self._status()))
        if self.screen and self._controls.help:
            lines = [[(line, _WHITE)] for line in self._controls.help_lines()]
            draw_lines(image, lines, top=image.shape[0] // 5)
        return self._sink.write(replace(frame, image_bgr=image), before)

    def offer(self, sliders: Sequence[Slider]) -> None:
        """Offers them to the sink within."""
        self._sink.offer(sliders)

    def close(self) -> None:
        """Closes the sink within."""
        self._sink.close()

    def _status(self) -> list[_Run]:
        fps, age_ms = self._stats.recent()
        runs: list[_Run] = [(f"{fps:.1f} fps", _WHITE), (f"{age_ms:.0f} ms", _WHITE)]
        runs += [(word, _COLOURS[state]) for word, state in self._controls.status()]
        return [*runs, ("h help", _WHITE)] if self.screen else runs


def side_by_side(before: Image, after: Image) -> Image:
    """Both pictures in one, before on the left; `before` is resized to the height of `after` if it differs."""
    import cv2

    if before.shape[0] != after.shape[0]:
        width = max(1, round(before.shape[1] * after.shape[0] / before.shape[0]))
        before = np.asarray(cv2.resize(before, (width, after.shape[0])), np.uint8)
    return np.ascontiguousarray(np.hstack([before, after]))


def draw_mark(image: Image, words: str = EDITED) -> None:
    """Draws `words` into the lower right corner, in place."""
    import cv2

    scale, thickness = _scale(image), 1
    (width, height), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
    pad = max(2, height // 2)
    bottom, right = image.shape[0], image.shape[1]
    _darken(image, bottom - height - 2 * pad, bottom, right - width - 2 * pad, right)
    _text(image, words, right - width - pad, bottom - pad, scale, _WHITE)


def draw_lines(image: Image, lines: list[list[_Run]], *, top: int = 0) -> None:
    """Draws lines of coloured words on a darkened band, in place, the first one at row `top`."""
    scale = _scale(image)
    step = _line_height(scale)
    _darken(image, top, top + step * len(lines) + step // 3, 0, image.shape[1])
    for number, line in enumerate(lines, start=1):
        x = step // 2
        for word, colour in line:
            _text(image, word, x, top + step * number - step // 4, scale, colour)
            x += _word_width(word, scale)


def _wrapped(image: Image, runs: list[_Run]) -> list[list[_Run]]:
    """The words in as many lines as they need."""
    scale = _scale(image)
    lines: list[list[_Run]] = [[]]
    x = start = _line_height(scale) // 2
    for run in runs:
        width = _word_width(run[0], scale)
        if x + width > image.shape[1] and lines[-1]:
            lines.append([])
            x = start
        lines[-1].append(run)
        x += width
    return lines


def _scale(image: Image) -> float:
    return float(np.clip(image.shape[0] / 1000, 0.3, 1.2))


def _line_height(scale: float) -> int:
    return round(40 * scale)


def _word_width(word: str, scale: float) -> int:
    import cv2

    return cv2.getTextSize(word, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)[0][0] + round(28 * scale)


def _darken(image: Image, top: int, bottom: int, left: int, right: int) -> None:
    area: Any = image[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    area //= 3


def _text(image: Image, words: str, x: int, y: int, scale: float, colour: tuple[int, int, int]) -> None:
    import cv2

    cv2.putText(image, words, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)
