"""The picture as it is looked at: edited, as it came, or both, mirrored or not, and with what is drawn over it.

Drawings, such as the mark, are kept as layers and blended in one pass, until what they show has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ...model.image import Image
from ..controls.look import Look
from . import lettering

Area = tuple[int, int, int, int]  # top, bottom, left, right, in pixels
Draw = Callable[[Image], Area]

_WHITE = (255, 255, 255)


def compose(after: Image, before: Image | None, look: Look, mark: str = "") -> Image:
    """A new picture that shows the look: where only the edited one is there, that; the mark on what is edited.

    Each pixel is copied once. `before` is resized to the height of `after` if it differs.
    """
    if look.view == "before" and before is not None:
        return _copy_of(before, look.mirror)
    if before is None or look.view == "after":
        return _add_mark(_copy_of(after, look.mirror), mark)
    height, width = after.shape[:2]
    if look.view == "both":
        left = before.shape[1] if before.shape[0] == height else max(1, round(before.shape[1] * height / len(before)))
        both = np.empty((height, left + width, 3), np.uint8)
        _copy(_resize(before, (height, left)), both[:, :left], look.mirror)
        _copy(after, both[:, left:], look.mirror)
        _add_mark(both[:, left:], mark)
        return both
    shown = _add_mark(_copy_of(after, look.mirror), mark)
    divider = round(look.split * width)
    before = _resize(before, (height, width))
    _copy(before[:, width - divider :] if look.mirror else before[:, :divider], shown[:, :divider], look.mirror)
    _draw_divider(shown, divider)
    return shown


def frame_point(look: Look, x: float, y: float) -> tuple[float, float]:
    """The place in the frame that is shown at (x, y) of the composed picture; all from 0 to 1."""
    if look.view == "both":
        x = x * 2 % 1.0
    return (1.0 - x if look.mirror else x), y


def darken(image: Image, top: int, bottom: int, left: int, right: int) -> None:
    """Leaves a third of the light of an area, in place; what falls beyond the edges is left out."""
    area: Any = image[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    area //= 3


class Layer(NamedTuple):
    """A drawing over one area: the share that it leaves of the light beneath, in 255ths, and the light that it adds.

    So it serves for drawings that darken, write and fill. They work on a picture in place, and return the area
    outside of which they changed nothing.
    """

    area: tuple[slice, slice]
    share: Image
    light: Image

    @classmethod
    def of(cls, draw: Draw, black: Image, white: Image) -> Layer:
        """Lets it draw on two pictures of one colour each, which are left as they were: the two tell all others."""
        draw(black)
        top, bottom, left, right = draw(white)
        area = slice(max(0, top), max(0, bottom)), slice(max(0, left), max(0, right))
        light = black[area].copy()
        share = white[area] - light
        black[area], white[area] = 0, 255
        return cls(area, share, light)

    def blend(self, image: Image) -> None:
        """Does in place what the drawing does; each value may be one or two off, since it is rounded otherwise."""
        import cv2

        beneath = image[self.area]
        if beneath.size:
            cv2.multiply(beneath, self.share, dst=beneath, scale=1 / 255)
            cv2.add(beneath, self.light, dst=beneath)


class Layers:
    """The layers over the pictures of one run, each under a name of its own. For one thread."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Hashable, Layer]] = {}
        self._canvases = canvases((0, 0, 3))

    def draw(self, image: Image, name: str, shows: Hashable, draw: Draw) -> None:
        """Does what `draw(image)` does; the same `shows` on pictures of one size means the same drawing."""
        key = (shows, image.shape)
        kept = self._kept.get(name)
        if kept is None or kept[0] != key:
            if self._canvases[0].shape != image.shape:
                self._canvases = canvases(image.shape)
            kept = self._kept[name] = key, Layer.of(draw, *self._canvases)
        kept[1].blend(image)


def canvases(shape: tuple[int, ...]) -> tuple[Image, Image]:
    """A black picture and a white one."""
    return np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8)


def _add_mark(image: Image, words: str) -> Image:
    """The picture with the words in its lower right corner, drawn in place."""
    if words:
        _mark(words, image.shape).blend(image)
    return image


@lru_cache(maxsize=16)
def _mark(words: str, shape: tuple[int, ...]) -> Layer:
    return Layer.of(lambda on: _draw_mark(on, words), *canvases(shape))


def _draw_mark(image: Image, words: str) -> Area:
    bottom, right = image.shape[:2]
    height = min(max(11, round(bottom * 0.032)), 40)
    while height > 6 and lettering.width(words, height) + height > right:
        height -= 1
    pad = height // 3
    top, left = bottom - height - pad, right - lettering.width(words, height) - 2 * pad
    darken(image, top, bottom, left, right)
    lettering.write(image, words, left + pad, top + pad // 2, height, _WHITE)
    return top, bottom, left, right


def _copy_of(image: Image, mirror: bool) -> Image:
    made = np.empty(image.shape, np.uint8)
    _copy(image, made, mirror)
    return made


def _copy(image: Image, to: Image, mirror: bool) -> None:
    """Writes the picture into another of its size, which may be a part of a larger one."""
    if not mirror:
        to[...] = image
    elif image.size:
        import cv2

        cv2.flip(image, 1, dst=to)  # many times as fast as a copy of image[:, ::-1]


def _resize(image: Image, hw: tuple[int, int]) -> Image:
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
