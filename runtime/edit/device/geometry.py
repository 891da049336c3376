"""Which part of a frame a graph is given, and where in it each pixel of the answer lies."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...types import Float32Array
from .. import blending
from ..align import Matrix, begin_at_halves, count_pixels, region

_STEP = 32  # blocks: windows grow in steps, since buffers are kept for the few sizes that came last


class Window(NamedTuple):
    """A part of a frame from (x, y) on, as `rows` x `columns` blocks of `side` x `side` pixels."""

    x: int
    y: int
    rows: int
    columns: int
    side: int = 1


class Places(NamedTuple):
    """Where the pixels of an answer lie in a picture, as `GridSample` counts: -1 at the first edge, 1 at the last.

    `across` (w, 2) and `down` (h, 2) are float32, and the place (x, y) of pixel (i, j) is across[i] + down[j].
    """

    across: Float32Array
    down: Float32Array


def window_of_crop(matrix: Matrix, hw: tuple[int, int], frame_hw: tuple[int, int]) -> Window:
    """The part of the frame that a crop of `hw` shows, averaged as `align.warp` does before it samples.

    It is larger than what the crop shows by up to 31 blocks each way, where the frame goes on.
    """
    part = region(matrix, hw, frame_hw)
    if part is None:
        return Window(0, 0, *frame_hw)
    side = min(max(1, count_pixels(matrix)), *frame_hw)
    return _window(begin_at_halves(part, side), side, frame_hw)


def window_of_change(matrix: Matrix, hw: tuple[int, int], frame_hw: tuple[int, int]) -> Window | None:
    """The part of the frame that a change in a crop of `hw` reaches, and some more; None where it reaches nothing."""
    part = region(matrix, hw, frame_hw)
    return None if part is None else _window(part, 1, frame_hw)


def places_of_crop(matrix: Matrix, hw: tuple[int, int], window: Window, *, mirror: bool) -> Places:
    """Where the pixels of a crop of `hw` lie in the averaged `window`.

    `mirror`: beyond the frame's edge it goes on mirrored (whole frames, which are not turned), else with its last
    pixels.
    """
    linear = np.linalg.inv(matrix[:, :2])
    base = -linear @ matrix[:, 2] - (window.x, window.y) - (window.side - 1) / 2
    return _places(linear / window.side, base / window.side, hw, (window.rows, window.columns), mirror=mirror)


def places_of_change(matrix: Matrix, hw: tuple[int, int], window: Window) -> Places:
    """Where the pixels of the `window` lie in the change of a crop of `hw`, which is enlarged as in `blending`."""
    linear = matrix[:, :2] * blending.FINER
    base = matrix[:, 2] * blending.FINER + (blending.FINER - 1) / 2 + linear @ (window.x, window.y)
    fine = (hw[0] * blending.FINER, hw[1] * blending.FINER)
    return _places(linear, base, (window.rows, window.columns), fine, mirror=False)


def _window(part: tuple[int, int, int, int], side: int, frame_hw: tuple[int, int]) -> Window:
    x0, y0, x1, y1 = part
    x, columns = _grow(x0, (x1 - x0) // side, side, frame_hw[1])
    y, rows = _grow(y0, (y1 - y0) // side, side, frame_hw[0])
    return Window(x, y, rows, columns, side)


def _grow(start: int, count: int, side: int, length: int) -> tuple[int, int]:
    """Start and number of blocks, at least `count`; they begin a multiple of `side` from `start` wherever they can."""
    count = min(-(-max(1, count) // _STEP) * _STEP, length // side)
    over = start + count * side - length
    if over > 0:
        start -= -(-over // side) * side
    if start < 0:
        start, count = (start + side, count - 1) if count > 1 else (0, 1)
    return start, count


def _places(
    linear: NDArray[np.float64],
    base: NDArray[np.float64],
    hw: tuple[int, int],
    source_hw: tuple[int, int],
    *,
    mirror: bool,
) -> Places:
    """Those of index (i, j) at `linear @ (i, j) + base`, in indices of a source of `source_hw`."""
    across = np.outer(np.arange(hw[1]), linear[:, 0]) + (base[0], 0.0)
    down = np.outer(np.arange(hw[0]), linear[:, 1]) + (0.0, base[1])
    size = np.array(source_hw[::-1], np.float64)
    if mirror:
        across[:, 0], down[:, 1] = _mirror(across[:, 0], source_hw[1]), _mirror(down[:, 1], source_hw[0])
    across, down = 2.0 * across / size, 2.0 * down / size
    across[:, 0] += 1.0 / size[0] - 1.0
    down[:, 1] += 1.0 / size[1] - 1.0
    return Places(across.astype(np.float32), down.astype(np.float32))


def _mirror(index: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Indices as cv2's BORDER_REFLECT_101 has them: -1 is 1, and `count` is `count - 2`."""
    if count == 1:
        return np.zeros_like(index)
    folded: NDArray[np.float64] = np.abs((index + (count - 1)) % (2 * (count - 1)) - (count - 1))
    return folded
