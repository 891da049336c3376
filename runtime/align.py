"""Cuts an upright crop out of a frame, and puts what a model changed in it back.

The same affine warp serves both ways. Crops hold 64 to 256 pixels where the face in the frame may hold 500, so the
edited crop itself would come back blurred. Only the change comes back: `frame + mask * upscale(edited - crop)`, so
that wherever the model changed nothing the frame keeps its own sharp pixels, exactly. Where the model changed much
(glasses taken off), the frame's own fine detail belongs to what was there before, and it fades out with the change.
"""

from __future__ import annotations

from functools import lru_cache
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .card import ModelCard, SizeRule
from .errors import CardError
from .faces import Face, Point
from .image import Image

Floats = NDArray[np.float32]
Matrix = NDArray[np.float64]  # (2, 3): pixel indices of the frame to pixel indices of the crop

# A change of up to 12 grey levels leaves the frame's detail alone, one of 48 and more replaces it.
_DETAIL_STAYS, _DETAIL_GOES = 12.0, 48.0
_BAND = 32  # rows
_FINER = 2  # a change is first enlarged this much smoothly, which bilinear sampling alone would not do


def crop(frame: Image, face: Face, card: ModelCard) -> tuple[Image, Matrix]:
    """The face, turned and scaled so that its eyes lie where `card.alignment` wants them.

    Returns:
        The crop, of the card's size, and the matrix that `blend` needs. Beyond the frame's edge its last
        pixels go on.

    Raises:
        CardError: the card has no alignment.
    """
    if card.alignment is None:
        raise CardError(
            f"the card of {card.name} says that it edits faces, but not where the eyes lie", todo="export again"
        )
    height, width = card.size.hw
    to = [(x * width, y * height) for x, y in (card.alignment.left_eye, card.alignment.right_eye)]
    matrix = similarity((face.left_eye, face.right_eye), (to[0], to[1]))
    return _warp(frame, matrix, (height, width)), matrix


