"""Faces: found (`finder`), followed from frame to frame (`tracking`), and what a face is."""

from __future__ import annotations

import msgspec

Point = tuple[float, float]


class Face(msgspec.Struct, frozen=True, kw_only=True):
    """A face in a frame; all in pixels, where pixel (0, 0) covers the square from (0, 0) to (1, 1).

    `box` is (x, y, width, height). `left_eye` is the one on the left of the picture, unless the head is upside
    down. `points` are the nose tip, the mouth and the two ears. `upright` is set where the detector was unsure: by how
    much its score is higher than for the same head turned by 90, 180 or 270 degrees, from -1 to 1.
    """

    box: tuple[float, float, float, float]
    score: float
    left_eye: Point
    right_eye: Point
    points: tuple[Point, ...] = ()
    upright: float | None = None
