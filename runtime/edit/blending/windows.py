"""Where in the frame the change of a crop can be seen at all: a third of what the crop covers, as a rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...types import Float32Array
from ..align import Matrix

Part = tuple[int, int, int, int]  # (x0, y0, x1, y1) of the frame

# A pixel of the frame stays as it is where it would move by less than half a grey level: by what is added, and by what
# its own level, of up to 255, is multiplied with.
_ADDED, _SCALED = 0.4, 0.1 / 255.0
_CELL_WH = (16, 48)  # pixels of the frame that are seen as one
_REACH = 1.5  # pixels of the change: 1 of the sampling between them, 0.5 of rounding the place of a cell
_GAP = 4  # an even number of cells that are rather blended than passed over: each window costs half a dozen calls


def find_windows(change: Float32Array, matrix: Matrix, part: Part, border: int) -> list[Part]:
    """The parts of `part` outside of which the frame stays as it is, whatever its pixels.

    Args:
        change: what to add to the frame (BGR), and what to multiply it by (A); (h, w, 4).
        matrix: pixel indices of the frame to those of the change.
        part: of the frame.
        border: how the change goes on beyond its edges, as OpenCV says it; constant is no change.
    """
    import cv2

    x0, y0, x1, y1 = part
    width, height = _CELL_WH
    if (x1 - x0) * (y1 - y0) <= change.shape[0] * change.shape[1]:  # to look would take longer than to blend it
        return [(x0, top, x1, min(top + height, y1)) for top in range(y0, y1, height)]
    # 255 where nothing is to be seen.
    plain: Any = cv2.inRange(change, (-_ADDED,) * 3 + (1.0 - _SCALED,), (_ADDED,) * 3 + (1.0 + _SCALED,))
    reach = np.ceil(np.abs(matrix[:, :2]) @ ((width - 1) / 2, (height - 1) / 2) + _REACH).astype(int)
    across, down = reach.tolist()
    # The middle of a cell may lie beyond the edges of the change.
    plain = cv2.copyMakeBorder(plain, down, down, across, across, border, value=255)
    plain = cv2.erode(plain, np.ones((2 * down + 1, 2 * across + 1), np.uint8))
    shift = matrix @ (x0 + (width - 1) / 2, y0 + (height - 1) / 2, 1.0) + reach
    to_cell = np.stack([matrix[:, 0] * width, matrix[:, 1] * height, shift], axis=1)
    wh = -(-(x1 - x0) // width), -(-(y1 - y0) // height)
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    cells: Any = cv2.warpAffine(plain, to_cell, wh, flags=flags, borderMode=border, borderValue=255)
    apart = cv2.copyMakeBorder(~cells, 0, 0, _GAP + 1, _GAP + 1, cv2.BORDER_CONSTANT, value=0)
    joined: Any = cv2.morphologyEx(apart, cv2.MORPH_CLOSE, np.ones((1, _GAP + 1), np.uint8))
    # Along a row beginnings and ends take turns.
    rows, columns = np.nonzero(np.diff(joined, axis=1))
    lefts, rights = (x0 + width * (columns[side::2] - _GAP) for side in (0, 1))
    tops = y0 + height * rows[::2]
    corners = lefts, tops, np.minimum(rights, x1), np.minimum(tops + height, y1)
    return list(zip(*(each.tolist() for each in corners), strict=True))
