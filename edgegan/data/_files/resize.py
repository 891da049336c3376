"""A picture at the size that networks are trained on: a square from its middle, or all of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from edgegan.data._sets import Picture
from edgegan.runtime.pictures import decode


def read(path: Path, *, size: int, centre_crop: int | None = None) -> Picture:
    """The file as (size, size, 3) uint8 RGB; raises UnreadableError."""
    return fit(decode(path), size=size, centre_crop=centre_crop)


def fit(image: Image.Image, *, size: int, centre_crop: int | None = None) -> Picture:
    """A square from the middle of `image`, resized to (size, size, 3) uint8 with antialiased bilinear filtering.

    The square is `centre_crop` pixels wide, with black where it reaches beyond the image, as in the StarGAN
    paper's code (178 for CelebA); None takes the largest square.
    """
    side = centre_crop or min(image.size)
    left, top = _start(image.width, side), _start(image.height, side)
    square = image.crop((left, top, left + side, top + side))
    if side != size:
        square = square.resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(square)


def stretch(image: Image.Image, *, size: int) -> Picture:
    """All of `image`, whatever its shape, resized to (size, size, 3) uint8 bicubically, as CycleGAN and FastGAN do."""
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(image)


def _start(length: int, side: int) -> int:
    """Where the middle `side` of `length` pixels begins, rounded as torchvision's CenterCrop rounds it."""
    return round((length - side) / 2) if length >= side else -((side - length) // 2)
