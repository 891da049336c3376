"""The linear filters of `blending`, as matrices: rows are multiplied from the left, columns from the right.

One operator then serves every size and border: small crops cost a GPU microseconds either way.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...types import Float32Array
from .. import blending

_CUBIC = -0.75  # cv2's coefficient for INTER_CUBIC


@lru_cache(maxsize=4)
def filters_for(hw: tuple[int, int]) -> Mapping[str, Float32Array]:
    """Those for crops of `hw`, by the names of the graph's inputs: (n, h) for rows and (w, n) for columns; float32."""
    mean, guard = (1 + 2 * max(1, round(r * min(hw))) for r in (blending.GAIN_REACH, blending.GUARD_REACH))
    found: dict[str, Float32Array] = {}
    for axis, count in zip(("rows", "columns"), hw, strict=True):
        matrices = {
            "soft": _filter(count, _gaussian(3)),
            "mean": _filter(count, np.full(mean, 1.0 / mean)),
            "guard": _filter(count, _gaussian(guard)),
            "fine": _enlarge(count),
        }
        for name, matrix in matrices.items():
            given = np.ascontiguousarray(matrix if axis == "rows" else matrix.T, np.float32)
            given.setflags(write=False)
            found[f"{name}_{axis}"] = given
    return found


def _gaussian(size: int) -> NDArray[np.float64]:
    import cv2

    kernel: NDArray[np.float64] = np.asarray(cv2.getGaussianKernel(size, 0), np.float64)[:, 0]
    return kernel


def _filter(count: int, kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """(count, count): the kernel about each place; beyond the ends the values go on mirrored (BORDER_REFLECT_101)."""
    matrix, half, period = np.zeros((count, count)), len(kernel) // 2, max(1, 2 * (count - 1))
    for row in range(count):
        for offset, weight in zip(range(-half, half + 1), kernel, strict=True):
            index = (row + offset) % period
            matrix[row, min(index, period - index) if count > 1 else 0] += weight
    return matrix


def _enlarge(count: int) -> NDArray[np.float64]:
    """(FINER * count, count): cv2's INTER_CUBIC; beyond the ends the last value goes on."""
    finer = blending.FINER
    matrix = np.zeros((finer * count, count))
    for row in range(finer * count):
        place = (row + 0.5) / finer - 0.5
        first = int(np.floor(place))
        for index in range(first - 1, first + 3):
            matrix[row, min(max(index, 0), count - 1)] += _cubic(abs(place - index))
    return matrix


def _cubic(x: float) -> float:
    """R. Keys, "Cubic Convolution Interpolation", 1981, with cv2's coefficient."""
    if x <= 1.0:
        return ((_CUBIC + 2.0) * x - (_CUBIC + 3.0)) * x * x + 1.0
    return ((_CUBIC * x - 5.0 * _CUBIC) * x + 8.0 * _CUBIC) * x - 4.0 * _CUBIC
