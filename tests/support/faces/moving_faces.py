"""Faces and textures whose motion is known, for what follows faces from frame to frame."""

from __future__ import annotations

import cv2
import numpy as np

from edgegan.runtime.faces import Face

STEP_S = 1 / 30


def face_at(x, y, size=60.0, score=0.9):
    eyes = [(x + share * size, y + 0.35 * size) for share in (0.3, 0.7)]
    return Face(box=(x, y, size, size), score=score, left_eye=eyes[0], right_eye=eyes[1])


def texture(height=240, width=320, seed=0):
    small = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def shift(picture, x, y):
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float64)
    return cv2.warpAffine(picture, matrix, picture.shape[1::-1], borderMode=cv2.BORDER_REFLECT)


STILL = texture()
