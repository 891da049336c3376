"""Whether a face stands so that it can be edited, or used for training: one rule for both, and its reasons.

The detector draws an upright face wherever it suspects one: on a head upside down it puts the eyes on the chin. Places
of eyes, nose and mouth alone do not show that. So where it is unsure, the finder looks again at the head turned by
90, 180 and 270 degrees (`Face.upright`). Measured on 16 portraits and a talking man, turned in steps of 30 and 90
degrees: heads tilted by up to 30 degrees have -0.04 or more, those lying or upside down -0.08 or less, or a tilt
beyond the limit.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from . import Face


class Limits(NamedTuple):
    """What a face may have at most or at least; lengths in eye distances.

    roll_deg: between the eye line and the horizon, at most.
    yaw: from the nose to the middle between the eyes, along them, at most.
    below: the nose below the eyes, and the mouth below the nose, at least.
    upright: `Face.upright`, at least.
    """

    roll_deg: float
    yaw: float
    below: float
    upright: float


USUAL = Limits(roll_deg=45.0, yaw=0.45, below=0.15, upright=-0.07)
# For a face that is edited already: at the limit an edit would come and go.
WIDER = Limits(roll_deg=55.0, yaw=0.6, below=0.08, upright=-0.12)

LYING, TURNED, JUMBLED = "lies on its side or upside down", "turned to the side", "eyes, nose and mouth do not fit"


class Refusal(NamedTuple):
    """Why a face is left alone: in words that are always the same, and what was measured."""

    why: str
    measured: str

    def __str__(self) -> str:
        return f"{self.why}: {self.measured}"


def refuse_pose(face: Face, limits: Limits = USUAL) -> Refusal | None:
    """Why the face is turned too far, or no face at all; None if it looks at the camera, more or less."""
    (lx, ly), (rx, ry) = face.left_eye, face.right_eye
    distance = math.hypot(rx - lx, ry - ly)
    roll = math.degrees(math.atan2(ry - ly, rx - lx))
    if distance < 1.0:
        return Refusal(JUMBLED, f"{distance:.1f} pixels between the eyes")
    if abs(roll) > limits.roll_deg:
        return Refusal(LYING, f"by {abs(roll):.0f} degrees (at most {limits.roll_deg:.0f})")
    if face.upright is not None and face.upright < limits.upright:
        return Refusal(LYING, "a second look finds it more clearly when it is turned")
    if len(face.points) < 2:
        return None
    # In the frame of the eyes: x along them, y down, both in eye distances from the middle.
    along, down = np.array([rx - lx, ry - ly]) / distance, np.array([ly - ry, rx - lx]) / distance
    middle = np.array([(lx + rx) / 2, (ly + ry) / 2])
    nose, mouth = (np.array(p) - middle for p in face.points[:2])
    yaw = abs(float(nose @ along)) / distance
    if yaw > limits.yaw:
        return Refusal(TURNED, f"the nose is {yaw:.2f} eye distances off the middle (at most {limits.yaw:g})")
    drop, further = float(nose @ down) / distance, float((mouth - nose) @ down) / distance
    if min(drop, further) < limits.below:
        lengths = f"the nose {drop:.2f} eye distances below the eyes, the mouth {further:.2f} below the nose"
        return Refusal(JUMBLED, f"{lengths} (at least {limits.below:g})")
    return None
