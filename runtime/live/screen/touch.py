"""The mouse on the picture."""

from __future__ import annotations

from ..controls.panel import Panel
from .board import Board, Row, board_top
from .views import frame_point

_GRAB = 0.02  # of the width: how near to the divider a press takes it


class Touch:
    """What the mouse does to a panel, told in pixels of a composed picture of `hw`. For one thread."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._row: Row | None = None
        self._on_divider = False

    def press(self, x: int, y: int, hw: tuple[int, int]) -> None:
        """The button goes down: takes a slider or the divider, or chooses a place in the frame."""
        panel, look = self._panel, self._panel.look
        share = x / max(1, hw[1])
        self._row = Board(panel.sliders, hw, board_top(hw)).row_at(x, y) if look.sliders else None
        self._on_divider = self._row is None and look.view == "split" and abs(share - look.split) <= _GRAB
        if self._row is None and not self._on_divider:
            panel.choose(click=frame_point(look, share, y / max(1, hw[0])))
        else:
            self.drag(x, hw)

    def drag(self, x: int, hw: tuple[int, int]) -> None:
        """The mouse moves while the button is down."""
        if self._row is not None:
            row = self._row
            self._panel.set(row.slider.name, row.slider.at((x - row.left) / max(1, row.right - row.left)))
        elif self._on_divider:
            self._panel.choose(split=x / max(1, hw[1]))

    def release(self) -> None:
        """The button goes up."""
        self._row, self._on_divider = None, False
