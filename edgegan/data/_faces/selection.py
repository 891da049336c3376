"""Which photographs give a usable face, and why the others do not."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from edgegan.runtime.faces import Face
from edgegan.runtime.faces.landmarks import refuse_pose

from .alignment import Geometry

MOST_ENLARGED = 1.5  # a crop may have so many times the pixels, along an edge, that the photograph had
ANOTHER_FACE = 0.5  # of the first face's width: a second one that is so large makes it unclear whose labels are meant
LEAST_SHARPNESS = 0.16  # of 819 portraits at 225x275 all have 0.25 or more; blurred by 2 pixels, 0.12 at the median


def refuse_faces(faces: list[Face], geometry: Geometry) -> str:
    """Why these faces, best first, give no training picture; empty if the first one does."""
    if not faces:
        return "no face found"
    face = max(faces, key=lambda f: f.box[2])
    others = [f for f in faces if f is not face and f.box[2] > ANOTHER_FACE * face.box[2]]
    if others:
        return f"{1 + len(others)} faces of similar size"
    small = refuse_size(face, geometry)  # first: of a few pixels no pose can be read
    return small or str(refuse_pose(face) or "")


def refuse_size(face: Face, geometry: Geometry) -> str:
    """Why the face has too few pixels; empty if it has enough."""
    (lx, ly), (rx, ry) = face.left_eye, face.right_eye
    distance = math.hypot(rx - lx, ry - ly)
    needed = geometry.eye_distance / MOST_ENLARGED
    if distance < needed:
        return f"small: {distance:.0f} pixels between the eyes (at least {needed:.0f} for --size {geometry.size})"
    return ""


def measure_sharpness(aligned: NDArray[np.uint8], geometry: Geometry) -> float:
    """How sharp the face in an aligned picture (H, W, 3) is, whatever its contrast: the share of detail finer than a
    pixel in all that is finer than six, between the brows and the chin.
    """
    (lx, ly), (rx, _) = geometry.eyes
    distance = geometry.eye_distance
    top, bottom = int(ly - 0.6 * distance), int(ly + 1.5 * distance)
    left, right = int(lx - 0.4 * distance), int(rx + 0.4 * distance)
    grey = cv2.cvtColor(aligned, cv2.COLOR_BGR2GRAY)[max(0, top) : bottom, max(0, left) : right].astype(np.float32)
    fine, coarse = (grey - np.asarray(cv2.GaussianBlur(grey, (0, 0), reach)) for reach in (1.0, 6.0))
    return float(fine.std() / max(float(coarse.std()), 2.0))


def refuse_blur(aligned: NDArray[np.uint8], geometry: Geometry) -> str:
    """Why the aligned picture is too blurred; empty if it is sharp."""
    sharpness = measure_sharpness(aligned, geometry)
    return f"blurred: sharpness {sharpness:.2f} (at least {LEAST_SHARPNESS})" if sharpness < LEAST_SHARPNESS else ""
