"""The colours of an edit, brought back to those of the frame around it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...model.image import Image
from ...types import Float32Array
from .detail import DETAIL_GOES, largest_change

MOST_STRETCH = 1.25  # of a colour's deviation


def match_colours(before: Image, after: Image, mask: Float32Array) -> Image:
    """`after` in the colours of `before`: the same mean and deviation in L, a and b along the crop's rim.

    E. Reinhard et al., "Color Transfer between Images", 2001, in CIE Lab. The rim is where the mask fades out: no
    edit should change it, so what differs there is a tint of the network's. What changed much is left out of the
    sums, since it was meant (a hat reaches into the rim).
    """
    import cv2

    rim = (mask < 0.95) & (largest_change(before, after) < DETAIL_GOES)
    if rim.sum() < 0.02 * rim.size:
        return after
    lab_before, lab_after = (
        cv2.cvtColor(crop.astype(np.float32) / 255.0, cv2.COLOR_BGR2Lab) for crop in (before, after)
    )
    there, here = lab_before[rim], lab_after[rim]
    stretch = np.clip(there.std(axis=0) / np.maximum(here.std(axis=0), 1e-3), 1 / MOST_STRETCH, MOST_STRETCH)
    matched: Any = ((lab_after - here.mean(axis=0)) * stretch + there.mean(axis=0)).astype(np.float32)
    return cv2.convertScaleAbs(np.maximum(cv2.cvtColor(matched, cv2.COLOR_Lab2BGR), 0.0), alpha=255.0)  # type: ignore[no-any-return]
