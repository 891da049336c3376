"""Words as pixels, in a typeface that stays readable when it is small."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...model.image import Image

Colour = tuple[int, int, int]  # BGR
_FINER = 4  # letters are drawn so much larger and reduced: small ones keep their spacing


def write(image: Image, words: str, x: int, y: int, height: int, colour: Colour) -> None:
    """Writes into the picture, in place: (x, y) is the upper left corner of a line of `height` pixels.

    What falls beyond the picture's edges is left out.
    """
    import cv2

    share, light = _ink(words, height, colour)
    tall, wide = share.shape[:2]
    area = image[max(0, y) : max(0, y + tall), max(0, x) : max(0, x + wide)]
    if area.size:  # else it lies beyond the edges
        seen = (
            slice(max(0, -y), max(0, -y) + area.shape[0]),
            slice(max(0, -x), max(0, -x) + area.shape[1]),
        )
        cv2.multiply(area, share[seen], dst=area, scale=1 / 255)
        cv2.add(area, light[seen], dst=area)


def width(words: str, height: int) -> int:
    """How many pixels wide the words are in a line of `height` pixels."""
    return int(_mask(words, height).shape[1])


@lru_cache(maxsize=64)
def _ink(words: str, height: int, colour: Colour) -> tuple[Image, Image]:
    """The share that they leave of the light beneath, in 255ths, and the light that they add: (height, width, 3)."""
    import cv2

    mask = _mask(words, height)
    share = cv2.bitwise_not(cv2.merge((mask, mask, mask)))
    light = cv2.merge([cv2.convertScaleAbs(mask, alpha=value / 255) for value in colour])
    return np.asarray(share, np.uint8), np.asarray(light, np.uint8)


@lru_cache(maxsize=512)
def _mask(words: str, height: int) -> NDArray[np.uint8]:
    """(height, width), from 0 to 255."""
    space = _space(height)
    drawn = [_word(word, height) for word in words.split(" ")]
    begins = np.cumsum([0.0, *(letters.shape[1] - 1 + space for letters in drawn)]).round().astype(int)
    mask = np.zeros((height, int(begins[-2]) + drawn[-1].shape[1]), np.uint8)
    for begin, letters in zip(begins, drawn, strict=False):
        mask[:, begin : begin + letters.shape[1]] += letters
    return mask


@lru_cache(maxsize=2048)  # one by one: when a figure changes, the words around it stay
def _word(word: str, height: int) -> NDArray[np.uint8]:
    """The mask of one word, with a column more than it is wide."""
    from PIL import Image as Pictures
    from PIL import ImageDraw

    font = _font(height * _FINER)
    wide = -(-round(font.getlength(word)) // _FINER) + 1
    canvas = Pictures.new("L", (wide * _FINER, height * _FINER))
    baseline = round(height * 0.78) * _FINER
    ImageDraw.Draw(canvas).text((0, baseline), word, fill=255, font=font, anchor="ls")
    return np.asarray(canvas.reduce(_FINER))


@lru_cache(maxsize=16)
def _space(height: int) -> float:
    """Pixels between two words."""
    return float(_font(height * _FINER).getlength(" ")) / _FINER


@lru_cache(maxsize=16)
def _font(height: int) -> Any:
    """The typeface whose lines fill `height` pixels."""
    from PIL import ImageFont

    return ImageFont.load_default(round(height * 0.74))
