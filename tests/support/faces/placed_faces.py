"""Faces of every posture to cut out and put back, and a frame without sharp edges to do it in."""

from __future__ import annotations

import cv2
import numpy as np

from edgegan.runtime.faces import Face

_RNG = np.random.default_rng(11)


def face(left, right):
    return Face(box=(0, 0, 1, 1), score=1.0, left_eye=left, right_eye=right)


FACES = {
    "upright": face((300.0, 200.0), (360.0, 200.0)),
    "turned": face((310.0, 180.0), (350.0, 230.0)),
    "small": face((100.0, 100.0), (108.0, 101.0)),
    "out of the frame": face((-5.0, 20.0), (60.0, 10.0)),
    "upside down": face((360.0, 200.0), (300.0, 200.0)),
}


def soft_noise(height=400, width=640):
    noise = _RNG.integers(0, 256, (height // 20, width // 20, 3), dtype=np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
