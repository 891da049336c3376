"""How much of the frame's own fine detail stays under an edit, which a crop is too small to hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...model.image import Image
from ...types import Float32Array

# A change of up to 12 grey levels leaves the frame's detail alone, one of 48 and more scales it by the local gain.
DETAIL_STAYS, DETAIL_GOES = 12.0, 48.0
GAIN_REACH = 1 / 32  # of the crop's shorter side: the radius of the window in which a gain is measured
GAIN_NOISE = 2.0  # grey levels: where the crop itself varies by less, nothing says that detail is kept
MOST_GAIN = 1.25  # more, and noise beside an outline would be raised with it


def measure_detail(before: Image, after: Image) -> Float32Array:
    """By how much the frame's own detail is to be scaled for each pixel of the crop: 1 keeps it; (H, W) float32.

    Where little changed it stays. Elsewhere it is scaled by the slope of the line that best gives the brightness after
    the edit from that before it, in a window about the pixel (the `a` of K. He et al., "Guided Image Filtering", 2010,
    eq. 5, with the crop before the edit as the guide): a recolouring has a slope of its contrast, a replacement has 0.
    """
    import cv2

    change: Any = largest_change(before, after).astype(np.float32)
    # One pixel more on each side: the detail of an outline lies on both.
    change = cv2.GaussianBlur(cv2.dilate(change, np.ones((3, 3), np.uint8)), (3, 3), 0)
    replaced = smoothstep((change - DETAIL_STAYS) / (DETAIL_GOES - DETAIL_STAYS))
    reach = 1 + 2 * max(1, round(GAIN_REACH * min(before.shape[:2])))
    guide, result = (cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY).astype(np.float32) for crop in (before, after))

    def average(values: NDArray[Any]) -> Any:
        return cv2.blur(values, (reach, reach))

    mean = average(guide)
    covariance = average(guide * result) - mean * average(result)
    variance = average(guide * guide) - mean * mean
    gain = np.clip(covariance / (np.maximum(variance, 0.0) + GAIN_NOISE**2), 0.0, MOST_GAIN)
    scale: Float32Array = (1.0 - replaced * (1.0 - gain)).astype(np.float32)
    return scale


def largest_change(before: Image, after: Image) -> NDArray[np.uint8]:
    """Of the three colours, for each pixel; (H, W) uint8."""
    import cv2

    blue, green, red = cv2.split(cv2.absdiff(before, after))
    change: NDArray[np.uint8] = np.asarray(cv2.max(cv2.max(blue, green), red), np.uint8)
    return change


def smoothstep(x: NDArray[Any]) -> NDArray[Any]:
    """0 below 0, 1 above 1, and between them a cubic that begins and ends level."""
    x = np.clip(x, 0.0, 1.0)
    smooth: NDArray[Any] = x * x * (3.0 - 2.0 * x)
    return smooth
