"""Drawings over the picture that are kept, and blended in one pass, until what they show has changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import NamedTuple

import numpy as np

from ...model.image import Image

Area = tuple[int, int, int, int]  # top, bottom, left, right, in pixels
Draw = Callable[[Image], Area]


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
