"""How much of what a model changed in a crop comes back into the frame: all in the middle, nothing at the edges."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...faces import Face
from ...model.image import Image
from ...types import Float32Array
from ..align import Matrix
from .detail import largest_change, smoothstep

# With the guard, changes around which the mean is up to 4 grey levels are dropped, and those from 16 on are whole.
GUARD_DROPS, GUARD_KEEPS = 4.0, 16.0
GUARD_REACH = 1 / 32  # of the crop's shorter side: the radius over which it looks
ROUND = 4  # the exponent of a face's mask: 2 is an ellipse, and a large one a rectangle


@lru_cache(maxsize=8)
def feather(hw: tuple[int, int], margin: float) -> Float32Array:
    """A mask: 1 inside, falling smoothly to 0 at the edges over `margin` of each side; (H, W) float32, read only."""

    def ramp(count: int) -> NDArray[np.float64]:
        place = (np.arange(count) + 0.5) / count
        return smoothstep(np.minimum(place, 1.0 - place) / max(margin, 1e-6))

    mask = np.outer(ramp(hw[0]), ramp(hw[1])).astype(np.float32)
    mask.setflags(write=False)
    return mask


def face_feather(hw: tuple[int, int], margin: float, face: Face, matrix: Matrix) -> Float32Array:
    """A mask with round corners about the middle of the face's landmarks, as they lie in the crop; see `feather`.

    No straight edges meet in a corner, where the eye finds a seam first; and the change fades out over more of the
    crop on the side where there is more room beside the face.
    """
    import cv2

    across, down = face_reach(hw, face, matrix)
    out = np.add.outer(down, across).astype(np.float32)
    distance: Any = 1.0 - cv2.sqrt(cv2.sqrt(out))  # the root that belongs to ROUND
    mask: Float32Array = smoothstep(distance / np.float32(feather_width(margin)))
    return mask


def face_reach(hw: tuple[int, int], face: Face, matrix: Matrix) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far out a crop's columns and rows are, to the power of `ROUND`: (w,) and (h,), 0 in the face's middle and 1
    at the edges; the mask of `face_feather` falls along their sum."""
    places = np.array([face.left_eye, face.right_eye, *face.points])
    middle = matrix[:, :2] @ (places.mean(axis=0) - 0.5) + matrix[:, 2] + 0.5

    def out(count: int, centre: float) -> NDArray[np.float64]:
        centre = min(max(centre, 0.3 * count), 0.7 * count)
        offset = np.arange(count) + 0.5 - centre
        reached: NDArray[np.float64] = np.abs(offset) / np.where(offset < 0, centre, count - centre)
        return reached**ROUND

    return out(hw[1], float(middle[0])), out(hw[0], float(middle[1]))


def feather_width(margin: float) -> float:
    """Over which share of the way from the middle to the edge the mask of `face_feather` falls."""
    return max(2.0 * margin, 1e-6)


def guard_mask(before: Image, after: Image) -> Float32Array:
    """1 where the model means its change and 0 where it only disturbs; (H, W) float32, to multiply a mask with.

    A hand or a lock of hair before the face comes back from a network slightly changed, since it cannot draw what
    it never learned. An edit changes whole patches by much. So the mean difference around each pixel decides:
    up to 4 grey levels it is dropped, from 16 on it stays, and between it fades.
    """
    import cv2

    change: Any = largest_change(before, after).astype(np.float32)
    reach = 1 + 2 * max(1, round(GUARD_REACH * min(before.shape[:2])))
    change = cv2.GaussianBlur(change, (reach, reach), 0)
    meant: Float32Array = smoothstep((change - GUARD_DROPS) / (GUARD_KEEPS - GUARD_DROPS)).astype(np.float32)
    return meant
