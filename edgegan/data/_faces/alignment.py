"""How faces lie in training crops. Training and live editing cut with the same code, from the same detector."""

from __future__ import annotations

import msgspec
import numpy as np

from edgegan.runtime.edit.align import Matrix, similarity
from edgegan.runtime.errors import InputError
from edgegan.runtime.faces import Face
from edgegan.runtime.model.card import Alignment

# By name, where the eyes lie in a crop. `portrait` leaves room for all of the hair; `celeba` is the mean of what the
# detector finds in CelebA's own crops; `close` shows little but the face.
ALIGNMENTS = {
    "portrait": Alignment(left_eye=(0.39, 0.50), right_eye=(0.61, 0.50), margin=0.06),
    "celeba": Alignment(left_eye=(0.390, 0.511), right_eye=(0.604, 0.511), margin=0.08),
    "close": Alignment(left_eye=(0.34, 0.42), right_eye=(0.66, 0.42), margin=0.06),
}
CONTEXT = 1.375  # a stored picture's edge, in edges of a crop: room to turn, shift and scale it


class Geometry(msgspec.Struct, frozen=True, kw_only=True):
    """Where a crop lies in the square pictures of a written set: `faces.json`."""

    size: int  # of a crop, in pixels
    alignment: Alignment
    context: float = CONTEXT

    @property
    def edge(self) -> int:
        """Edge length of a stored picture, in pixels: an even number, so that the crop's edges lie between pixels."""
        return 2 * round(self.size * self.context / 2)

    @property
    def eyes(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The left and the right eye in a stored picture, (x, y) in pixels."""
        border = (self.edge - self.size) / 2
        left, right = (
            (x * self.size + border, y * self.size + border)
            for x, y in (self.alignment.left_eye, self.alignment.right_eye)
        )
        return left, right

    @property
    def eye_distance(self) -> float:
        """Between the eyes of a stored picture, in pixels."""
        (x0, y0), (x1, y1) = self.eyes
        return float(np.hypot(x1 - x0, y1 - y0))

    def matrix(self, face: Face) -> Matrix:
        """From the photograph's pixels to those of the stored picture."""
        return similarity((face.left_eye, face.right_eye), self.eyes)


def find_alignment(name: str) -> Alignment:
    """The alignment of that name, or of `LX,LY,RX,RY`; raises InputError for anything else."""
    if name in ALIGNMENTS:
        return ALIGNMENTS[name]
    try:
        lx, ly, rx, ry = (float(word) for word in name.split(","))
    except ValueError:
        lx = ly = rx = ry = -1.0
    if not (0.0 < lx < rx < 1.0 and 0.0 < ly < 1.0 and 0.0 < ry < 1.0):
        raise InputError(
            f"--alignment {name}: neither a name nor two eyes",
            f"{', '.join(ALIGNMENTS)}, or LX,LY,RX,RY: each eye's place in the crop, from 0 to 1",
        )
    return Alignment(left_eye=(lx, ly), right_eye=(rx, ry), margin=0.06)
