"""Pictures of one size as inputs of another. Needs no torch."""

from __future__ import annotations

from typing import Any

import numpy as np
from edgegan.runtime.model.card import TensorSpec
from numpy.typing import NDArray

Array = NDArray[Any]


def fit_pictures(images: Array, spec: TensorSpec) -> Array:
    """Pictures (N, C, H, W) resized to the spec's height and width; anything else comes back as it is.

    Resized pictures are rounded to the 256 levels that a camera's have.
    """
    if spec.layout != "NCHW" or images.shape[1:] == spec.shape[1:] or isinstance(spec.shape[2], str):
        return images
    return resize_pictures(images, spec, (int(spec.shape[2]), int(spec.shape[3])))


def resize_pictures(images: Array, spec: TensorSpec, hw: tuple[int, int]) -> Array:
    """Pictures in the layout of `spec`, resized to `hw` and rounded to 256 levels; vectors come back as they are."""
    import cv2

    if spec.layout == "NC":
        return images
    low, high = spec.value_range or (0.0, 1.0)
    upright = images if spec.layout == "NHWC" else images.transpose(0, 2, 3, 1)
    interpolation = cv2.INTER_AREA if hw[0] * hw[1] < upright.shape[1] * upright.shape[2] else cv2.INTER_LINEAR
    out = np.empty((len(images), *hw, upright.shape[3]), images.dtype)
    for i, image in enumerate(upright):
        levels = np.rint((image.astype(np.float32) - low) * (255.0 / (high - low))).astype(np.uint8)
        small = cv2.resize(levels, hw[::-1], interpolation=interpolation).reshape(out.shape[1:])
        out[i] = small.astype(np.float32) * ((high - low) / 255.0) + low
    return out if spec.layout == "NHWC" else np.ascontiguousarray(out.transpose(0, 3, 1, 2))
