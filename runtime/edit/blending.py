"""Puts what a model changed in a crop back into the frame it was cut from.

The same affine warp serves both ways. Crops hold 64 to 256 pixels where the face in the frame may hold 500, so the
edited crop itself would come back blurred. Only the change comes back: `frame + mask * upscale(edited - crop)`, so
that wherever the model changed nothing the frame keeps its own sharp pixels, exactly. Where the model changed much,
the frame's own fine detail follows the edit as the crop's detail does: strands stay sharp under a new hair colour, and
what an edit takes away (glasses) takes its detail along.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..faces import Face
from ..model.image import Image
from ..types import Float32Array
from .align import Matrix, find_windows, region

# A change of up to 12 grey levels leaves the frame's detail alone, one of 48 and more scales it by the local gain.
DETAIL_STAYS, DETAIL_GOES = 12.0, 48.0
GAIN_REACH = 1 / 32  # of the crop's shorter side: the radius of the window in which a gain is measured
GAIN_NOISE = 2.0  # grey levels: where the crop itself varies by less, nothing says that detail is kept
MOST_GAIN = 1.25  # more, and noise beside an outline would be raised with it
# With the guard, changes around which the mean is up to 4 grey levels are dropped, and those from 16 on are whole.
GUARD_DROPS, GUARD_KEEPS = 4.0, 16.0
GUARD_REACH = 1 / 32  # of the crop's shorter side: the radius over which it looks
_NOTHING = (0.0, 0.0, 0.0, 1.0)
FINER = 2  # a change is first enlarged this much smoothly, which bilinear sampling alone would not do
ROUND = 4  # the exponent of a face's mask: 2 is an ellipse, and a large one a rectangle
MOST_STRETCH = 1.25  # of a colour's deviation


def blend(frame: Image, before: Image, after: Image, matrix: Matrix, mask: Float32Array | None) -> None:
    """Adds to `frame`, in place, what changed from the crop `before` to the crop `after`.

    Args:
        frame: (H, W, 3) uint8.
        before: the crop, (h, w, 3) uint8.
        after: the edited crop, of the same shape.
        matrix: the one that made `before`.
        mask: (h, w) in [0, 1], the share of the change that comes back; 0 at the edges. None for crops that are the
            whole frame: all comes back, and goes on beyond the crop's edges.

    Pixels outside the crop, and under unchanged parts of it, stay as they are, exactly.
    """
    import cv2

    part = region(matrix, (before.shape[0], before.shape[1]), (frame.shape[0], frame.shape[1]))
    if part is None or np.array_equal(before, after):
        return
    # out = stays * frame + add, with all but the frame in the crop's pixels, so that one warp brings up both.
    change = _fit_change(before, after, mask)
    fine: Any = cv2.resize(change, None, fx=FINER, fy=FINER, interpolation=cv2.INTER_CUBIC)
    if mask is not None:  # nothing may leak out between the last pixels
        fine[:1] = fine[-1:] = fine[:, :1] = fine[:, -1:] = _NOTHING
    border = cv2.BORDER_REPLICATE if mask is None else cv2.BORDER_CONSTANT
    to_fine = matrix * FINER
    to_fine[:, 2] += (FINER - 1) / 2
    x0, y0, x1, y1 = part
    here, flags = to_fine.copy(), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    for x0, y0, x1, y1 in find_windows(fine, to_fine, part, border):
        roi = frame[y0:y1, x0:x1]
        here[:, 2] = to_fine @ (x0, y0, 1.0)
        up = cv2.warpAffine(fine, here, roi.shape[1::-1], flags=flags, borderMode=border, borderValue=_NOTHING)
        add: Any = cv2.cvtColor(up, cv2.COLOR_BGRA2BGR)
        stays: Any = cv2.cvtColor(cv2.extractChannel(up, 3), cv2.COLOR_GRAY2BGR)
        kept = cv2.multiply(roi, stays, dtype=cv2.CV_32F)
        roi[:] = cv2.add(kept, add, dtype=cv2.CV_8U)  # rounds to nearest, and stops at 0 and 255


def _fit_change(before: Image, after: Image, mask: Float32Array | None) -> Float32Array:
    """For each pixel of the crop what to add to the frame (BGR), and what to multiply the frame by (A); float32."""
    import cv2

    add: Any = cv2.subtract(after, before, dtype=cv2.CV_32F)
    gone: Any = 1.0 - _measure_detail(before, after)
    if mask is not None:
        add, gone = cv2.multiply(add, cv2.cvtColor(mask, cv2.COLOR_GRAY2BGR)), cv2.multiply(gone, mask)
    add = cv2.add(add, cv2.multiply(before, cv2.cvtColor(gone, cv2.COLOR_GRAY2BGR), dtype=cv2.CV_32F))
    add = cv2.cvtColor(add, cv2.COLOR_BGR2BGRA)
    return cv2.insertChannel(1.0 - gone, add, 3)  # type: ignore[no-any-return]


@lru_cache(maxsize=8)
def feather(hw: tuple[int, int], margin: float) -> Float32Array:
    """A mask: 1 inside, falling smoothly to 0 at the edges over `margin` of each side; (H, W) float32, read only."""

    def ramp(count: int) -> NDArray[np.float64]:
        place = (np.arange(count) + 0.5) / count
        return _smoothstep(np.minimum(place, 1.0 - place) / max(margin, 1e-6))

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
    mask: Float32Array = _smoothstep(distance / np.float32(feather_width(margin)))
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

    change: Any = _largest_change(before, after).astype(np.float32)
    reach = 1 + 2 * max(1, round(GUARD_REACH * min(before.shape[:2])))
    change = cv2.GaussianBlur(change, (reach, reach), 0)
    meant: Float32Array = _smoothstep((change - GUARD_DROPS) / (GUARD_KEEPS - GUARD_DROPS)).astype(np.float32)
    return meant


def match_colours(before: Image, after: Image, mask: Float32Array) -> Image:
    """`after` in the colours of `before`: the same mean and deviation in L, a and b along the crop's rim.

    E. Reinhard et al., "Color Transfer between Images", 2001, in CIE Lab. The rim is where the mask fades out: no
    edit should change it, so what differs there is a tint of the network's. What changed much is left out of the
    sums, since it was meant (a hat reaches into the rim).
    """
    import cv2

    rim = (mask < 0.95) & (_largest_change(before, after) < DETAIL_GOES)
    if rim.sum() < 0.02 * rim.size:
        return after
    lab_before, lab_after = (
        cv2.cvtColor(crop.astype(np.float32) / 255.0, cv2.COLOR_BGR2Lab) for crop in (before, after)
    )
    there, here = lab_before[rim], lab_after[rim]
    stretch = np.clip(there.std(axis=0) / np.maximum(here.std(axis=0), 1e-3), 1 / MOST_STRETCH, MOST_STRETCH)
    matched: Any = ((lab_after - here.mean(axis=0)) * stretch + there.mean(axis=0)).astype(np.float32)
    return cv2.convertScaleAbs(np.maximum(cv2.cvtColor(matched, cv2.COLOR_Lab2BGR), 0.0), alpha=255.0)  # type: ignore[no-any-return]


def _largest_change(before: Image, after: Image) -> NDArray[np.uint8]:
    """Of the three colours, for each pixel; (H, W) uint8."""
    import cv2

    blue, green, red = cv2.split(cv2.absdiff(before, after))
    change: NDArray[np.uint8] = np.asarray(cv2.max(cv2.max(blue, green), red), np.uint8)
    return change


def _measure_detail(before: Image, after: Image) -> Float32Array:
    """By how much the frame's own detail is to be scaled for each pixel of the crop: 1 keeps it; (H, W) float32.

    Where little changed it stays. Elsewhere it is scaled by the slope of the line that best gives the brightness after
    the edit from that before it, in a window about the pixel (the `a` of K. He et al., "Guided Image Filtering", 2010,
    eq. 5, with the crop before the edit as the guide): a recolouring has a slope of its contrast, a replacement has 0.
    """
    import cv2

    change: Any = _largest_change(before, after).astype(np.float32)
    # One pixel more on each side: the detail of an outline lies on both.
    change = cv2.GaussianBlur(cv2.dilate(change, np.ones((3, 3), np.uint8)), (3, 3), 0)
    replaced = _smoothstep((change - DETAIL_STAYS) / (DETAIL_GOES - DETAIL_STAYS))
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


def _smoothstep(x: NDArray[Any]) -> NDArray[Any]:
    x = np.clip(x, 0.0, 1.0)
    smooth: NDArray[Any] = x * x * (3.0 - 2.0 * x)
    return smooth
