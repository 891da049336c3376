"""A face as an array of places, in pixels: the corners of its box, the eyes, then the other points; (4 + N, 2)."""

from __future__ import annotations

import msgspec
import numpy as np

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
