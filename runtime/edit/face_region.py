"""The faces of a frame as the parts of it that are edited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from copy import copy

import numpy as np

from ..faces.finder import FaceFinder
from ..faces.options import FaceOptions, Which
from ..metrics.tally import Stopwatch
from ..model.card import ModelCard
from ..model.image import Halves, Image
from . import align, blending
from .face_choice import FaceChoice
from .labels import Labels
from .regions import Patch


class Faces:
    """Edits the faces that are found, each where it is and as strongly as its track says. A `Region`.

    Args:
        card: of the model; its alignment says how faces are cut out.
        labels: estimates what each face already is; stays the caller's.
        finder: finds faces.
        options: which faces, and how they are followed and put back.
    """

    def __init__(self, card: ModelCard, labels: Labels, finder: FaceFinder, options: FaceOptions) -> None:
        self._card, self._options = card, options
        self._margin = card.alignment.margin if card.alignment is not None else 0.0
        self._choice = FaceChoice(labels, finder, options)

    @property
    def left_alone(self) -> Counter[str]:
        """See `Region`."""
        return self._choice.left_alone

    def choose(self, which: Which) -> None:
        """See `Region.choose`."""
        self._choice.choose(which)

    def extract(self, frame: Image, timestamp: float | None, timed: Stopwatch) -> list[Patch]:
        """See `Region.extract`; raises CardError for a card without an alignment."""
        halves = Halves(frame)
        tracks = self._choice.find(halves, timestamp, timed)
        cuts = timed("align", lambda: [align.crop(halves, track.face, self._card) for track in tracks])
        labels = timed("labels", self._choice.label, tracks, [crop for crop, _ in cuts])
        return [
            Patch(crop, matrix, label, track.face, track.strength)
            for track, (crop, matrix), label in zip(tracks, cuts, labels, strict=True)
        ]

    def paste(self, out: Image, patches: Sequence[Patch]) -> None:
        """See `Region.paste`."""
        for patch in patches:
            crop, edited = patch.crop, patch.edited
            if edited is None or patch.face is None:
                continue
            hw = (crop.shape[0], crop.shape[1])
            mask = blending.face_feather(hw, self._margin, patch.face, patch.matrix)
            if self._options.colour_match:
                edited = blending.match_colours(crop, edited, mask)
            if self._options.guard:
                mask = mask * blending.guard_mask(crop, edited)
            blending.blend(out, crop, edited, patch.matrix, mask * np.float32(patch.strength))
        self._choice.search_on()

    def another(self) -> Faces:
        """See `Region.another`."""
        other = copy(self)
        other._choice = self._choice.another()
        return other

    def reset(self) -> None:
        """Forgets the faces seen so far."""
        self._choice.reset()

    def close(self) -> None:
        """Ends the thread that searches."""
        self._choice.close()
