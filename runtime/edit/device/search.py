"""Which faces of a frame on a GPU are edited: searched and followed on the host, in a reduced copy."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from ...faces import Face
from ...faces.finder import FaceFinder
from ...faces.landmarks import enlarge
from ...faces.options import FaceOptions, Which, check_which
from ...faces.tracking import Track
from ...metrics.tally import Stopwatch
from ...model.image import Image
from ..face_choice import FaceChoice
from ..labels import Label, Labels
from .geometry import Window

_SIDE = 360  # pixels of the copy's shorter side, at least; less than twice as many


class Search:
    """The faces of one video, as they lie in its frames. Not thread-safe; the arguments are those of `FaceChoice`."""

    def __init__(self, labels: Labels, finder: FaceFinder, options: FaceOptions) -> None:
        # A place to choose by is one in the frame: in the copy it is known with the frame's size.
        self._choice = FaceChoice(labels, finder, msgspec.structs.replace(options, which="all"))
        self._wanted: Which | None = options.which

    def choose(self, which: Which) -> None:
        """See `Editor.choose`."""
        self._wanted = check_which(which)

    def find(self, small: Image, factor: int, timestamp: float | None, timed: Stopwatch) -> list[tuple[Track, Face]]:
        """The faces to edit, each with its place in the frame itself.

        small: (h, w, 3) uint8 BGR, the frame reduced by `factor`.
        """
        if self._wanted is not None:
            which, self._wanted = self._wanted, None
            self._choice.choose((which[0] / factor, which[1] / factor) if isinstance(which, tuple) else which)
        tracks = self._choice.find(small, timestamp, timed)
        self._choice.search_on()  # at once: the network and all that follows run on the GPU
        return [(track, enlarge(track.face, factor)) for track in tracks]

    def label(self, tracks: Sequence[Track], crops: Sequence[Image]) -> list[Label]:
        """See `FaceChoice.label`."""
        return self._choice.label(tracks, crops)

    def reset(self) -> None:
        """Forgets the faces seen so far."""
        self._choice.reset()

    def close(self) -> None:
        """Ends the thread that searches."""
        self._choice.close()


def window_of_search(frame_hw: tuple[int, int]) -> Window:
    """The frame as blocks, each a pixel of the reduced copy; what is left over at the right and below is not seen."""
    side = max(1, min(frame_hw) // _SIDE)
    return Window(0, 0, frame_hw[0] // side, frame_hw[1] // side, side)


def as_host_bgr(picture: np.ndarray, order: str) -> Image:
    """A picture of the host's in BGR order."""
    bgr: Image = picture if order == "bgr" else np.ascontiguousarray(picture[:, :, ::-1])
    return bgr
