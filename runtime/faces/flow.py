"""How the picture moves from frame to frame: sparse optical flow on a reduced grey copy of each frame.

On the moving synthetic camera it measures a face's motion between two frames to 0.1 pixel, where two searches of the
face detector differ by 3 pixels: that is why faces are carried by flow and only corrected by detection.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..model.image import Halves, Image, count_halvings
from ..types import Float64Array

Motion = NDArray[np.float64]  # (2, 3): places in the last frame to places in this one

_SHORT_SIDE = 180  # of the reduced copy, in pixels
_POINTS = (np.mgrid[0:5, 0:5].reshape(2, -1).T + 0.5) / 5  # of a box, which are followed; (25, 2) in [0, 1]
_WINDOW = 15  # pixels along each side of what is likened around a point
_SKETCH_WH = (32, 18)  # in which two scenes differ, while a pan, however busy the picture, does not
_CUT = 30.0  # mean change of its grey levels from one scene to another
_FEWEST = 6  # points that have to agree on a motion
_STRONGEST_ZOOM = 1.3  # of one face from frame to frame; more is a mistake


class Flow:
    """Compares each frame with the one before it. Not thread-safe."""

    def __init__(self) -> None:
        self._before: Image | None = None
        self._now: Image | None = None
        self._to_small: Float64Array = np.ones(2)

    def see(self, frame_bgr: Image | Halves) -> bool:
        """Takes the next frame, (H, W, 3) uint8; False if it is the first, or shows another scene than the last."""
        import cv2

        halves = Halves.of(frame_bgr)
        times = count_halvings(min(halves[0].shape[:2]), _SHORT_SIDE)
        small: Any = cv2.cvtColor(halves[times], cv2.COLOR_BGR2GRAY)
        covered = np.array([small.shape[1] << times, small.shape[0] << times])  # of the frame, in its pixels
        scale = min(1.0, _SHORT_SIDE / min(small.shape))
        wh = (max(1, round(small.shape[1] * scale)), max(1, round(small.shape[0] * scale)))
        if scale < 1.0:
            small = cv2.resize(small, wh, interpolation=cv2.INTER_AREA)
        self._before, self._now = self._now, small
        self._to_small = np.array(wh) / covered
        if self._before is None or self._before.shape != small.shape:
            self._before = None
            return False
        last, this = (cv2.resize(each, _SKETCH_WH, interpolation=cv2.INTER_AREA) for each in (self._before, small))
        return float(cv2.absdiff(last, this).mean()) < _CUT

    def motion(self, corners: Float64Array) -> Motion | None:
        """How a box moved from the last frame to this one: turned, scaled and shifted, without shear.

        Args:
            corners: the box's upper left and lower right place in the last frame, (2, 2) pixels.

        Returns:
            None where the pictures do not show it: too little texture, no agreement, or no last frame.
        """
        import cv2

        if self._before is None or self._now is None:
            return None
        grid = corners[0] + _POINTS * (corners[1] - corners[0])
        before = (grid * self._to_small - 0.5).astype(np.float32)
        inside = ((before >= 0) & (before < self._now.shape[1::-1])).all(axis=1)
        if inside.sum() < _FEWEST:
            return None
        before = before[inside]
        window = (_WINDOW, _WINDOW)
        after, found, _ = cv2.calcOpticalFlowPyrLK(
            self._before, self._now, before, np.empty_like(before), winSize=window, maxLevel=3
        )
        ok = found[:, 0] == 1
        if ok.sum() < _FEWEST:
            return None
        places, now = ((p[ok] + 0.5) / self._to_small for p in (before, after))
        near = 1.0 / float(self._to_small.min())  # a pixel of the copy
        matrix, agree = cv2.estimateAffinePartial2D(places, now, ransacReprojThreshold=near)
        if matrix is None or agree.sum() < max(_FEWEST, 0.5 * len(before)):
            return None
        motion: Motion = np.asarray(matrix, np.float64)
        zoom = float(np.hypot(motion[0, 0], motion[1, 0]))
        return motion if 1 / _STRONGEST_ZOOM < zoom < _STRONGEST_ZOOM else None


def move(points: Float64Array, motion: Motion) -> Float64Array:
    """Places (N, 2) of the last frame, as they lie in this one."""
    there: Float64Array = points @ motion[:, :2].T + motion[:, 2]
    return there
