"""Pictures for formats that keep colour at half the size, whose sides are even."""

from __future__ import annotations

import numpy as np

from ...model.image import Image


def even(image: Image) -> Image:
    """`image` itself where both sides are even; else a copy whose last row or column stands twice."""
    below, right = image.shape[0] % 2, image.shape[1] % 2
    return np.pad(image, ((0, below), (0, right), (0, 0)), mode="edge") if below or right else image
