"""The picture as it is looked at: edited, as it came, or both, mirrored or not, and with the mark."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import lettering
from .image import Image
from .panel import Look

_WHITE = (255, 255, 255)


def compose(after: Image, before: Image | None, look: Look, mark: str = "") -> Image:
    """A new picture that shows the look: where only the edited one is there, that; the mark on what is edited."""
    if look.view == "before" and before is not None:
        return _copy(before, look.mirror)
    shown = _copy(after, look.mirror)
    if mark:
        draw_mark(shown, mark)
    if before is None or look.view == "after":
        return shown
    if look.mirror:
        before = _copy(before, look.mirror)
    if look.view == "both":
        return side_by_side(before, shown)
    divider = round(look.split * shown.shape[1])
    shown[:, :divider] = _fitted(before, (shown.shape[0], shown.shape[1]))[:, :divider]
    _draw_divider(shown, divider)
    return shown


def frame_point(look: Look, x: float, y: float) -> tuple[float, float]:
    """The place in the frame that is shown at (x, y) of the composed picture; all from 0 to 1."""
    if look.view == "both":
        x = x * 2 % 1.0
    return (1.0 - x if look.mirror else x), y


def side_by_side(before: Image, after: Image) -> Image:
    """Both pictures in one, before on the left; `before` is resized to the height of `after` if it differs."""
    height = after.shape[0]
    width = before.shape[1] if before.shape[0] == height else max(1, round(before.shape[1] * height / before.shape[0]))
    return np.ascontiguousarray(np.hstack([_fitted(before, (height, width)), after]))


def draw_mark(image: Image, words: str) -> None:
    """Draws the words into the lower right corner, in place."""
    height = min(max(11, round(image.shape[0] * 0.032)), 40)
    while height > 6 and lettering.width(words, height) + height > image.shape[1]:
        height -= 1
    pad = height // 3
    bottom, right = image.shape[0], image.shape[1]
    top, left = bottom - height - pad, right - lettering.width(words, height) - 2 * pad
    darken(image, top, bottom, left, right)
    lettering.write(image, words, left + pad, top + pad // 2, height, _WHITE)


def darken(image: Image, top: int, bottom: int, left: int, right: int) -> None:
    """Leaves a third of the light of an area, in place; what falls beyond the edges is left out."""
    area: Any = image[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    area //= 3


def _copy(image: Image, mirror: bool) -> Image:
    if not mirror:
        return image.copy(order="C")
    import cv2

    return np.asarray(cv2.flip(image, 1), np.uint8)  # many times as fast as a copy of image[:, ::-1]


def _fitted(image: Image, hw: tuple[int, int]) -> Image:
    """The picture at another size, where it has not that size."""
    if image.shape[:2] == hw:
        return image
    import cv2

    resized: Any = cv2.resize(np.ascontiguousarray(image), (hw[1], hw[0]))
    return np.asarray(resized, np.uint8)


def _draw_divider(image: Image, x: int) -> None:
    """A line with a handle at its middle."""
    height, width = image.shape[:2]
    thick = max(1, width // 640)
    left = min(max(0, x - thick // 2), width - thick)
    image[:, left : left + thick] = _WHITE
    grip, long = 3 * thick, max(6, height // 24)
    image[height // 2 - long : height // 2 + long, max(0, left + thick // 2 - grip) : left + thick // 2 + grip + 1] = (
        _WHITE
    )
