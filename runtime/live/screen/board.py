"""Where things lie on the picture: the height of a line of text, and the sliders in their columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..controls.slider import Slider


def line_height(hw: tuple[int, int]) -> int:
    """Of text on a picture of `hw` pixels."""
    return min(max(13, round(min(hw[0] / 30, hw[1] / 42))), 48)


def board_top(hw: tuple[int, int]) -> int:
    """Where the sliders begin: below three status lines."""
    return round(line_height(hw) * 3.6)


@dataclass(frozen=True)
class Row:
    """Where one slider is drawn, in pixels; the bar lies at the lower end."""

    slider: Slider
    top: int
    left: int
    right: int


class Board:
    """Where the sliders lie on a picture of `hw` pixels, below `top`: in as many columns as they need."""

    def __init__(self, sliders: Sequence[Slider], hw: tuple[int, int], top: int) -> None:
        height, width = hw
        self.line = line_height(hw)
        self.step = round(self.line * 1.7)
        column = min(round(self.line * 12), width)
        fits = max(1, (height - top - self.line) // self.step)
        columns = -(-len(sliders) // fits)
        if columns * column > width:  # too many: closer together
            columns = max(1, width // column)
            fits = -(-len(sliders) // columns)
            self.step = max(4, min(self.step, (height - top - self.line) // fits))
            self.line = min(self.line, round(self.step * 0.8))
        pad = self.line // 2
        self.rows = [
            Row(slider, top + pad + n % fits * self.step, n // fits * column + pad, (n // fits + 1) * column - pad)
            for n, slider in enumerate(sliders)
        ]
        self.area = (top, top + 2 * pad + min(fits, len(sliders)) * self.step, 0, columns * column)

    def row_at(self, x: int, y: int) -> Row | None:
        """The one under a pixel."""
        for row in self.rows:
            if row.left - self.line // 2 <= x < row.right + self.line // 2 and row.top <= y < row.top + self.step:
                return row
        return None
