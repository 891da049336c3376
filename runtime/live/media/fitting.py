"""A picture of another size, fitted into the one that a stream began with."""

from __future__ import annotations

import numpy as np

from ...model.image import Image


def fit(image: Image, size_hw: tuple[int, int]) -> Image:
    """`image` itself if it has the size, else scaled into it, centred, with black borders."""
    (height, width), (h, w) = size_hw, image.shape[:2]
    if (h, w) == size_hw:
        return image
    import cv2

    scale = min(height / h, width / w)
    inner_w, inner_h = max(1, round(w * scale)), max(1, round(h * scale))
    out = np.zeros((height, width, 3), np.uint8)
    top, left = (height - inner_h) // 2, (width - inner_w) // 2
    out[top : top + inner_h, left : left + inner_w] = cv2.resize(
        image, (inner_w, inner_h), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    return out
