"""Cuts an upright crop out of a frame, of a face or of all of it, and says where in the frame it lies; `blending` puts
back what a model changed in it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CardError
from ..faces import Face, Point
from ..model.card import ModelCard, SizeRule
from ..model.image import Halves, Image
from ..types import Float32Array

Part = tuple[int, int, int, int]  # (x0, y0, x1, y1) of the frame
Matrix = NDArray[np.float64]  # (2, 3): pixel indices of the frame to pixel indices of the crop

# A pixel of the frame stays as it is where it would move by less than half a grey level: by what is added, and by what
# its own level, of up to 255, is multiplied with.
_ADDED, _SCALED = 0.4, 0.1 / 255.0
_CELL_WH = (16, 48)  # pixels of the frame that are seen as one
_REACH = 1.5  # pixels of the change: 1 of the sampling between them, 0.5 of rounding the place of a cell
_GAP = 4  # an even number of cells that are rather blended than passed over: each window costs half a dozen calls


def crop(frame: Image | Halves, face: Face, card: ModelCard) -> tuple[Image, Matrix]:
    """The face, turned and scaled so that its eyes lie where `card.alignment` wants them.

    Returns:
        The crop, of the card's size, and the matrix that `blending.blend` needs. Beyond the frame's edge its last
        pixels go on.

    Raises:
        CardError: the card has no alignment.
    """
    matrix = crop_matrix(face, card)
    return warp(frame, matrix, card.size.hw), matrix


def crop_matrix(face: Face, card: ModelCard) -> Matrix:
    """The matrix of `crop`; raises CardError where the card has no alignment."""
    if card.alignment is None:
        raise CardError(
            f"the card of {card.name} says that it edits faces, but not where the eyes lie", todo="export again"
        )
    height, width = card.size.hw
    to = [(x * width, y * height) for x, y in (card.alignment.left_eye, card.alignment.right_eye)]
    return similarity((face.left_eye, face.right_eye), (to[0], to[1]))


def work_size(frame_hw: tuple[int, int], rule: SizeRule) -> tuple[int, int]:
    """The (height, width) at which a whole frame of `frame_hw` goes through a network.

    A fixed size stays as it is. Else it has the frame's own shape and about as many pixels as `rule.hw`, the size
    the network was trained at, in whole multiples and within the rule's limits.
    """
    if rule.kind == "fixed":
        return rule.hw
    n = rule.multiple
    scale = math.sqrt(rule.hw[0] * rule.hw[1] / (frame_hw[0] * frame_hw[1]))
    low, high = rule.min_hw or (1, 1), rule.max_hw or (1 << 16, 1 << 16)
    height, width = (
        min(max(round(side * scale / n), -(-least // n)), most // n) * n
        for side, least, most in zip(frame_hw, low, high, strict=True)
    )
    return max(height, n), max(width, n)


def whole(frame: Image, hw: tuple[int, int]) -> tuple[Image, Matrix]:
    """The whole frame at `hw`, and the matrix that `blending.blend` needs.

    Height and width shrink alike, since a squeezed horse is not what the network has learned. What is left over at
    two sides is the frame mirrored: black bars would shift the statistics that instance norms divide by.
    """
    import cv2

    matrix = whole_matrix((frame.shape[0], frame.shape[1]), hw)
    return warp(frame, matrix, hw, border=cv2.BORDER_REFLECT_101), matrix


def whole_matrix(frame_hw: tuple[int, int], hw: tuple[int, int]) -> Matrix:
    """The matrix of `whole`, for a frame of `frame_hw`."""
    scale = min(hw[0] / frame_hw[0], hw[1] / frame_hw[1])
    corner = ((hw[1] - scale * frame_hw[1]) / 2, (hw[0] - scale * frame_hw[0]) / 2)
    matrix = np.array([[scale, 0.0, corner[0]], [0.0, scale, corner[1]]])
    matrix[:, 2] += 0.5 * scale - 0.5  # pixel index i lies at i + 0.5
    return matrix


def similarity(points: tuple[Point, Point], to: tuple[Point, Point]) -> Matrix:
    """The turn, scale and shift that takes two places in a frame to two places in a crop.

    Places are in pixels where pixel (0, 0) covers the square from (0, 0) to (1, 1).
    """
    a, b = (complex(*p) for p in points)
    c, d = (complex(*p) for p in to)
    # As complex numbers the similarity is z -> factor * z + shift; eyes in one place would make it infinite.
    factor = (d - c) / (b - a if abs(b - a) > 1e-3 else 1e-3)
    shift = c - factor * a
    linear = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    # Pixel index i lies at i + 0.5.
    offset = linear @ (0.5, 0.5) + (shift.real - 0.5, shift.imag - 0.5)
    return np.concatenate([linear, offset[:, None]], axis=1)


def warp(frame: Image | Halves, matrix: Matrix, hw: tuple[int, int], border: int | None = None) -> Image:
    """Samples the frame at the crop's pixels; a strong reduction averages first, as training's resize did."""
    import cv2

    halves = Halves.of(frame)
    source: Any = halves[0]
    shrink = count_pixels(matrix)
    part = region(matrix, hw, (source.shape[0], source.shape[1]))
    if shrink > 1 and part is not None:
        # By halves as long as the factor is even, which is faster than at once, and others may need them too.
        times = count_even(shrink)
        x0, y0, x1, y1 = begin_at_halves(part, shrink)
        columns, rows = max(1, (x1 - x0) // shrink), max(1, (y1 - y0) // shrink)
        source = halves.cut(times, (x0, y0, min(x1, x0 + columns * shrink), min(y1, y0 + rows * shrink)))
        if source.shape[1::-1] != (columns, rows):
            source = cv2.resize(source, (columns, rows), interpolation=cv2.INTER_AREA)
        # Index i of the reduced region covers the frame's indices from x0 + i * shrink.
        centre = (shrink - 1) / 2
        shift = matrix[:, :2] @ (x0 + centre, y0 + centre) + matrix[:, 2]
        matrix = np.concatenate([matrix[:, :2] * shrink, shift[:, None]], axis=1)
    border = cv2.BORDER_REPLICATE if border is None else border
    warped: Any = cv2.warpAffine(source, matrix, (hw[1], hw[0]), flags=cv2.INTER_LINEAR, borderMode=border)
    return warped  # type: ignore[no-any-return]


def count_pixels(matrix: Matrix) -> int:
    """How many pixels of the frame, along each side, are averaged before a crop is sampled; 0 or 1 for none."""
    (a, b, _), (c, d, _) = matrix.tolist()
    return int(1.0 / max(1e-6, math.sqrt(abs(a * d - b * c))))


def count_even(shrink: int) -> int:
    """How often a whole number can be halved."""
    return (shrink & -shrink).bit_length() - 1


def begin_at_halves(part: Part, shrink: int) -> Part:
    """A part of the frame, (x0, y0, x1, y1), that begins where a pixel of the frame's halves does; see `Halves.cut`."""
    times = count_even(shrink)
    return part[0] >> times << times, part[1] >> times << times, *part[2:]


def region(matrix: Matrix, crop_hw: tuple[int, int], frame_hw: tuple[int, int]) -> Part | None:
    """The part of the frame that the crop covers, its edges included: (x0, y0, x1, y1); None if it is empty."""
    (a, b, c), (d, e, f) = matrix.tolist()
    scale = 1.0 / (a * e - b * d)
    corners = [(x - c, y - f) for x in (-0.5, crop_hw[1] - 0.5) for y in (-0.5, crop_hw[0] - 0.5)]
    xs, ys = ([scale * (p * x + q * y) for x, y in corners] for p, q in ((e, -b), (-d, a)))
    low = [max(math.floor(min(side)) - 2, 0) for side in (xs, ys)]
    high = [min(math.ceil(max(side)) + 3, most) for side, most in ((xs, frame_hw[1]), (ys, frame_hw[0]))]
    if high[0] <= low[0] or high[1] <= low[1]:
        return None
    return low[0], low[1], high[0], high[1]


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
