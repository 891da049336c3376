"""Words as pixels, in a typeface that stays readable when it is small."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .image import Image

Colour = tuple[int, int, int]  # BGR
_FINER = 4  # letters are drawn so much larger and reduced: small ones keep their spacing


def write(image: Image, words: str, x: int, y: int, height: int, colour: Colour) -> None:
    """Writes into the picture, in place: (x, y) is the upper left corner of a line of `height` pixels.

    What falls beyond the picture's edges is left out.
    """
    mask = _mask(words, height)
    area: NDArray[Any] = image[max(0, y) : max(0, y + mask.shape[0]), max(0, x) : max(0, x + mask.shape[1])]
    cut = mask[max(0, -y) :, max(0, -x) :][: area.shape[0], : area.shape[1]]
    under = area.astype(np.int16)
    area[...] = under + (((np.array(colour, np.int16) - under) * cut) >> 7)


def width(words: str, height: int) -> int:
    """How many pixels wide the words are in a line of `height` pixels."""
    return int(_mask(words, height).shape[1])


@lru_cache(maxsize=512)
def _mask(words: str, height: int) -> NDArray[np.int16]:
    """(height, width, 1), from 0 to 128."""
    from PIL import Image as Pictures
    from PIL import ImageDraw

    font = _font(height * _FINER)
    wide = max(1, -(-round(font.getlength(words)) // _FINER)) + 1
    canvas = Pictures.new("L", (wide * _FINER, height * _FINER))
    baseline = round(height * 0.78) * _FINER
    ImageDraw.Draw(canvas).text((0, baseline), words, fill=255, font=font, anchor="ls")
    return ((np.asarray(canvas.reduce(_FINER), np.int16) + 1) // 2)[:, :, None]


@lru_cache(maxsize=16)
def _font(height: int) -> Any:
    """The typeface whose lines fill `height` pixels."""
    from PIL import ImageFont

    return ImageFont.load_default(round(height * 0.74))
