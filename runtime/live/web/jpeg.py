"""Pictures on their way to a browser and back. What comes from outside is measured before it is decoded."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np

from ...errors import InputError
from ...model.image import Image

QUALITY = 85


def encode(image_bgr: Image) -> bytes:
    """(H, W, 3) uint8 BGR as JPEG."""
    import cv2

    done, data = cv2.imencode(".jpg", image_bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise InputError(f"a picture of {image_bgr.shape[1]}x{image_bgr.shape[0]} cannot be written as JPEG")
    return bytes(data)


def decode(data: bytes, *, most_pixels: int) -> Image:
    """A JPEG as (H, W, 3) uint8 BGR.

    Raises InputError if it is no JPEG, is cut off, or holds more than `most_pixels`, which its head tells: nothing
    is decoded before.
    """
    import cv2

    height, width = size_hw(data)
    if not 0 < height * width <= most_pixels:
        raise InputError(f"a picture of {width}x{height} came", f"at most {most_pixels} pixels")
    image: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise InputError("a picture came that cannot be decoded", "a JPEG")
    return np.asarray(image, np.uint8)


def size_hw(data: bytes) -> tuple[int, int]:
    """Height and width in pixels that a JPEG's head states; raises InputError if it states none."""
    from PIL.JpegImagePlugin import JpegImageFile

    try:
        with JpegImageFile(BytesIO(data)) as head:  # reads no further than to the first scan
            return head.height, head.width
    except (OSError, SyntaxError, ValueError):  # what Pillow raises for anything else
        raise InputError("a picture came that is no JPEG", "a JPEG") from None
