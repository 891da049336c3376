"""Finds faces and their eyes with BlazeFace (short range) through OpenCV."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
import numpy as np

from ..errors import CardError
from ..model.image import Image
from ..types import Float32Array
from . import Face
from .tiles import Tile, tiles_of

MODEL = Path(__file__).parents[1] / "data" / "blazeface_short_range.tflite"
MODEL_SHA256 = "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633"

_SIDE = 128  # what the network was made for, in pixels
_GRIDS = ((16, 2), (8, 6))  # cells along each side, anchors in each cell: 16*16*2 + 8*8*6 = 896
_POINTS = 6  # right eye, left eye (of the person), nose tip, mouth, right ear, left ear
_MOST_SQUARES = 6  # of a frame in which the first look found nothing
_OVERLAP = 0.3  # boxes that overlap more (IoU) are the same face
_UNSURE = 0.9  # below this score a head may be upside down: turned ones had up to 0.89, the talking man 0.93 or more
_AROUND = 1.6  # the side of what a second look sees, in sizes of the face
_CLEAR = 0.75  # the lowest score of a small face: there are many tiles to be wrong in
_WITHIN = 0.5  # of a small face's area that lies in a known one: it is a part of that
_FAINT = 0.5  # the score at which what the second look sees is no face as it stands


class FaceFinder:
    """Finds the faces of a frame. Thread-safe: calls take turns, since the network keeps state between its layers.

    Args:
        threshold: the lowest score, in [0, 1], that counts as a face.

    Raises:
        CardError: the detector's file is missing or was changed.
    """

    def __init__(self, threshold: float = 0.6) -> None:
        self._threshold = threshold
        self._net = _network()
        self._anchors = _anchors()
        self._lock = Lock()

    def find(self, frame_bgr: Image, tiles: Sequence[Tile] | None = None) -> list[Face]:
        """The faces: those of the whole frame, best first, then the small ones.

        The whole frame is searched for faces down to about a sixth of its longer side; if it has none, squares of
        its shorter side are, for faces down to about an eighth of that. Tiles are for faces down to about a twelfth
        of the shorter side; what they show of faces that were found already counts no more.

        Args:
            tiles: the parts to search for small faces; None for all of `tiles.tiles_of`.
        """
        height, width = frame_bgr.shape[:2]
        points, scores = self._search(frame_bgr, 0, 0)
        if not len(scores) and max(height, width) > 1.2 * min(height, width):
            parts = [self._search(square, x, y) for square, x, y in _squares(frame_bgr)]
            points, scores = (np.concatenate(column) for column in zip(*parts, strict=True))
        faces = [_face(each, score) for each, score in _merge(points, scores)]
        faces += self._find_small(frame_bgr, tiles_of((height, width)) if tiles is None else tiles, faces)
        return [self._look_again(frame_bgr, face) if face.score < _UNSURE else face for face in faces]

    def _find_small(self, frame: Image, tiles: Sequence[Tile], known: Sequence[Face]) -> list[Face]:
        """The faces that lie whole in a tile and are none of those known."""
        hw = (frame.shape[0], frame.shape[1])
        kept: list[tuple[Float32Array, float]] = []
        for tile in tiles:
            part = frame[tile.y : tile.y + tile.side, tile.x : tile.x + tile.side]
            for points, score in _merge(*self._search(part, tile.x, tile.y, only_if_clear=True)):
                if score >= _CLEAR and not _is_cut(points, tile, hw) and not _is_part(points, known):
                    kept.append((points, score))
        if not kept:
            return []
        stacked = np.stack([points for points, _ in kept]), np.array([score for _, score in kept], np.float32)
        return [_face(points, score) for points, score in _merge(*stacked)]

    def _look_again(self, frame: Image, face: Face) -> Face:
        """The face with `upright`: how it scores as it stands, less the best that it scores turned."""
        import cv2

        x, y, width, height = face.box
        scale = _SIDE / (_AROUND * max(width, height, 1.0))
        corner = (_SIDE / 2 - scale * (x + width / 2), _SIDE / 2 - scale * (y + height / 2))
        matrix = np.array([[scale, 0.0, corner[0]], [0.0, scale, corner[1]]])
        square = cv2.warpAffine(frame, matrix, (_SIDE, _SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
        upright, *turned = (float(self._scores(np.ascontiguousarray(np.rot90(square, k))).max()) for k in range(4))
        return msgspec.structs.replace(face, upright=upright - max(turned) if upright >= _FAINT else -1.0)

    def _search(self, part: Image, x: int, y: int, *, only_if_clear: bool = False) -> tuple[Float32Array, Float32Array]:
        """Candidates in a part of the frame that begins at (x, y): corners and key points (N, 8, 2), scores (N,).

        only_if_clear: none, after half of the work, where no candidate of the first look is a clear one.
        """
        import cv2

        height, width = part.shape[:2]
        # A square letterbox: the part is shrunk to fit and the rest is black.
        scale = _SIDE / max(height, width)
        shrunk_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
        left, top = (_SIDE - shrunk_wh[0]) // 2, (_SIDE - shrunk_wh[1]) // 2
        square = np.zeros((_SIDE, _SIDE, 3), np.uint8)
        shrunk = cv2.resize(part, shrunk_wh, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        square[top : top + shrunk_wh[1], left : left + shrunk_wh[0]] = shrunk
        points, scores = self._run(square)
        if only_if_clear and not (scores >= _CLEAR).any():
            return points[:0], scores[:0]
        # The network tilts the eye line of some faces; it tilts their mirror image the other way.
        mirrored, mirrored_scores = self._run(square[:, ::-1])
        points = np.concatenate([points, _mirror(mirrored)])
        to_frame = np.array([width / shrunk_wh[0], height / shrunk_wh[1]], np.float32)
        return (points - (left, top)) * to_frame + (x, y), np.concatenate([scores, mirrored_scores])

    def _run(self, square: Image) -> tuple[Float32Array, Float32Array]:
        """Candidates above the threshold, in pixels of the network."""
        raw, scores = self._forward(square)
        good = scores >= self._threshold
        points = raw[good] + self._anchors[good, None, :]
        half = raw[good, 1] / 2  # the second row is a size, not a place
        centre = points[:, 0].copy()
        points[:, 0], points[:, 1] = centre - half, centre + half
        sound = (half > 0).all(axis=1) & np.isfinite(points).all(axis=(1, 2))
        return points[sound], scores[good][sound]

    def _scores(self, square: Image) -> Float32Array:
        """The scores of all anchors, (896,)."""
        return self._forward(square)[1]

    def _forward(self, square: Image) -> tuple[Float32Array, Float32Array]:
        """What the network makes of a square: places about each anchor, (896, 8, 2), and scores, (896,)."""
        import cv2

        blob = cv2.dnn.blobFromImage(square, 1 / 127.5, mean=(127.5,) * 3, swapRB=True)
        with self._lock:
            self._net.setInput(blob)
            outputs = [o.copy() for o in self._net.forward(self._net.getUnconnectedOutLayersNames())]
        by_width = {o.shape[-1]: o for o in outputs}  # OpenCV's versions differ in the order of outputs
        raw = by_width[2 * (2 + _POINTS)].reshape(-1, 2 + _POINTS, 2)
        scores = 1.0 / (1.0 + np.exp(-np.clip(by_width[1].reshape(-1), -80.0, 80.0)))
        return raw, scores


def _is_cut(points: Float32Array, tile: Tile, frame_hw: tuple[int, int]) -> bool:
    """Whether a face reaches an edge of the tile that is none of the frame, so that another tile shows it better."""
    (x0, y0), (x1, y1) = points[0], points[1]
    left, top = tile.x > 0 and x0 < tile.x, tile.y > 0 and y0 < tile.y
    right, bottom = tile.x + tile.side, tile.y + tile.side
    return bool(left or top or (right < frame_hw[1] and x1 > right) or (bottom < frame_hw[0] and y1 > bottom))


def _is_part(points: Float32Array, known: Sequence[Face]) -> bool:
    """Whether a face lies, mostly, in one that is known."""
    area = float(np.prod(points[1] - points[0]))
    for x, y, width, height in (face.box for face in known):
        corners = np.array([(x, y), (x + width, y + height)])
        shared = np.minimum(points[1], corners[1]) - np.maximum(points[0], corners[0])
        if float(np.prod(np.maximum(shared, 0.0))) > _WITHIN * area:
            return True
    return False


def _squares(frame: Image) -> Iterator[tuple[Image, int, int]]:
    """Squares along the longer side that overlap by a third or more, so that each face lies whole in one of them."""
    height, width = frame.shape[:2]
    side = min(height, width)
    count = min(_MOST_SQUARES, 1 + math.ceil((max(height, width) - side) / (side * 2 / 3)))
    for start in np.linspace(0, max(height, width) - side, count).astype(int).tolist():
        x, y = (start, 0) if width > height else (0, start)
        yield frame[y : y + side, x : x + side], x, y


def _mirror(points: Float32Array) -> Float32Array:
    """Candidates found in the mirrored picture, as they lie in the true one: left and right change names."""
    flipped = points * (-1, 1) + (_SIDE, 0)
    flipped[:, :2, 0] = flipped[:, 1::-1, 0]
    return flipped[:, [0, 1, 3, 2, 4, 5, 7, 6]]


def _merge(points: Float32Array, scores: Float32Array) -> list[tuple[Float32Array, float]]:
    """One entry for each face: the mean of its candidates, weighted by score, which jitters less than the best one."""
    faces = []
    order = np.argsort(-scores)
    while len(order):
        overlap = _iou(points[order[0], :2], points[order, :2])
        same, order_rest = order[overlap > _OVERLAP], order[overlap <= _OVERLAP]
        weights = scores[same, None, None] / scores[same].sum()
        faces.append(((points[same] * weights).sum(axis=0), float(scores[same[0]])))
        order = order_rest
    return faces


def _iou(box: Float32Array, boxes: Float32Array) -> Float32Array:
    """Intersection over union of one box (2, 2) with many (N, 2, 2); each is its two corners."""
    overlap = np.minimum(box[1], boxes[:, 1]) - np.maximum(box[0], boxes[:, 0])
    shared = np.prod(np.maximum(overlap, 0.0), axis=1)
    areas = np.prod(boxes[:, 1] - boxes[:, 0], axis=1)
    result: Float32Array = shared / (np.prod(box[1] - box[0]) + areas - shared)
    return result


def _face(points: Float32Array, score: float) -> Face:
    (x0, y0), (x1, y1), *marks = [(float(x), float(y)) for x, y in points]
    # The network names eyes by where they usually are in the picture: its first is the one on the left.
    left, right, *others = marks
    return Face(box=(x0, y0, x1 - x0, y1 - y0), score=score, left_eye=left, right_eye=right, points=tuple(others))


def _anchors() -> Float32Array:
    """The centre of each of the 896 anchors, (896, 2), in network pixels."""
    rows = []
    for cells, each in _GRIDS:
        centres = (np.arange(cells, dtype=np.float32) + 0.5) * (_SIDE / cells)
        y, x = np.meshgrid(centres, centres, indexing="ij")
        rows.append(np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), each, axis=0))
    return np.concatenate(rows)


def _network() -> Any:
    import cv2

    try:
        data = MODEL.read_bytes()
    except OSError:
        raise CardError(f"the face detector {MODEL} is missing", todo="install edgegan again") from None
    if hashlib.sha256(data).hexdigest() != MODEL_SHA256:
        raise CardError(f"the face detector {MODEL} was changed", f"SHA-256 {MODEL_SHA256}", "install edgegan again")
    # OpenCV 5's new engine gives one of the two outputs; 4.x has no choice of engine.
    engine = {"engine": cv2.dnn.ENGINE_CLASSIC} if hasattr(cv2.dnn, "ENGINE_CLASSIC") else {}
    return cv2.dnn.readNetFromTFLite(str(MODEL), **engine)
