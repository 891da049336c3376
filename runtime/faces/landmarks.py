"""A face by its landmarks: as an array of places, steady over time, and whether it stands so that it can be edited.

The array holds, in pixels, the corners of the box, the eyes, then the other points: (4 + N, 2).

One rule says which faces are left alone, for edits and for training. The detector draws an upright face wherever it
suspects one: on a head upside down it puts the eyes on the chin. Places of eyes, nose and mouth alone do not show that.
So where it is unsure, the finder looks again at the head turned by 90, 180 and 270 degrees (`Face.upright`). Measured
on 16 portraits and a talking man, turned in steps of 30 and 90 degrees: heads tilted by up to 30 degrees have -0.04 or
more, those lying or upside down -0.08 or less, or a tilt beyond the limit.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..types import Float64Array
from . import Face, Point


def places_of(face: Face) -> Float64Array:
    """Returns the places of a face, (4 + N, 2) float64."""
    x, y, width, height = face.box
    return np.array([(x, y), (x + width, y + height), face.left_eye, face.right_eye, *face.points], np.float64)


def face_of(places: Float64Array, score: float) -> Face:
    """Returns the face at these places."""
    (x0, y0), (x1, y1), left, right, *points = [(float(x), float(y)) for x, y in places]
    return Face(box=(x0, y0, x1 - x0, y1 - y0), score=score, left_eye=left, right_eye=right, points=tuple(points))


def centre_of(face: Face) -> Point:
    """Returns the middle of a face's box."""
    x, y, width, height = face.box
    return x + width / 2, y + height / 2


def iou(a: Float64Array, b: Float64Array) -> float:
    """Returns the intersection over union of two boxes, each the first two rows: its corners."""
    shared = float(np.prod(np.maximum(np.minimum(a[1], b[1]) - np.maximum(a[0], b[0]), 0.0)))
    areas = float(np.prod(a[1] - a[0]) + np.prod(b[1] - b[0]))
    return shared / max(areas - shared, 1e-9)


class OneEuro:
    """The One-Euro filter: steady where things are still, prompt where they move. Not thread-safe.

    It smooths an array that changes over time, each entry by itself. G. Casiez, N. Roussel, D. Vogel: "1 € Filter: A
    Simple Speed-based Low-pass Filter for Noisy Input in Interactive Systems", CHI 2012, algorithm 1.

    The cut-off frequency of an entry is `min_cutoff_hz + beta * speed`, where the speed is in units per second. A
    caller that measures in pixels says with each sample how many of them a unit is, so that one setting serves
    every resolution.

    Args:
        min_cutoff_hz: for what is still; lower is steadier.
        beta: how many Hz each unit per second adds; higher is prompter.
        derivative_cutoff_hz: of the filter that smooths the speed.
    """

    def __init__(self, min_cutoff_hz: float = 1.0, beta: float = 0.0, derivative_cutoff_hz: float = 1.0) -> None:
        self._min_cutoff, self._beta, self._derivative_cutoff = min_cutoff_hz, beta, derivative_cutoff_hz
        self.value: Float64Array | None = None  # the last answer; may be set, as when the whole scene has moved
        self._speed: Float64Array | float = 0.0

    def __call__(self, sample: NDArray[Any], seconds: float, unit: float = 1.0) -> Float64Array:
        """The smoothed array.

        Args:
            sample: of the same shape at every call.
            seconds: since the last sample, more than 0; the first sample is taken as it is.
            unit: the length that counts as 1 in `beta`, in the sample's own units.
        """
        if self.value is None:
            self.value = np.array(sample, np.float64)
            return self.value
        change = sample - self.value
        self._speed += _share(self._derivative_cutoff, seconds) * (change / (unit * seconds) - self._speed)
        self.value = self.value + _share(self._min_cutoff + self._beta * np.abs(self._speed), seconds) * change
        return self.value


def _share(cutoff_hz: Any, seconds: float) -> Any:
    """How much of a new sample a first-order low-pass of this cut-off takes up after so many seconds."""
    turn = 2.0 * math.pi * cutoff_hz * seconds
    return turn / (turn + 1.0)


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


def enlarge(face: Face, factor: int) -> Face:
    """A face of a frame that was reduced by `factor`, as it lies in the frame itself."""

    def there(point: Point) -> Point:
        return point[0] * factor, point[1] * factor

    x, y, width, height = face.box
    return msgspec.structs.replace(
        face,
        box=(x * factor, y * factor, width * factor, height * factor),
        left_eye=there(face.left_eye),
        right_eye=there(face.right_eye),
        points=tuple(there(point) for point in face.points),
    )