def work_size(frame_hw: tuple[int, int], rule: SizeRule) -> tuple[int, int]:
    """The (height, width) at which a whole frame of `frame_hw` goes through a network.

    A fixed size stays as it is. Else it has the frame's own shape and about as many pixels as `rule.hw`, the size
    the network was trained at, in whole multiples and within the rule's limits.
    """
    if rule.kind == "fixed":
        return rule.hw
    n = rule.multiple
    scale = sqrt(rule.hw[0] * rule.hw[1] / (frame_hw[0] * frame_hw[1]))
    low, high = rule.min_hw or (1, 1), rule.max_hw or (1 << 16, 1 << 16)
    height, width = (
        min(max(round(side * scale / n), -(-least // n)), most // n) * n
        for side, least, most in zip(frame_hw, low, high, strict=True)
    )
    return max(height, n), max(width, n)


def whole(frame: Image, hw: tuple[int, int]) -> tuple[Image, Matrix]:
    """The whole frame at `hw`, and the matrix that `blend` needs.

    Height and width shrink alike, since a squeezed horse is not what the network has learned. What is left over at
    two sides is the frame mirrored: black bars would shift the statistics that instance norms divide by.
    """
    import cv2

    height, width = hw
    scale = min(height / frame.shape[0], width / frame.shape[1])
    corner = ((width - scale * frame.shape[1]) / 2, (height - scale * frame.shape[0]) / 2)
    matrix = np.array([[scale, 0.0, corner[0]], [0.0, scale, corner[1]]])
    matrix[:, 2] += 0.5 * scale - 0.5  # pixel index i lies at i + 0.5
    return _warp(frame, matrix, hw, border=cv2.BORDER_REFLECT_101), matrix


def blend(frame: Image, before: Image, after: Image, matrix: Matrix, margin: float) -> None:
    """Adds to `frame`, in place, what changed from the crop `before` to the crop `after`.

    `matrix` is the one that made `before`. The change fades out over `margin`, a fraction of the crop at each edge;
    0 is for crops that are the whole frame. Pixels outside the crop, and under unchanged parts of it, stay as
    they are, exactly.
    """
    import cv2

    if np.array_equal(before, after):
        return
    crop_hw = (before.shape[0], before.shape[1])
    region = _region(matrix, crop_hw, (frame.shape[0], frame.shape[1]))
    if region is None:
        return
    # out = frame + mask * (change - gone * (frame - before)), with all but the frame in the crop's pixels, so that
    # one warp brings up both the sum of what to add and the share of the frame to take away.
    mask = _mask(crop_hw, margin)[:, :, None]
    gone = mask * _replaced(before, after)[:, :, None]
    change = after.astype(np.float32) - before
    add = np.concatenate([mask * change + gone * before, gone], axis=2)
    add = cv2.resize(add, None, fx=_FINER, fy=_FINER, interpolation=cv2.INTER_CUBIC)
    if margin > 0:
        add[:1] = add[-1:] = add[:, :1] = add[:, -1:] = 0.0  # so that nothing leaks out between the last pixels
    border = cv2.BORDER_CONSTANT if margin > 0 else cv2.BORDER_REPLICATE
    x0, y0, x1, y1 = region
    # In bands, so that the temporaries stay in the cache: fresh megabytes for each frame cost more than the sums.
    for top in range(y0, y1, _BAND):
        roi = frame[top : min(top + _BAND, y1), x0:x1]
        fine = matrix * _FINER
        fine[:, 2] += fine[:, :2] @ (x0, top) + (_FINER - 1) / 2
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        up = cv2.warpAffine(add, fine, (roi.shape[1], roi.shape[0]), flags=flags, borderMode=border)
        # Four channels throughout, the last one unused: twice as fast as three of four.
        result: Any = cv2.cvtColor(roi, cv2.COLOR_BGR2BGRA) * (1.0 - up[:, :, 3:])
        result += up
        np.maximum(result, 0.0, out=result)
        # convertScaleAbs rounds to nearest and stops at 255.
        roi[:] = cv2.cvtColor(cv2.convertScaleAbs(result), cv2.COLOR_BGRA2BGR)


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


def _warp(frame: Image, matrix: Matrix, hw: tuple[int, int], border: int | None = None) -> Image:
    """Samples the frame at the crop's pixels; a strong reduction averages first, as training's resize did."""
    import cv2

    source: Any = frame
    shrink = int(1.0 / max(1e-6, np.sqrt(abs(np.linalg.det(matrix[:, :2])))))
    region = _region(matrix, hw, (frame.shape[0], frame.shape[1]))
    if shrink > 1 and region is not None:
        x0, y0, x1, y1 = region
        columns, rows = max(1, (x1 - x0) // shrink), max(1, (y1 - y0) // shrink)
        cut = frame[y0 : min(y1, y0 + rows * shrink), x0 : min(x1, x0 + columns * shrink)]
        source = cv2.resize(cut, (columns, rows), interpolation=cv2.INTER_AREA)
        # Index i of the reduced region covers the frame's indices from x0 + i * shrink.
        centre = (shrink - 1) / 2
        shift = matrix[:, :2] @ (x0 + centre, y0 + centre) + matrix[:, 2]
        matrix = np.concatenate([matrix[:, :2] * shrink, shift[:, None]], axis=1)
    border = cv2.BORDER_REPLICATE if border is None else border
    warped: Any = cv2.warpAffine(source, matrix, (hw[1], hw[0]), flags=cv2.INTER_LINEAR, borderMode=border)
    return warped  # type: ignore[no-any-return]


def _region(matrix: Matrix, crop_hw: tuple[int, int], frame_hw: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """The part of the frame that the crop covers, its edges included: (x0, y0, x1, y1); None if it is empty."""
    height, width = crop_hw
    corners = np.array([[-0.5, width - 0.5, -0.5, width - 0.5], [-0.5, -0.5, height - 0.5, height - 0.5]])
    there = np.linalg.solve(matrix[:, :2], corners - matrix[:, 2:])
    low = np.maximum(np.floor(there.min(axis=1)).astype(int) - 2, 0)
    high = np.minimum(np.ceil(there.max(axis=1)).astype(int) + 3, (frame_hw[1], frame_hw[0]))
    if (high <= low).any():
        return None
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


@lru_cache(maxsize=8)
def _mask(hw: tuple[int, int], margin: float) -> Floats:
    """1 inside, falling smoothly to 0 at the edges over `margin` of each side; (H, W) float32."""

    def ramp(count: int) -> NDArray[np.float64]:
        place = (np.arange(count) + 0.5) / count
        return _smoothstep(np.minimum(place, 1.0 - place) / max(margin, 1e-6))

    mask = np.outer(ramp(hw[0]), ramp(hw[1])).astype(np.float32)
    mask.setflags(write=False)
    return mask


def _replaced(before: Image, after: Image) -> Floats:
    """How far the frame's own detail has to go, in [0, 1], for each pixel of the crop; (H, W) float32."""
    import cv2

    change: Any = cv2.absdiff(before, after).max(axis=2).astype(np.float32)
    # One pixel more on each side: the detail of an outline lies on both.
    change = cv2.GaussianBlur(cv2.dilate(change, np.ones((3, 3), np.uint8)), (3, 3), 0)
    replaced: Floats = _smoothstep((change - _DETAIL_STAYS) / (_DETAIL_GOES - _DETAIL_STAYS)).astype(np.float32)
    return replaced


def _smoothstep(x: NDArray[Any]) -> NDArray[Any]:
    x = np.clip(x, 0.0, 1.0)
    smooth: NDArray[Any] = x * x * (3.0 - 2.0 * x)
    return smooth
