"""The search for small faces: which parts of a frame are looked at apart, and when."""

from __future__ import annotations

import math
from typing import NamedTuple

_LEAST_SIDE = 128  # pixels of a tile: the detector's network sees no more of a smaller one
_OVERLAP = 1 / 3  # of a tile's side that the next one sees again, so that each small face lies whole in one of them
_EACH = 2  # tiles of a frame in a video


class Tile(NamedTuple):
    """A square of a frame, in pixels: it begins at (x, y)."""

    x: int
    y: int
    side: int

    def holds(self, box: tuple[float, float, float, float]) -> bool:
        """Whether a box (x, y, width, height) lies in it whole."""
        x, y, width, height = box
        return self.x <= x and self.y <= y and x + width <= self.x + self.side and y + height <= self.y + self.side


def tiles_of(hw: tuple[int, int]) -> list[Tile]:
    """The tiles of a frame of `hw` (height, width) pixels: squares of half its shorter side; none for small frames."""
    side = min(hw) // 2
    if side < _LEAST_SIDE:
        return []
    return [Tile(x, y, side) for y in _starts(hw[0], side) for x in _starts(hw[1], side)]


def _starts(length: int, side: int) -> list[int]:
    count = 1 + math.ceil((length - side) / (side * (1 - _OVERLAP)))
    return [round(i * (length - side) / max(1, count - 1)) for i in range(count)]


def small_side(hw: tuple[int, int]) -> float:
    """Faces that are smaller, in pixels, are only found in tiles: the whole of a frame of `hw` shows larger ones."""
    return max(hw) / 4


class Sweep:
    """The tiles of each frame of a video: two of each, in turn, within a frame's budget.

    Args:
        whole_first: all of the first frame.
    """

    def __init__(self, *, whole_first: bool = True) -> None:
        self._first = whole_first
        self._next: int | None = None if whole_first else 0

    def take(self, hw: tuple[int, int]) -> list[Tile]:
        """The tiles of the next frame, of `hw` (height, width) pixels."""
        tiles = tiles_of(hw)
        if self._next is None or len(tiles) <= _EACH:
            self._next = 0
            return tiles
        taken = [tiles[(self._next + i) % len(tiles)] for i in range(_EACH)]
        self._next = (self._next + _EACH) % len(tiles)
        return taken

    def reset(self) -> None:
        """Begins again, as for another video."""
        self._next = None if self._first else 0
