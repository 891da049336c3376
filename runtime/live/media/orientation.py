"""How a picture has to be turned and mirrored to stand upright: the display matrix of its file."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np

from ...model.image import Image
from ...opencv import pyav


class Orientation(NamedTuple):
    """Rows and columns change places if `transpose`; then the picture is mirrored along either axis."""

    transpose: bool = False
    flip_rows: bool = False
    flip_columns: bool = False

    def apply(self, picture: Image) -> Image:
        """`picture`, (H, W, 3) uint8, as it is meant to be seen; itself where nothing is to be done."""
        if not any(self):
            return picture
        turned = picture.transpose(1, 0, 2) if self.transpose else picture
        turned = turned[::-1] if self.flip_rows else turned
        turned = turned[:, ::-1] if self.flip_columns else turned
        return np.ascontiguousarray(turned)


UPRIGHT = Orientation()


def orientation(frame: Any) -> Orientation:
    """That of a decoded PyAV frame, from its display matrix.

    Such a matrix may hold any turn; films hold quarter turns, each with a mirror image or without, and other angles
    are taken as the nearest of those. A matrix that would leave no picture is not obeyed.
    """
    # `frame.side_data` would keep what it gives on the frame, and that the frame: a circle, which holds every picture
    # of a film until Python looks for circles, hundreds of megabytes later.
    data = pyav().sidedata.sidedata.SideDataContainer(frame).get("DISPLAYMATRIX")
    return UPRIGHT if data is None else from_matrix(bytes(data))


def from_matrix(data: bytes) -> Orientation:
    """That of the nine native int32 of libavutil's display matrix: (x, y) goes to (a x + c y, b x + d y)."""
    if len(data) != 36:
        return UPRIGHT
    a, b, _, c, d, *_ = struct.unpack("=9i", data)
    if a * d == b * c:
        return UPRIGHT
    if abs(a * d) >= abs(b * c):
        return Orientation(False, d < 0, a < 0)
    return Orientation(True, b < 0, c < 0)
