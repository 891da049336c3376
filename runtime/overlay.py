"""What is drawn over the picture for whoever sits before it: the status lines, the sliders, the help, a message.

The sliders are our own drawing, not the window system's: they look and work alike in a window, on a whole screen and
in a test. `Touch` is the mouse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import lettering
from .image import Image
from .lettering import Colour
from .panel import Panel, Slider, Word
from .views import darken, frame_point

WHITE, GREY, ON, OFF = (255, 255, 255), (175, 175, 175), (120, 230, 120), (110, 150, 255)  # BGR
COLOURS = {"": GREY, "on": ON, "off": OFF}
_GRAB = 0.02  # of the width: how near to the divider a press takes it


@dataclass(frozen=True)
class _Row:
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
            _Row(slider, top + pad + n % fits * self.step, n // fits * column + pad, (n // fits + 1) * column - pad)
            for n, slider in enumerate(sliders)
        ]
        self.area = (top, top + 2 * pad + min(fits, len(sliders)) * self.step, 0, columns * column)

    def row_at(self, x: int, y: int) -> _Row | None:
        """The one under a pixel."""
        for row in self.rows:
            if row.left - self.line // 2 <= x < row.right + self.line // 2 and row.top <= y < row.top + self.step:
                return row
        return None


class Touch:
    """What the mouse does to a panel, told in pixels of a composed picture of `hw`. For one thread."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._row: _Row | None = None
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


def line_height(hw: tuple[int, int]) -> int:
    """Of text on a picture of `hw` pixels."""
    return min(max(13, round(min(hw[0] / 30, hw[1] / 42))), 48)


def board_top(hw: tuple[int, int]) -> int:
    """Where the sliders begin: below three status lines."""
    return round(line_height(hw) * 3.6)


def draw_lines(image: Image, lines: Sequence[Sequence[tuple[str, Colour]]], *, top: int = 0, height: int = 0) -> None:
    """Draws lines of coloured words on a darkened band, in place, the first one at row `top`."""
    height = height or line_height((image.shape[0], image.shape[1]))
    darken(image, top, top + round(height * (len(lines) + 0.5)), 0, image.shape[1])
    for number, line in enumerate(lines):
        x = height // 2
        for words, colour in line:
            lettering.write(image, words, x, top + height // 4 + number * height, height, colour)
            x += lettering.width(words, height) + height


def wrapped(words: Sequence[tuple[str, Colour]], hw: tuple[int, int]) -> list[list[tuple[str, Colour]]]:
    """The words in as many lines as they need on a picture of `hw` pixels."""
    height = line_height(hw)
    lines: list[list[tuple[str, Colour]]] = [[]]
    x = height // 2
    for word in words:
        long = lettering.width(word[0], height) + height
        if x + long > hw[1] and lines[-1]:
            lines.append([])
            x = height // 2
        lines[-1].append(word)
        x += long
    return lines


def coloured(words: Sequence[Word]) -> list[tuple[str, Colour]]:
    """Status words with the colours of their states."""
    return [(word, COLOURS[state]) for word, state in words]


def draw_sliders(image: Image, panel: Panel) -> None:
    """Draws every slider with its key, name and value, in place."""
    hw = (image.shape[0], image.shape[1])
    board = Board(panel.sliders, hw, board_top(hw))
    darken(image, *board.area)
    thick = max(2, board.line // 6)
    for row in board.rows:
        slider = row.slider
        colour = GREY if slider.value == slider.rest else ON if (slider.value or 0.0) > 0 else OFF
        name = f"{slider.key}  {slider.name}" if slider.key else slider.name
        value = "as it is" if slider.value is None else f"{slider.value:.2f}".rstrip("0").rstrip(".")
        room = row.right - row.left - lettering.width(value, board.line) - board.line // 2
        lettering.write(image, _cut(name, room, board.line), row.left, row.top, board.line, WHITE)
        lettering.write(image, value, row.right - lettering.width(value, board.line), row.top, board.line, colour)
        bar = row.top + min(board.step - thick - 1, round(board.line * 1.15))
        begin = row.left + round(_zero(slider) * (row.right - row.left))
        place = row.left + round(slider.place() * (row.right - row.left))
        image[bar : bar + thick, row.left : row.right] = (90, 90, 90)
        image[bar : bar + thick, min(begin, place) : max(begin, place)] = colour
        if slider.name == panel.held:
            colour = WHITE
        image[max(0, bar - thick) : bar + 2 * thick, max(0, place - thick) : place + thick] = colour


def draw_help(image: Image, lines: Sequence[str]) -> None:
    """Draws the help in the middle, in place; "key  what it does" in two columns, smaller where there are many."""
    height, width = image.shape[:2]
    line = min(line_height((height, width)), max(8, round(height * 0.9 / (len(lines) + 1))))
    split = [entry.partition("  ") for entry in lines]
    keys = max(lettering.width(key, line) for key, _, _ in split)
    words = max(lettering.width(what, line) for _, _, what in split)
    pad = line
    wide, tall = keys + words + 3 * pad, line * len(lines) + pad
    left, top = max(0, (width - wide) // 2), max(0, (height - tall) // 2)
    for _ in range(2):
        darken(image, top, top + tall, left, left + wide)
    for number, (key, _, what) in enumerate(split):
        y = top + pad // 2 + number * line
        lettering.write(image, key, left + pad, y, line, ON)
        lettering.write(image, what, left + keys + 2 * pad, y, line, WHITE)


def draw_message(image: Image, words: str, colour: Colour = WHITE) -> None:
    """Draws a message on a band in the lower part, in place."""
    hw = (image.shape[0], image.shape[1])
    draw_lines(image, [[(words, colour)]], top=hw[0] - 3 * line_height(hw))


def _zero(slider: Slider) -> float:
    """Where 0 lies, from 0 to 1."""
    return min(max(-slider.low / (slider.high - slider.low), 0.0), 1.0)


def _cut(words: str, room: int, height: int) -> str:
    while len(words) > 1 and lettering.width(words, height) > room:
        words = words[:-1]
    return words
