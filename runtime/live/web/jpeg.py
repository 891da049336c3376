"""Pictures on their way to a browser and back. What comes from outside is measured before it is decoded."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import InputError
from ...model.image import Image

QUALITY = 85
_START, _IMAGE_END, _SCAN = 0xD8, 0xD9, 0xDA
_BARE = {0x01, *range(0xD0, 0xD8)}  # markers with no length after them
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15; ITU T.81, table B.1


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
    wrong = InputError("a picture came that is no JPEG", "a JPEG")
    if data[:2] != bytes((0xFF, _START)):
        raise wrong
    at = 2
    while at + 4 <= len(data):
        marker = data[at + 1]
        if data[at] != 0xFF or marker in (_SCAN, _IMAGE_END):
            break
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _BARE:
            at += 2
        elif marker in _FRAMES:
            if at + 9 > len(data):
                break
            return int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big")
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise wrong
