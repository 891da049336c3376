"""What is drawn over the picture for whoever sits before it: the status lines, the sliders, the help, a message.

The sliders are our own drawing, not the window system's: they look and work alike in a window, on a whole screen and
in a test.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...model.image import Image
from ..controls.panel import Panel, Word
from ..controls.slider import Slider
from . import lettering
from .board import Board, board_top, line_height
from .lettering import Colour
from .views import Area, darken

WHITE, GREY, ON, OFF = (255, 255, 255), (175, 175, 175), (120, 230, 120), (110, 150, 255)  # BGR
COLOURS = {"": GREY, "on": ON, "off": OFF}


Line = tuple[tuple[str, Colour], ...]


def draw_lines(image: Image, lines: Sequence[Line], *, top: int = 0) -> Area:
    """Draws lines of coloured words on a darkened band, in place, the first one at row `top`. -> where."""
    height = line_height((image.shape[0], image.shape[1]))
    area = top, top + round(height * (len(lines) + 0.5)), 0, image.shape[1]
    darken(image, *area)
    for number, line in enumerate(lines):
        x = height // 2
        for words, colour in line:
            lettering.write(image, words, x, top + height // 4 + number * height, height, colour)
            x += lettering.width(words, height) + height
    return area


def wrap(words: Sequence[tuple[str, Colour]], hw: tuple[int, int]) -> tuple[Line, ...]:
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
    return tuple(tuple(line) for line in lines)


def colour_words(words: Sequence[Word]) -> list[tuple[str, Colour]]:
    """Status words with the colours of their states."""
    return [(word, COLOURS[state]) for word, state in words]


def draw_sliders(image: Image, panel: Panel) -> Area:
    """Draws every slider with its key, name and value, in place. -> where."""
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
    return board.area


def draw_help(image: Image, lines: Sequence[str]) -> Area:
    """Draws the help in the middle, in place; "key  what it does" in two columns, smaller where there are many.
    -> where."""
    height, width = image.shape[:2]
    line = min(line_height((height, width)), max(8, round(height * 0.9 / (len(lines) + 1))))
    split = [entry.partition("  ") for entry in lines]
    keys = max(lettering.width(key, line) for key, _, _ in split)
    words = max(lettering.width(what, line) for _, _, what in split)
    pad = line
    wide, tall = keys + words + 3 * pad, line * len(lines) + pad
    left, top = max(0, (width - wide) // 2), max(0, (height - tall) // 2)
    area = top, top + tall, left, left + wide
    for _ in range(2):
        darken(image, *area)
    for number, (key, _, what) in enumerate(split):
        y = top + pad // 2 + number * line
        lettering.write(image, key, left + pad, y, line, ON)
        lettering.write(image, what, left + keys + 2 * pad, y, line, WHITE)
    return area


def draw_message(image: Image, words: str, colour: Colour = WHITE) -> Area:
    """Draws a message on a band in the lower part, in place. -> where."""
    hw = (image.shape[0], image.shape[1])
    return draw_lines(image, [((words, colour),)], top=hw[0] - 3 * line_height(hw))


def _zero(slider: Slider) -> float:
    """Where 0 lies, from 0 to 1."""
    return min(max(-slider.low / (slider.high - slider.low), 0.0), 1.0)


def _cut(words: str, room: int, height: int) -> str:
    while len(words) > 1 and lettering.width(words, height) > room:
        words = words[:-1]
    return words
