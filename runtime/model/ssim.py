"""Structural similarity of two pictures (Wang et al., IEEE TIP 2004), without torch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

Array = NDArray[Any]

WINDOW, SIGMA = 11, 1.5  # the paper's Gaussian window, in pixels
K1, K2 = 0.01, 0.03


def ssim_map(a: Array, b: Array, value_range: tuple[float, float] = (0.0, 255.0)) -> NDArray[np.float64]:
    """The index at every pixel, (H, W) in [-1, 1]; the mean over channels of equation 13. Borders are mirrored.

    Pictures are (H, W, C) of any number type; `value_range` is black and white. Raises InputError if their shapes
    differ.
    """
    if a.shape != b.shape:
        raise InputError(f"the pictures are {a.shape} and {b.shape}", "two pictures of one shape")
    x, y = a.astype(np.float64), b.astype(np.float64)
    low, high = value_range
    c1, c2 = (K1 * (high - low)) ** 2, (K2 * (high - low)) ** 2
    mean_x, mean_y = _blur(x), _blur(y)
    var_x, var_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    both = _blur(x * y) - mean_x * mean_y
    index = (2 * mean_x * mean_y + c1) * (2 * both + c2) / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))
    found: NDArray[np.float64] = index.mean(2)
    return found


def ssim(a: Array, b: Array, value_range: tuple[float, float] = (0.0, 255.0)) -> float:
    """The mean of `ssim_map`; 1 for equal pictures."""
    return float(ssim_map(a, b, value_range).mean())


def _blur(values: NDArray[np.float64]) -> NDArray[np.float64]:
    import cv2

    blurred = cv2.GaussianBlur(values, (WINDOW, WINDOW), SIGMA, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(blurred, np.float64).reshape(values.shape)  # OpenCV drops the axis of a single channel
