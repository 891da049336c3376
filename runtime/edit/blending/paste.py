"""The change of a crop, enlarged and added to the frame where it can be seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...model.image import Image
from ...types import Float32Array
from ..align import Matrix, region
from .detail import measure_detail
from .windows import find_windows

FINER = 2  # a change is first enlarged this much smoothly, which bilinear sampling alone would not do
_NOTHING = (0.0, 0.0, 0.0, 1.0)


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
    gone: Any = 1.0 - measure_detail(before, after)
    if mask is not None:
        add, gone = cv2.multiply(add, cv2.cvtColor(mask, cv2.COLOR_GRAY2BGR)), cv2.multiply(gone, mask)
    add = cv2.add(add, cv2.multiply(before, cv2.cvtColor(gone, cv2.COLOR_GRAY2BGR), dtype=cv2.CV_32F))
    add = cv2.cvtColor(add, cv2.COLOR_BGR2BGRA)
    return cv2.insertChannel(1.0 - gone, add, 3)  # type: ignore[no-any-return]
