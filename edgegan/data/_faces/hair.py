"""Recolours hair in a photograph: the look of it under another colour, strands and shine kept.

Not a network: the luminance of the hair is moved and stretched to that of the wanted colour, and its chroma replaced,
within the hair's mask. What a generator makes may look better than this; it shows it where hair is, and what is meant.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LEAST = 0.009  # share of hair in a picture below which its colour is not measured
_STRETCH = (0.5, 2.0)  # of the luminance's deviation
_CHROMA_KEPT = 0.35  # of the differences in chroma between strands
# ITU-R BT.601, of RGB in [0, 1].
_TO_YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32)
_TO_RGB = np.linalg.inv(_TO_YCC).astype(np.float32)


@dataclass(frozen=True)
class HairColour:
    """Mean luminance and chroma (Y, Cb, Cr) and the luminance's deviation, all of RGB in [0, 1]."""

    mean: tuple[float, float, float]
    deviation: float


def measure_hair(picture: Floats, hair: NDArray[np.bool_]) -> HairColour | None:
    """The colour of the hair (H, W) in a picture (H, W, 3) in [0, 1]; None where there is too little of it."""
    inside = cv2.erode(hair.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if float(inside.mean()) < LEAST:
        return None
    ycc = picture[inside] @ _TO_YCC.T
    y, cb, cr = (float(v) for v in ycc.mean(0))
    return HairColour((y, cb, cr), float(ycc[:, 0].std()))


def average_colours(colours: list[HairColour], usual: float) -> HairColour:
    """The median of the half whose luminance is farthest from the `usual` one: clear cases of a colour."""
    clear = sorted(colours, key=lambda c: -abs(c.mean[0] - usual))[: (len(colours) + 1) // 2]
    y, cb, cr, deviation = np.median([[*c.mean, c.deviation] for c in clear], axis=0).tolist()
    return HairColour((y, cb, cr), deviation)


def recolour(picture: Floats, cover: Floats, own: HairColour, wanted: HairColour) -> Floats:
    """`picture` (H, W, 3) in [0, 1] with its hair, of colour `own`, in the wanted colour; `cover` (H, W) in [0, 1] says
    how much of each pixel is hair."""
    ycc = picture @ _TO_YCC.T
    off = ycc - np.array(own.mean, np.float32)
    stretch = float(np.clip(wanted.deviation / max(own.deviation, 1e-3), *_STRETCH))
    y = np.clip(wanted.mean[0] + stretch * off[:, :, :1], 0.0, 1.0)
    # Chroma fades in shadow, where there is no light to be coloured.
    lit = np.clip(y / max(wanted.mean[0], 1e-3), 0.3, 1.3)
    chroma = np.array(wanted.mean[1:], np.float32) * lit + _CHROMA_KEPT * off[:, :, 1:]
    changed = np.concatenate([y, chroma], 2).astype(np.float32) @ _TO_RGB.T
    mixed: Floats = picture + cover[:, :, None] * (np.clip(changed, 0.0, 1.0) - picture)
    return mixed
