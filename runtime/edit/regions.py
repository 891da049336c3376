"""Which parts of a frame are edited, and how they leave it and come back: the contract, and that of whole frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..errors import InputError
from ..faces import Face
from ..faces.options import Which, check_which
from ..metrics.tally import Stopwatch
from ..model.card import SizeRule
from ..model.image import Image
from . import align, blending
from .labels import Label, Labels


@dataclass(frozen=True, eq=False)
class Patch:
    """A part of a frame on its way through the network and back.

    crop: (h, w, 3) uint8 BGR, as it was cut out.
    matrix: how it was cut; see `align`.
    label: what it already shows.
    face: the one in it; None where the crop is the whole frame.
    strength: the share of the edit that shows, in [0, 1].
    edited: what the network made of `crop`, of its shape; None if it did not run, and the frame stays as it is.
    """

    crop: Image
    matrix: align.Matrix
    label: Label
    face: Face | None = None
    strength: float = 1.0
    edited: Image | None = None


class Region(Protocol):
    """What happens to the frames of one video before and after the network. Not thread-safe."""

    @property
    def left_alone(self) -> Counter[str]:
        """How many faces were not edited, by the reason; a face counts in every frame."""

    def choose(self, which: Which) -> None:
        """Edits other faces from now on. Raises InputError if `which` says none."""

    def extract(self, frame: Image, timestamp: float | None, timed: Stopwatch) -> list[Patch]:
        """Cuts the parts to edit out of a frame, (H, W, 3) uint8 BGR.

        `timestamp` is in seconds, as in `Editor.edit`; None for a picture that stands alone.
        """

    def paste(self, out: Image, patches: Sequence[Patch]) -> None:
        """Brings the changes of one frame's patches into `out`, a copy of that frame, in place."""

    def another(self) -> Region:
        """Returns one for another video, which remembers nothing of this one."""

    def reset(self) -> None:
        """Forgets what was seen so far."""

    def close(self) -> None:
        """Ends threads; a second call does nothing."""


class Whole:
    """Edits the frame as one crop, at a size that the network takes; it looks for no faces.

    Args:
        labels: estimates what the frame already shows; stays the caller's.
        size: the sizes that the network takes.
        work_size: (height, width) of every frame in the network; None follows each frame's shape.
    """

    def __init__(self, labels: Labels, size: SizeRule, work_size: tuple[int, int] | None) -> None:
        self._labels, self._size, self._work_size = labels, size, work_size
        self.left_alone: Counter[str] = Counter()

    def choose(self, which: Which) -> None:
        """Checks `which` and changes nothing."""
        check_which(which)

    def extract(self, frame: Image, timestamp: float | None, timed: Stopwatch) -> list[Patch]:
        """See `Region.extract`: the whole frame."""
        hw = self._work_size or align.work_size((frame.shape[0], frame.shape[1]), self._size)
        crop, matrix = timed("align", align.whole, frame, hw)
        return [Patch(crop, matrix, timed("labels", self._labels.current, crop))]

    def paste(self, out: Image, patches: Sequence[Patch]) -> None:
        """See `Region.paste`."""
        for patch in patches:
            if patch.edited is not None:
                blending.blend(out, patch.crop, patch.edited, patch.matrix, None)

    def another(self) -> Whole:
        """See `Region.another`."""
        return Whole(self._labels, self._size, self._work_size)

    def reset(self) -> None:
        """There is nothing to forget."""

    def close(self) -> None:
        """There is nothing to end."""


def check_work_size(hw: tuple[int, int], rule: SizeRule, *, faces: bool) -> None:
    """Raises InputError if whole frames cannot go through the network at (height, width) `hw`."""
    asked = f"a work size of {hw[0]}x{hw[1]} (height x width) was asked for"
    if faces:
        raise InputError(asked, "a work size is for models of whole frames; this one edits faces")
    try:
        rule.check(hw)
    except InputError as error:
        todo = f"export it at that size: edgegan export RUN --size {hw[0]}x{hw[1]}" if rule.kind == "fixed" else ""
        raise InputError(asked, error.expected, todo) from None
